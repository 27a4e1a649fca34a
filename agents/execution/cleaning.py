"""What a user may read of a tool's error: no table, column, path, address or secret. Operators get it all."""

import re
from collections.abc import Iterable
from dataclasses import replace

from registry.assets import SourceAsset
from schemas.errors import SPECS, OpsError

_LONGEST_DETAIL = 4_000
_SHORTEST_NAME = 3
"""Shorter table names (t, at) stand in too many honest words to be told apart."""

_TELLING = re.compile(
    r"""
      [a-z][a-z0-9+.-]*://                       # an address
    | (?:^|[\s'"(=])(?:~|\.{0,2})/[\w.-]+        # a path
    | [A-Za-z]:\\                                # a path of Windows
    | \b\d{1,3}(?:\.\d{1,3}){3}\b                # IPv4
    | \b(?:[0-9a-f]{1,4}:){2,}                   # IPv6
    | \b[\w-]+(?:\.[\w-]+)+:\d{2,5}\b            # host and port
    | \blocalhost\b
    | \b(?:password|passwd|secret|token|bearer|api[_-]?key)\b\s*[=:]?
    | \b(?:select|insert|update|delete|match|from|where)\b.+\b(?:from|into|set|return|where)\b
    | Traceback|\bat\s+0x[0-9a-f]+
    """,
    re.VERBOSE | re.IGNORECASE,
)


def cleaned(error: OpsError, source: SourceAsset | None) -> OpsError:
    """The error with what a user reads replaced by its code's meaning wherever it could tell too much."""
    message, suggestion, detail = error.message, error.suggestion, error.detail
    if _tells(message, source):
        detail = f"{message} | {detail}" if detail else message
        message = SPECS[error.code].meaning
    if suggestion is not None and _tells(suggestion, source):
        suggestion = None
    if detail is not None:
        detail = detail[:_LONGEST_DETAIL]
    return replace(error, message=message, suggestion=suggestion, detail=detail)


def _tells(text: str, source: SourceAsset | None) -> bool:
    if text in _MEANINGS:
        return False
    return bool(_TELLING.search(text)) or any(name in text.lower() for name in _names(source))


def _names(source: SourceAsset | None) -> Iterable[str]:
    if source is None:
        return
    yield source.location.lower()
    yield source.id.lower()
    for table, columns in source.tables.items():
        for name in (table, *columns):
            if len(name) >= _SHORTEST_NAME:
                yield name.lower()


_MEANINGS = frozenset(spec.meaning for spec in SPECS.values())
