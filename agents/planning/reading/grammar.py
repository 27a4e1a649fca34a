"""Words with a role in any question about a table, English and Korean: figures, groups, order, negation, asking.

General to the language, not to any pack. A phrase is matched as a whole, the longest first.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Mark(NamedTuple):
    """A role and, where it has one, which: ("fn", "avg")."""

    kind: str
    value: str = ""


_PHRASES: Final[Mapping[tuple[str, str], str]] = {
    ("fn", "count"): """
        how many|number of|the number of|total number of|count of|count|counts|how often|how frequently|
        how many times|headcount|tally|quantity of|몇|몇 건|몇 개|몇 번|몇 명|몇 대|몇 회|몇 곳|몇 가지|건수|
        개수|갯수|횟수|수는|숫자|얼마나 자주|얼마나 많이|얼마나 많은|총 건수|수|수가|대수|명수
    """,
    ("fn", "sum"): """
        total|sum|sum of|overall|in total|altogether|combined|add up|aggregate|cumulative|합계|총합|총|합|총액|
        전체 합|누적
    """,
    ("fn", "avg"): "average|avg|mean|on average|typical|typically|평균|평균적으로|평균적인|보통",
    ("fn", "min"): "minimum|min|lowest|least value|최소|최저|최솟값|가장 낮은|최소값",
    ("fn", "max"): "maximum|max|highest|peak|worst|spike|최대|최고|최댓값|최대값|가장 높은|피크|최고치",
    ("fn", "median"): "median|middle value|중앙값|중간값|중위값",
    ("fn", "p90"): "p90|90th percentile|90 percentile|90th|90퍼센타일|90분위",
    ("fn", "p95"): "p95|95th percentile|95 percentile|95th|95퍼센타일|95분위|95 분위수",
    ("fn", "p99"): "p99|99th percentile|99 percentile|99th|99퍼센타일|99분위",
    ("fn", "p50"): "p50|50th percentile|50퍼센타일",
    ("fn", "share"): """
        share|share of|percentage|percentage of|percent of|what percent|what percentage|proportion|
        proportion of|fraction|fraction of|ratio|ratio of|what portion|portion of|% of|비율|비중|퍼센트|
        몇 퍼센트|몇 프로|점유율
    """,
    ("fn", "distinct"): """
        how many different|how many distinct|how many unique|number of different|number of distinct|
        number of unique|distinct|different|unique|서로 다른|고유|고유한|중복 없이
    """,
    ("fn", "sum?"): "how much|how big|얼마|얼마나|얼마야|얼마인가|얼마였어",
    ("list", ""): """
        list|show|show me|give me|display|which ones|enumerate|details of|details|detail|목록|리스트|보여|
        보여줘|알려줘|나열|나열해줘|목록을|내역|현황|상세
    """,
    ("exists", ""): """
        is there any|are there any|is there|are there|did we have any|do we have any|was there|were there|
        was there any|were there any|any|has there been|have there been|있어|있나|있나요|있는지|있었어|있었나|
        있었나요|있습니까|있는가
    """,
    ("group", ""): """
        per|by|for each|each|for every|every|across|broken down by|break down by|breakdown by|breakdown of|
        split by|grouped by|group by|in each|by each|on each|of each|distribution of|distribution by|
        according to|depending on|segmented by|spread over|각|각각의
    """,
    ("group_after", ""): "별|별로|마다|단위로|별의|기준으로",
    ("bucket", "hour"): """
        hourly|per hour|by hour|each hour|every hour|hour by hour|시간별|시간대별|매시간|시간 단위
    """,
    ("bucket", "day"): """
        daily|per day|by day|each day|every day|day by day|a day|일별|날짜별|매일|하루|요일|일자별|하루에|
        일 단위
    """,
    ("bucket", "week"): "weekly|per week|by week|each week|every week|week by week|주별|주간별|매주|주 단위",
    ("bucket", "month"): """
        monthly|per month|by month|each month|every month|month by month|월별|매월|매달|달별|월 단위
    """,
    ("trend", ""): "trend|over time|develop|evolve|history of|time series|추이|추세|변화 추이",
    ("neg", ""): """
        not|never|non|nor|neither|isn|aren|wasn|weren|haven|hasn|hadn|didn|doesn|don|couldn|isnt|arent|wasnt|werent|
        havent|hasnt|didnt|doesnt|dont|outside|outside of|anything but|everything but|all but|aside from|
        except|excluding|exclude|except for|
        other than|but not|apart from|besides|yet to be|still not|not yet|안|못|미
    """,
    ("neg_after", ""): """
        않은|않는|않았|않고|않던|안 된|안된|안 돼|안돼|안 됐|안 했|안 끝난|지 않은|아닌|아니|아니라|아닌데|
        제외|제외한|제외하고|빼고|말고|못한|못했|안된|이외|외
    """,
    ("null", ""): """
        without|without a|without an|without any|with no|no|missing|lacking|lack|has no|have no|having no|
        that have no
    """,
    ("null_after", ""): "없는|없이|없고|없던|없었|비어|비어있는|미지정|미정|누락된|누락",
    ("set", ""): "with a|with an|that have|that have a|having a|has a|assigned|있는",
    ("most", "desc"): """
        most|the most|highest number of|largest number of|greatest number of|biggest number of|most often|
        most frequently|most frequent|most common|commonest|highest count of|busiest|maximum number of|
        가장 많은|가장 많이|제일 많은|제일 많이|가장 자주|최다|많은 순|많은 순으로|가장 많았|가장 흔한|가장|
        제일
    """,
    ("most", "asc"): """
        fewest number of|lowest count of|fewest|the fewest|least|lowest number of|smallest number of|
        least often|least common|rarest|
        least frequent|minimum number of|가장 적은|가장 적게|제일 적은|제일 적게|최소 건수|적은 순|가장 드문
    """,
    ("large", "desc"): """
        largest|biggest|highest|greatest|top|longest|slowest|heaviest|most expensive|priciest|worst|가장 큰|
        제일 큰|가장 높은|제일 높은|가장 긴|가장 오래|가장 오래 걸린|가장 비싼|최장|가장 느린|상위
    """,
    ("large", "asc"): """
        smallest|lowest|shortest|quickest|fastest|cheapest|bottom|tiniest|least expensive|가장 작은|제일 작은|
        가장 낮은|제일 낮은|가장 짧은|가장 빨리|가장 빠른|가장 싼|최단|하위
    """,
    ("latest", "desc"): """
        latest|most recent|newest|last|recent|recently|most recently|the last|last one|previous|최근|최신|
        마지막|가장 최근|가장 마지막|제일 최근|직전
    """,
    ("latest", "asc"): """
        oldest|earliest|first|the first|longest ago|가장 오래된|제일 오래된|첫|첫번째|첫 번째|최초|맨 처음|처음
    """,
    ("filler", ""): """
        have been|has been|had been|have we|has anyone|did we have|do we have|we have|have to|have had|has had|have i|
        have they|do i have|does it have|there have been|there has been
    """,
    ("people", ""): """
        people|persons|users|folks|individuals|사람|사용자|인원|직원
    """,
    ("ask", "who"): "who|whom|whose|by whom|누구|누가|누구야|누구였|누군지|누구에게|누구의",
    ("ask", "where"): "where|어디|어디에|어디서|어디야",
    (
        "ask",
        "when",
    ): """
        when|at what time|what time|what date|on which day|on what day|on which date|on what date|
        which date|언제|언제야|언제였|몇 시|며칠|언제쯤
    """,
    ("ask", "why"): "why|what caused|caused|reason for|cause of|왜|이유|어째서",
    ("ask", "how_long"): """
        how long|how much time|how quickly|how fast|얼마나 오래|얼마나 걸려|얼마나 걸렸|얼마나 빨리|걸린 시간|
        몇 분|몇 시간
    """,
    ("ask", "which"): """
        which|what|which of|what are the|what were the|어느|어떤|무슨|뭐|무엇|뭐야|뭐가|뭐였|무엇인가
    """,
    ("compare", ""): """
        compare|compared|compared to|compared with|versus|vs|comparison|comparing|than|against|relative to|
        difference between|change from|비교|비교해|비교해줘|대비|보다|차이|비교하면|비교했|증감
    """,
    ("about", ""): """
        mentioning|mention|mentions|mentioned|containing|contain|contains|matching|about|regarding|concerning|
        related to|that say|saying|says|with the word|with the words|referring to|refer to|including the word|
        언급|언급한|포함한|포함된|포함하는|관련|관련된|관한|대한|들어간|들어있는|라는
    """,
    ("anchor", "after"): """
        since|after|following|ever since|as of|이후|이후로|이후에|부터|뒤|뒤에|후에|후|다음에
    """,
    ("anchor", "before"): """
        before|prior to|until|up to|ahead of|leading up to|preceding|이전|이전에|전에|직전에|전|까지
    """,
    ("under", ""): """
        part of|under|underneath|below|beneath|belong to|belongs to|belonging to|children of|child of|
        child teams of|sub teams of|subteams of|within|inside|report to|reports to|reporting to|산하|산하의|
        소속|하위|아래|밑
    """,
    ("or", ""): "or|및|또는|이나|혹은",
    ("and", ""): "and|&|그리고|과|와|랑|하고",
    ("rate", ""): "rate|rates|ratio|율|률|비율",
    ("idle", ""): "stay open|stays open|stayed open|remain open|remained open|remains open|kept open|stay up",
    ("scale", "up"): "or worse|or higher|or above|and above|and up|or more severe|이상|이상의|이상인",
    ("scale", "down"): "or lower|or below|and below|or less severe|이하|이하의|이하인",
    ("rank", ""): """
        rank|ranked|ranking|sort|sorted|sort by|ranked by|sorted by|order by|ordered by|순위|순위별|순으로|
        많은 순서
    """,
    ("day", "day"): "day|days|which day|what day|on which day|날|날짜|요일|무슨 요일",
    ("day", "hour"): "hour|which hour|what hour|시간대",
    ("day", "week"): "week|which week|what week|주",
    ("day", "month"): "month|which month|what month|달",
    (
        "still",
        "",
    ): """
        still|currently|right now|at the moment|at this moment|at present|presently|as we speak|atm|now|yet|
        아직|아직도|현재|지금|여전히
    """,
}

_STOP: Final = """
    ours located based situated exactly keeping
    a an the of in on at to for from with was were is are be been being did do does done have has had having we
    our us i my me you your they their it its there this that these those all any ever every so please can
    could would should tell know find get see pull want need look up as into during within over last it's
    what's them ones one thing things got happened happen occur occurred took place made make go gone come run
    ran exist exists out overall also just only both either about per then than s t happening seen record
    records entry entries row rows item items database table data system across total number name names called
    value values right many much current currently today's amongst among between take takes taken lasted more
    less spend running live affecting affected involving concerning hit hits sits sit anything anybody anyone
    folks guys people worked working work placed before keeps keep hey hi hello give show let lets like
    we've used kindly roughly moment production percent usual ve ll re d
    i'd id report summarize summarise summary figure figures 그 이 저 것 거 게 건 우리 우리의 좀 있는 있었던
    있던 중 중에 중에서 가운데 에서 의 해 해줘 주세요 알려 알려줘 알려주세요 보여 보여줘 보여주세요 말해줘
    궁금해 싶어 몇 야 요 발생한 발생했 발생했어 대해 대해서 대한 관해 동안 동안의 에 는 은 가 을 를 로 으로 했
    했어 했나 했는지 됐 됐어 됐나 된 되었 되었나 인가 인지 입니까 이야 있 였 이었 하는 한 할 하고 나온 나왔 나
    지 들 모든 모두 전체 다 데이터 기록 값 얼마나 개 번 명 대 회 곳 총 확인 확인해줘 조회 조회해줘 찾아 찾아줘
    구해줘 계산 계산해줘 정리 정리해줘 부탁해 해주세요 뭐 가지고 가진 걸려 걸렸 걸리 걸린 시켰 당 정도 쯤 인
    일어난 일어났 생긴 생겼 터진 터졌 난 났
"""

STOP: Final = frozenset(_STOP.split())
"""Words that say nothing about what is asked, once no phrase has claimed them."""


def marks() -> dict[tuple[str, ...], Mark]:
    """All phrases as tuples of lower-case words."""
    found: dict[tuple[str, ...], Mark] = {}
    for (kind, value), phrases in _PHRASES.items():
        for phrase in phrases.split("|"):
            key = tuple(phrase.split())
            if key:
                found.setdefault(key, Mark(kind, value))
    return found
