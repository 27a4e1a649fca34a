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
    r"passwords?|passwd|pwd|passphrase|pass|secrets?|client[_-]?secret|api[_-]?keys?|apikey|access[_-]?keys?"
    r"|private[_-]?key|secret[_-]?key|account[_-]?key|shared[_-]?access[_-]?key|auth[_-]?token|access[_-]?token"
    r"|refresh[_-]?token|id[_-]?token|session[_-]?token|token|sig|signature|x-amz-signature|x-api-key|credentials?"
    r"|secret[_-]?access[_-]?key|aws[_-]?secret[_-]?access[_-]?key"
)
_STOP = r"\s\"'`,;&<>(){}\[\]"

SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:.*?-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|.*)",
        re.DOTALL,
    ),
    re.compile(r"\b(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}\b"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}"),
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}"),
    re.compile(r"\bgl(?:pat|ptt|dt|rt|cbt|agent)-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"\bsk-(?:proj-|ant-|or-|live-)?[A-Za-z0-9_-]{16,}"),
    re.compile(r"\b[rsp]k_(?:live|test)_[A-Za-z0-9]{10,}"),
    re.compile(r"\bwhsec_[A-Za-z0-9]{16,}"),
    re.compile(r"\bAIza[0-9A-Za-z_-]{30,}"),
    re.compile(r"\bya29\.[0-9A-Za-z_-]{20,}"),
    re.compile(r"\bGOCSPX-[0-9A-Za-z_-]{16,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"\bnpm_[A-Za-z0-9]{30,}"),
    re.compile(r"\bpypi-[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bhf_[A-Za-z0-9]{20,}"),
    re.compile(r"\bdop_v1_[a-f0-9]{32,}"),
    re.compile(r"\bdapi[a-f0-9]{32}\b"),
    re.compile(r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    re.compile(r"\bhv[sbr]\.[A-Za-z0-9_-]{20,}"),
    re.compile(r"\bglsa_[A-Za-z0-9_]{20,}"),
    re.compile(r"\bNRAK-[A-Z0-9]{20,}"),
    re.compile(r"\bkey-[0-9a-f]{32}\b"),
    re.compile(r"\b\d{8,10}:AA[A-Za-z0-9_-]{30,}"),
    re.compile(r"hooks\.slack\.com/services/[A-Za-z0-9/]{16,}"),
    re.compile(r"discord(?:app)?\.com/api/webhooks/\d+/[A-Za-z0-9_-]{16,}"),
    re.compile(r"\bAGE-SECRET-KEY-1[0-9A-Z]{20,}"),
)
"""Credentials of known makers."""

BEARER = re.compile(
    r"\b(?:bearer|token|apikey|api-key|digest|negotiate)\s+(?P<value>[A-Za-z0-9._~+/=:-]{6,})", re.IGNORECASE
)
BASIC = re.compile(r"\bbasic\s+(?P<value>[A-Za-z0-9+/_-]{6,}={0,2})", re.IGNORECASE)
USERINFO = re.compile(r"[a-z][a-z0-9+.-]{1,20}://(?P<user>[^\s/@:?#]*):(?P<value>[^\s/?#]+)@", re.IGNORECASE)
LONE_USER = re.compile(r"https?://(?P<value>[A-Za-z0-9._~-]{16,})@", re.IGNORECASE)
ASSIGNED = re.compile(
    rf"(?<![A-Za-z0-9])(?:[A-Za-z0-9]+[_.-])*(?:{_NAMED})[\"']?\s*(?:=|:=|=>)\s*[\"']?(?P<value>[^{_STOP}]{{3,}})",
    re.IGNORECASE,
)
"""`password=…`, in connection strings, queries of addresses and command lines."""
COLONED = re.compile(
    rf"(?<![A-Za-z0-9])(?:[A-Za-z0-9]+[_.-])*(?:{_NAMED})[\"']?\s*:\s*[\"']?(?P<value>[^{_STOP}]{{3,}})",
    re.IGNORECASE,
)
"""`password: …`, as in YAML, JSON and headers."""
FLAGGED = re.compile(rf"--(?:{_NAMED})[ =]+[\"']?(?P<value>[^{_STOP}]{{3,}})", re.IGNORECASE)

VALUED: tuple[re.Pattern[str], ...] = (BEARER, BASIC, USERINFO, LONE_USER, ASSIGNED, COLONED, FLAGGED)
"""Patterns whose group `value` is the credential."""


def is_placeholder(value: str) -> bool:
    """Is it a reference or a hole, so that nothing is given away?"""
    return bool(REFERENCE.fullmatch(value) or HOLE.fullmatch(value))
