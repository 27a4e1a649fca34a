"""The words every operations question may use: what carries no meaning, what means the same, how numbers are said.

General to the field, not to any pack; a pack's own words come from its templates.
"""

from collections.abc import Mapping

_STOP = """
    a about all also am an and any are as at be been being but by can could did do does doing
    for from get give gives had has have here how i if in into is it its kind know let like list look looks lot
    me much my of off on one or our out over please per right see shall she should show so some tell
    than that the their them then there these they thing things this those to up us want was we were what which
    who whose will with within would you your exactly really just
    알려 알려줘 알려주세요 보여 보여줘 보여주세요 좀 지금 현재 얼마나 얼마 무엇 무엇이 뭐 뭐야 뭐가 어떤 어떻게 몇 인가
    인가요 이야 있나 있나요 있어 있어요 있는 되나 되나요 해줘 하는 했어 했나요 주세요 그리고 대해 대한 나와 것 중 개
"""
STOP_WORDS = frozenset(_STOP.split())
"""Count for nothing in retrieval; they still tell example questions apart by the order of words."""

_ASKING = """
    advice advise article chapter describe doc docs document documentation documents explain find guide guidance
    instruction look manual mention mentions page paragraph passage read readme runbook say says search section
    text wiki write written 검색 검색해줘 문서 문서에서 런북 런북에서 설명 설명해줘 찾아 찾아줘 조언
"""
ASKING_WORDS = frozenset(_ASKING.split())
"""Ask for a search without being what is searched for."""

_COMMON = """
    able above actual after again against ago almost already alright although always among another answer
    anybody anyone anything apart around ask asked asking away back bad badly because become before begin
    behind believe below beside besides best better between beyond big bigger bit blue book both box brand
    bring broken burning buy call came carry case catch cause certain chance change check choose clear close
    come common complete consider cool cover create cut daily day days deal decent deep deliver detail
    develop different difficult direct does done down drop during each earlier early easy eight either else
    empty end enjoy enough entire especially even evening ever every everybody everyone everything evolve
    exact example expect explain extra face fact fail fair fall far fast feel few fill fine finish first
    five fix flow follow force former found four free frequent fresh front full funny further gave general
    generally gets getting go goes going gone good got gotten grand great group grow guess half hand handle
    happen hard hardly hear heard heavy help hence her hide high hit hold home hope hot hour hours house
    however huge hundred idea ideal identify imagine important improve include increase indeed indirect
    inform inside instead interest join joke jump just keep kept key kill knew knowledge known large larger
    last late lately later latter lead learn least leave less level lie lift light likely line listen little
    live long longer look loose lose lots loud love low made main mainly make manage mark matter may maybe
    mean measure meet mention mere mess middle might mind minute minutes miss moment month more moreover
    morning most mostly move must name nature near nearly necessary need never new next nice night nine
    nobody none nor normal not note nothing notice number obvious occur offer often okay old once only open
    opposite order ordinary original other otherwise ought outside overall own particular party pass past
    people perfect perhaps pick piece place plain play plenty point poor possible present press pretty
    previous prior probably proper provide pull push put question quick quickly quiet quite rather reach
    read ready real reason receive recent regular related relevant remain remind remove reply report require
    respond rest result return reverse rise room rough round rule run same save saw say scale score search
    second seek seem seen self sell send sense serious serve set settle seven several shake shape sharp
    short shut side sign similar simple simply since single sit six size slight slow slowly small smart
    solve somebody somehow someone something sometimes somewhat soon sort speak special specific spend split
    spread stand start state stay step stick still stop store strange strike strong stuck study stuff
    succeed such sudden suffer suggest support suppose sure survive sweet system take talk teach ten tend
    term thank thanks therefore though thousand three through throughout throw thus till time tiny today
    together told tomorrow tonight too took total touch toward towards track travel treat trouble true truth
    try turn twice two typical ugly under understand unit unless until unusual upon upper upset useful usual
    usually value various version view visit wait wake walk watch way weak wear week weeks well went
    whatever whenever wherever whether while whole whom why wide win wise wish without wonder word work
    world worry worse worst worth write wrong year yes yesterday yet young
"""
COMMON_WORDS = frozenset(_COMMON.split())
"""Plain English words: when no template knows them they are not taken for names."""

SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "address": ("ip",),
    "app": ("process",),
    "application": ("process",),
    "boot": ("uptime",),
    "busy": ("load",),
    "chip": ("cpu",),
    "core": ("cpu",),
    "daemon": ("process",),
    "dependency": ("depend",),
    "dependent": ("depend",),
    "okay": ("healthy", "health"),
    "ok": ("healthy", "health"),
    "alright": ("healthy", "health"),
    "healthy": ("health",),
    "room": ("space",),
    "directory": ("folder",),
    "distro": ("os",),
    "doc": ("document",),
    "documentation": ("document",),
    "drive": ("disk",),
    "eat": ("use",),
    "burn": ("use",),
    "capacity": ("space", "size"),
    "clear": ("free",),
    "consume": ("use",),
    "consumer": ("use", "process"),
    "deps": ("dependency", "depend"),
    "explain": ("describe",),
    "launch": ("start",),
    "remain": ("free", "left"),
    "consumption": ("use",),
    "hog": ("use",),
    "fill": ("full",),
    "filesystem": ("disk",),
    "guide": ("document",),
    "hdd": ("disk",),
    "interface": ("network",),
    "lan": ("network",),
    "left": ("free", "available"),
    "available": ("free",),
    "empty": ("free",),
    "library": ("package",),
    "lib": ("package",),
    "module": ("package",),
    "machine": ("computer", "host"),
    "manual": ("document",),
    "mem": ("memory",),
    "many": ("number", "count"),
    "count": ("number", "many"),
    "number": ("count", "many"),
    "currently": ("now", "current"),
    "current": ("now",),
    "moment": ("now", "current"),
    "mount": ("disk",),
    "need": ("depend", "require"),
    "require": ("depend", "need"),
    "nic": ("network",),
    "occupy": ("use",),
    "partition": ("disk",),
    "pip": ("package",),
    "postgres": ("postgresql",),
    "processor": ("cpu",),
    "program": ("process",),
    "ram": ("memory",),
    "readme": ("document",),
    "release": ("version",),
    "running": ("process",),
    "service": ("process",),
    "setup": ("install",),
    "ssd": ("disk",),
    "start": ("launch",),
    "storage": ("disk",),
    "task": ("process",),
    "usage": ("use",),
    "utilisation": ("use",),
    "utilization": ("use",),
    "volume": ("disk",),
    "add": ("install",),
    "reboot": ("uptime", "boot"),
    "rely": ("depend",),
    "behind": ("depend",),
    "upstream": ("caller", "call"),
    "downstream": ("depend",),
    "impact": ("affect",),
    "affected": ("affect",),
    "touch": ("affect", "run"),
    "notice": ("affect",),
    "suffer": ("affect",),
    "responsible": ("own", "owner"),
    "maintain": ("own", "owner"),
    "belong": ("own",),
    "owner": ("own",),
    "contact": ("owner", "own"),
    "ping": ("owner", "own"),
    "hosted": ("run", "host"),
    "live": ("run", "host"),
    "lesson": ("postmortem", "learn"),
    "transitively": ("all", "indirectly"),
    "indirectly": ("all", "transitively"),
    "invoke": ("call",),
}
"""Word → words it may stand for; both sides are stemmed when they are read."""

KOREAN_TERMS: Mapping[str, str] = {
    "메모리": "memory",
    "램": "memory",
    "디스크": "disk",
    "저장": "disk",
    "용량": "space",
    "공간": "space",
    "여유": "free",
    "남은": "free",
    "남았": "free",
    "남아": "free",
    "프로세스": "process",
    "네트워크": "network",
    "주소": "address",
    "아이피": "ip",
    "부하": "load",
    "시피유": "cpu",
    "씨피유": "cpu",
    "코어": "core",
    "패키지": "package",
    "라이브러리": "package",
    "설치": "install",
    "의존": "depend",
    "필요": "need",
    "문서": "document",
    "런북": "runbook",
    "버전": "version",
    "운영체제": "os",
    "커널": "kernel",
    "호스트": "host",
    "서버": "server",
    "서비스": "service",
    "사용": "use",
    "최근": "recent",
    "가동": "uptime",
    "부팅": "boot",
    "트리": "tree",
    "자식": "child",
    "부모": "parent",
    "이력": "history",
    "변경": "change",
    "오류": "error",
    "에러": "error",
    "마운트": "mount",
    "전체": "total",
    "평균": "average",
    "최대": "maximum",
    "요약": "summary",
    "상태": "status",
    "건강": "health",
    "느려": "slow",
    "느린": "slow",
    "주문": "order",
    "고객": "customer",
    "장애": "incident",
    "호출": "call",
    "소유": "own",
    "담당": "owner",
    "영향": "affect",
    "실행": "run",
    "복구": "recover",
    "원인": "cause",
    "절차": "procedure",
    "대응": "respond",
    "배포": "deploy",
}
"""Korean terms of operations and the English word a pack is likely to know them by."""

NUMBER_WORDS: Mapping[str, int] = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
    "sixty": 60, "ninety": 90, "hundred": 100, "couple": 2, "dozen": 12,
    "하나": 1, "한": 1, "두": 2, "세": 3, "네": 4, "다섯": 5, "여섯": 6, "일곱": 7, "여덟": 8, "아홉": 9, "열": 10,
    "스무": 20,
}  # fmt: skip

SHORTHAND: Mapping[str, str] = {
    "tix": "tickets", "svc": "service", "svcs": "services", "srv": "server", "errs": "errors",
    "pls": "please", "plz": "please", "whats": "what", "hows": "how", "whos": "who", "wheres": "where",
    "whens": "when", "prod": "production", "cust": "customer", "custs": "customers", "yest": "yesterday",
    "yday": "yesterday", "w/o": "without", "w/": "with", "incs": "incidents", "perms": "permissions",
    "dbs": "databases", "avgs": "averages", "qty": "number", "wk": "week", "wks": "weeks", "resp": "response",
    "depl": "deployment", "depls": "deployments", "thru": "through", "b/c": "because", "abt": "about",
    "msg": "message",
}  # fmt: skip
"""What people type for short."""

IRREGULAR: Mapping[str, str] = {
    "using": "use", "ran": "run", "took": "take", "taken": "take", "wrote": "write", "written": "write",
    "eaten": "eat", "ate": "eat", "grew": "grow", "broke": "break", "children": "child", "indices": "index",
    "hungriest": "hungry", "emptiest": "empty", "most": "most", "best": "best", "latest": "recent",
    "newest": "recent", "recently": "recent", "lately": "recent", "last": "last", "always": "always",
    "addresses": "address", "news": "news", "cpus": "cpu", "gpus": "gpu", "menus": "menu",
    "hungry": "hungry", "biggest": "large", "big": "large",
    "largest": "large", "highest": "high", "data": "data", "large": "large", "larger": "large", "busiest": "busy",
     "docs": "document", "apps": "process",
    "installation": "install", "required": "require", "requirement": "require", "requirements": "require",
}  # fmt: skip
"""Stems that no rule finds."""
