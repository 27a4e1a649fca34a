"""The grammar of an address that may be called: stricter than any client's, so that all clients read it alike.

http or https; no user information; a host in its one plain spelling; characters that parsers disagree about
(backslashes, control characters, spaces, other alphabets' dots and digits) are refused wherever they stand.
"""

import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urljoin

import idna

from agents.execution.guards.url.addresses import Address, parsed_address
from agents.execution.guards.verdict import Refuse
from schemas.errors import ErrorCode

LONGEST_URL = 4_096
NOT_ALLOWED = "The address is not allowed."
"""One text for whatever a user may read: what lies behind an address must not be learnt by trying."""

DEFAULT_PORTS = {"http": 80, "https": 443}

_SPLIT = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r"[1-9][0-9]{0,4}")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_FORBIDDEN = re.compile(r'[\x00-\x20\x7f-\xa0\\<>"\u2028\u2029\ufeff\ufffd]')
_BROKEN_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_CONTROL_PERCENT = re.compile(r"%(?:0[0-9a-f]|1[0-9a-f]|7f|5c)", re.IGNORECASE)
_KEPT = "%/:@!$&'()*+,;=?-._~[]"


@dataclass(frozen=True, slots=True)
class Target:
    """A judged address. `host` is lower-case ASCII; `address` is set when it is a literal one."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    address: Address | None = None

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must stay the same for credentials to go along."""
        return self.scheme, self.host, self.port

    @property
    def url(self) -> str:
        """The address as it is dialled: written anew from its parts, without a fragment."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}{self.query}"


def refused(violation: str, suggestion: str | None = None) -> Refuse:
    """A refusal of an address; the violation is what operators read."""
    return Refuse(ErrorCode.POLICY_DENY, NOT_ALLOWED, suggestion, (violation,))


def parsed_url(url: object) -> Target | Refuse:
    """The parts of an address, or why it has no plain meaning. Never raises."""
    if not isinstance(url, str) or not url:
        return refused("the address is no text")
    if len(url) > LONGEST_URL:
        return refused(f"an address of more than {LONGEST_URL} characters")
    if _FORBIDDEN.search(url) or any(_is_invisible(char) for char in url if ord(char) > 0xA0):
        return refused("a character in the address that readers disagree about")
    found = _SPLIT.fullmatch(url)
    if found is None:
        return refused("only http:// and https:// are called", "Write the whole address with its scheme.")
    scheme, authority, path, query = found[1].lower(), found[2], found[3] or "/", found[4] or ""
    if _BROKEN_PERCENT.search(path + query):
        return refused("a percent sign that stands for nothing")
    if _CONTROL_PERCENT.search(path):
        return refused("an escaped control character or backslash in the path")
    placed = _authority(authority, scheme)
    if isinstance(placed, Refuse):
        return placed
    host, port, address = placed
    return Target(scheme, host, port, _escaped(path), _escaped(query), address)


def joined(base: Target, location: object) -> Target | Refuse:
    """Where a redirect leads, judged like a first address."""
    if not isinstance(location, str) or not location:
        return refused("a redirect to nowhere")
    if len(location) > LONGEST_URL or _FORBIDDEN.search(location):
        return refused("a character in a redirect that readers disagree about")
    if re.match(r"[a-z][a-z0-9+.-]*:", location, re.IGNORECASE) and not _SPLIT.fullmatch(location):
        return refused("a redirect to something that is neither http nor https")
    try:
        return parsed_url(urljoin(base.url, location))
    except ValueError:
        return refused("a redirect that cannot be read")


def _authority(authority: str, scheme: str) -> tuple[str, int, Address | None] | Refuse:
    if "@" in authority:
        return refused("user information in the address", "Credentials belong into the source's credential.")
    if "%" in authority:
        return refused("an escaped host or a zone")
    host, port = authority, DEFAULT_PORTS[scheme]
    if authority.startswith("["):
        inner, bracket, rest = authority[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return refused("brackets that hold no address")
        host, port_text = inner, rest[1:] if rest else None
    else:
        host, colon, tail = authority.partition(":")
        port_text = tail if colon else None
    if port_text is not None:
        if not _PORT.fullmatch(port_text) or int(port_text) > 65_535:
            return refused("a port that is none")
        port = int(port_text)
    if authority.startswith("["):
        address = parsed_address(host)
        if address is None or address.version != 6:
            return refused("brackets that hold no address")
        return str(address), port, address
    named = host_name(host)
    return named if isinstance(named, Refuse) else (named, port, parsed_address(named))


def host_name(text: str) -> str | Refuse:
    """A host in lower-case ASCII: a name of plain labels, or four decimal numbers."""
    host = text.lower()
    if not host.isascii():
        encoded = _encoded(text)
        if encoded is None:
            return refused("a host in letters that are no name", "Write the host in ASCII (xn--…).")
        host = encoded
    if not host or len(host) > 253:
        return refused("no host, or one that is too long")
    if host.endswith("."):
        return refused("a host with a dot at its end")
    labels = host.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels):
        return refused("a host that is no name")
    if _NUMBER.fullmatch(labels[-1]):
        # Clients read 2130706433, 0x7f.1 or 127.1 as an address, each in its own way.
        if parsed_address(host) is None:
            return refused("a number in place of a host")
        return host
    if any(label[2:4] == "--" and not _is_a_label(label) for label in labels):
        return refused("a host with an encoded label that is none")
    return host


def _encoded(text: str) -> str | None:
    """IDNA 2008 without any mapping: full-width digits, ligatures and other dots are no letters of a name."""
    if re.search("[\u3002\uff0e\uff61\u2024\u00b7]", text) or _mixes_scripts(text):
        return None
    try:
        return idna.encode(text.lower(), strict=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return None


def _is_a_label(label: str) -> bool:
    if not label.startswith("xn--"):
        return False
    try:
        return idna.alabel(idna.ulabel(label)).decode("ascii") == label and not _mixes_scripts(
            idna.ulabel(label)
        )
    except (idna.IDNAError, UnicodeError, ValueError, IndexError):
        return False


_ONE_SCRIPT = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
"""Scripts with look-alikes of one another: a label may hold one of them."""


def _mixes_scripts(text: str) -> bool:
    return any(
        len({unicodedata.name(char, "?").split()[0] for char in label if char.isalpha()} & _ONE_SCRIPT) > 1
        for label in text.split(".")
    )


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Zs")


def _escaped(text: str) -> str:
    return quote(text, safe=_KEPT)
