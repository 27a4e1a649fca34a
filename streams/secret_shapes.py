"""What a credential looks like in a text, whatever it is called."""

import re

MASK = "***MASKED***"

REFERENCE = re.compile(
    r"env:[A-Za-z_][A-Za-z0-9_]{0,127}|file:[\w./~{} -]{1,512}|vault:[\w./-]{1,256}#[\w.-]{1,128}"
)
"""`env:NAME`, `file:PATH`, `vault:PATH#KEY`: where a secret is, not what it is."""

_HOLE = r"\$?\{\{?\s*[\w.]+\s*\}?\}|\*{3}MASKED\*{3}|<[\w -]+>|\$[A-Z_][A-Z0-9_]*"
HOLE = re.compile(_HOLE)
"""A place to be filled in, such as `{name}` or `${NAME}`."""

_NAMED = (
    r"(?:passwords?|passwd|passphrase|secrets?|client[_-]?secret|api[_-]?keys?|access[_-]?keys?|private[_-]?key"
    r"|secret[_-]?key|account[_-]?key|auth[_-]?token|access[_-]?token|refresh[_-]?token|id[_-]?token"
    r"|session[_-]?token|x-amz-signature|x-api-key|credentials?|(?<![A-Za-z0-9])(?:pwd|pass|token|sig|signature))"
)
"""Whatever stands before it, such as `DB_`: a name's end says what it is."""
_STOP = r"\s\"'`,;&<>(){}\[\]"

_START = r"(?<![A-Za-z0-9_-])"
"""Not inside a run of such characters: else each of them would be a start, and a long text would take for ever."""

SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|.*)",
        re.DOTALL,
    ),
    re.compile(_START + r"(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}\b"),
    re.compile(_START + r"gh[pousr]_[A-Za-z0-9]{20,}+"),
    re.compile(_START + r"github_pat_[A-Za-z0-9_]{20,}+"),
    re.compile(_START + r"gl(?:pat|ptt|dt|rt|cbt|agent)-[A-Za-z0-9_-]{16,}+"),
    re.compile(_START + r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,}+"),
    re.compile(_START + r"sk-(?:proj-|ant-|or-|live-)?[A-Za-z0-9_-]{16,}+"),
    re.compile(_START + r"[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}+"),
    re.compile(_START + r"whsec_[A-Za-z0-9]{16,}+"),
    re.compile(_START + r"AIza[0-9A-Za-z_-]{30,}+"),
    re.compile(_START + r"ya29\.[0-9A-Za-z_-]{20,}+"),
    re.compile(_START + r"GOCSPX-[0-9A-Za-z_-]{16,}+"),
    re.compile(_START + r"eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]*"),
    re.compile(_START + r"npm_[A-Za-z0-9]{30,}+"),
    re.compile(_START + r"pypi-[A-Za-z0-9_-]{20,}+"),
    re.compile(_START + r"hf_[A-Za-z0-9]{20,}+"),
    re.compile(_START + r"dop_v1_[a-f0-9]{32,}+"),
    re.compile(_START + r"dapi[a-f0-9]{32}\b"),
    re.compile(_START + r"SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+"),
    re.compile(_START + r"hv[sbr]\.[A-Za-z0-9_-]{20,}+"),
    re.compile(_START + r"glsa_[A-Za-z0-9_]{20,}+"),
    re.compile(_START + r"NRAK-[A-Z0-9]{20,}+"),
    re.compile(_START + r"key-[0-9a-f]{32}\b"),
    re.compile(_START + r"\d{8,10}:AA[A-Za-z0-9_-]{30,}+"),
    re.compile(r"hooks\.slack\.com/services/[A-Za-z0-9/]{16,}+"),
    re.compile(r"discord(?:app)?\.com/api/webhooks/\d+/[A-Za-z0-9_-]{16,}+"),
    re.compile(_START + r"PuTTY-User-Key-File-\d"),
    re.compile(_START + r"AGE-SECRET-KEY-1[0-9A-Z]{20,}+"),
)
"""Credentials of known makers."""

BEARER = re.compile(
    r"\b(?:bearer|token|apikey|api-key|digest|negotiate)\s+(?P<value>[A-Za-z0-9._~+/=:-]{6,})", re.IGNORECASE
)
BASIC = re.compile(r"\bbasic\s+(?P<value>[A-Za-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)
USERINFO = re.compile(r"[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s/@:?#]*):(?P<value>[^\s/?#]+)@", re.IGNORECASE)
LONE_USER = re.compile(r"https?://(?P<value>[A-Za-z0-9._~-]{16,})@", re.IGNORECASE)
ASSIGNED = re.compile(
    rf"{_NAMED}[\"']?\s{{0,8}}(?:=>|:=|=)\s{{0,8}}[\"']?(?P<value>[^{_STOP}]{{3,}})", re.IGNORECASE
)
"""`password=…`, in connection strings, queries of addresses and command lines."""
COLONED = re.compile(rf"{_NAMED}[\"']?\s{{0,8}}:\s{{0,8}}[\"']?(?P<value>[^{_STOP}]{{3,}})", re.IGNORECASE)
"""`password: …`, as in YAML, JSON and headers."""
FLAGGED = re.compile(rf"--{_NAMED}[ =]{{1,8}}[\"']?(?P<value>[^{_STOP}]{{3,}})", re.IGNORECASE)

VALUED: tuple[re.Pattern[str], ...] = (BEARER, BASIC, USERINFO, LONE_USER, ASSIGNED, COLONED, FLAGGED)
"""Patterns whose group `value` is the credential."""


def is_placeholder(value: str) -> bool:
    """Is it a reference or a hole, so that nothing is given away?"""
    return bool(REFERENCE.fullmatch(value) or HOLE.fullmatch(value))
