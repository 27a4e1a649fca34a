"""Plain credentials in the configuration of tools and sources: where they stand, never what they are.

They are known by the name they stand under, by their shape, by their entropy, in addresses, in lists, in JSON or
base64 inside a text. References (`env:NAME`, `file:PATH`, `vault:PATH#KEY`) are what should stand there.
"""

import json
import math
import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from pydantic import BaseModel

from registry.secret_names import DIGESTS, INHERITING, NAMING, PROSE, is_secret_name, names_a_column, words_of
from streams.secret_shapes import (
    ASSIGNED,
    BASIC,
    BEARER,
    COLONED,
    FLAGGED,
    LONE_USER,
    MASK,
    SHAPES,
    USERINFO,
    is_placeholder,
)

_DEEPEST = 60
_MOST = 20_000
_LONGEST = 100_000

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_RANDOM = re.compile(r"[A-Za-z0-9+/=_-]{20,}")
_OPEN = re.compile(
    r"data:(?:image|font|audio|video)/[\w.+-]+;base64,|(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+) AAAA"
)
"""Pictures and public keys look drawn by lot, and are for everyone."""
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"[0-9a-fA-F]{32,}")
_WORDY = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}")


def find_secrets(config: object) -> tuple[str, ...]:
    """Paths such as `outbound.headers.Authorization` or `hosts[2].password` where a plain credential stands, in the
    order of the configuration, each once. Never raises; what is nested beyond sense counts as a finding."""
    found: dict[str, None] = {}
    for number, path in enumerate(_walked(config, "", "", False, 0)):
        found[path] = None
        if number > _MOST:
            break
    return tuple(found)


def secret_findings(asset: BaseModel) -> tuple[str, ...]:
    """Where an asset holds a plain credential, of what its author wrote."""
    return find_secrets(asset.model_dump(mode="json", exclude_defaults=True))


def _walked(value: object, path: str, key: str, secret: bool, depth: int) -> Iterator[str]:
    if depth > _DEEPEST:
        yield path or "(root)"
    elif isinstance(value, Mapping):
        yield from _walked_mapping(value, path, key, secret, depth)
    elif isinstance(value, list | tuple | set | frozenset):
        before: object = None
        for number, each in enumerate(value):
            yield from _walked(each, f"{path}[{number}]", key, secret or _is_flag(before, each), depth + 1)
            before = each
    elif isinstance(value, bytes):
        yield from _walked(value.decode("latin-1"), path, key, secret, depth)
    elif isinstance(value, str):
        if _is_secret(value, key, secret, depth):
            yield path or "(root)"
    elif secret and isinstance(value, int | float) and not isinstance(value, bool) and abs(value) >= 100:
        yield path or "(root)"


def _is_flag(before: object, value: object) -> bool:
    """`["--token", "…"]` and `["-u", "name:…"]`: the words of a command, one by one."""
    if not isinstance(before, str) or not before.startswith("-") or "=" in before:
        return False
    if not isinstance(value, str) or value.startswith("-"):
        return False
    if before in ("-u", "--user"):
        return ":" in value and not is_placeholder(value) and not is_placeholder(value.partition(":")[2])
    return is_secret_name(before.lstrip("-"))


def _walked_mapping(
    mapping: Mapping[Any, Any], path: str, key: str, secret: bool, depth: int
) -> Iterator[str]:
    named = next(
        (str(mapping[each]) for each in NAMING if isinstance(mapping.get(each), str) and "value" in mapping),
        "",
    )
    for name, value in mapping.items():
        text = str(name)
        hidden = any(shape.search(text) for shape in SHAPES)
        place = f"{path}.{MASK if hidden else text}" if path else (MASK if hidden else text)
        if hidden:
            yield place
        inherited = secret and _plain_word(text) in INHERITING
        by_pair = text == "value" and bool(named) and is_secret_name(named)
        named_so = is_secret_name(text) and not names_a_column(key, value)
        under = inherited or by_pair or named_so
        # `credentials: {user, host}` holds things that are no secret; a list or a text under it is one.
        yield from _walked(value, place, text, under, depth + 1)


def _plain_word(name: str) -> str:
    return "".join(words_of(name))


def _is_secret(text: str, key: str, secret: bool, depth: int) -> bool:
    value = text.strip()
    if not value:
        return False
    if any(shape.search(value) for shape in SHAPES):
        return True
    if is_placeholder(value):
        return False
    if secret:
        scheme, _, rest = value.partition(" ")
        schemed = scheme.lower() in ("bearer", "basic", "token") and is_placeholder(rest.strip())
        return not schemed and value.lower() not in _NO_VALUES
    return _is_secret_anywhere(value[:_LONGEST], key, depth)


_NO_VALUES = frozenset({
    "none", "null", "bearer", "basic", "true", "false", "digest", "required", "optional", "string", "masked",
    "redacted", "header", "oauth2", "mtls", "n/a",
})  # fmt: skip


def _is_secret_anywhere(value: str, key: str, depth: int) -> bool:
    prose = bool(PROSE.intersection(words_of(key)))
    if _gives_away(value, prose):
        return True
    opened = unquote(value)
    if opened != value and _gives_away(opened, prose):
        return True
    if value[0] in "{[" and depth < _DEEPEST and _json_holds(value, depth):
        return True
    for piece in _BASE64.findall(value):
        inner = _decoded(piece)
        if inner is not None and (_gives_away(inner, False) or any(shape.search(inner) for shape in SHAPES)):
            return True
        if inner is not None and inner[:1] in "{[" and _json_holds(inner, depth):
            return True
    if prose or DIGESTS.intersection(words_of(key)) or _OPEN.match(value):
        return False
    return any(_is_random(piece) for piece in _RANDOM.findall(value))


def _gives_away(value: str, prose: bool) -> bool:
    for pattern in (USERINFO, LONE_USER):
        if any(not is_placeholder(found["value"]) for found in pattern.finditer(value)):
            return True
    for found in BASIC.finditer(value):
        inner = _decoded(found["value"])
        if inner is not None and ":" in inner:
            return True
    for pattern in (BEARER, ASSIGNED, FLAGGED, COLONED):
        for found in pattern.finditer(value):
            given = found["value"].rstrip(".:?!")
            if is_placeholder(given) or given.startswith((":", "@", "$", "{", "%(")):
                continue
            wordy = given.isalpha() or len(given) < 4
            if wordy and (prose or pattern in (BEARER, COLONED)):
                continue
            return True
    return False


def _json_holds(text: str, depth: int) -> bool:
    try:
        inner = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return next(_walked(inner, "", "", False, depth + 20), None) is not None


def _decoded(piece: str) -> str | None:
    """What a base64 text holds, if that is a text again."""
    try:
        raw = b64decode(piece.replace("-", "+").replace("_", "/") + "=" * (-len(piece) % 4), validate=True)
        text = raw.decode("utf-8")
    except (Base64Error, ValueError):
        return None
    return text if len(text) >= 3 and text.isprintable() else None


def _is_random(piece: str) -> bool:
    """Does a run of letters and digits look drawn by lot rather than written?"""
    if _UUID.fullmatch(piece):
        return False
    if _HEX.fullmatch(piece):
        return _entropy(piece) > 3.0
    if piece.count("/") > 2 or piece.count("-") + piece.count("_") > 3:
        return False
    covered = sum(len(word) for word in _WORDY.findall(piece))
    if len(piece) >= 32 and _entropy(piece) > 4.4 and covered <= 0.8 * len(piece):
        return True
    classes = sum(bool(re.search(each, piece)) for each in ("[a-z]", "[A-Z]", "[0-9]"))
    if classes < 3 or covered > 0.6 * len(piece):
        return classes >= 2 and len(piece) >= 32 and _entropy(piece) > 4.2 and covered <= 0.6 * len(piece)
    return _entropy(piece) > 3.6


def _entropy(text: str) -> float:
    """Shannon's entropy in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


PLAIN_CREDENTIAL = "A credential is written in plain text."
USE_REFERENCE = "Write a reference instead: env:NAME, file:PATH or vault:PATH#KEY."
