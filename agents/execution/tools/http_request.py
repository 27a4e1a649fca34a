"""One request out of its template and a call's parameters: each value encoded for where it stands, never pasted."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import orjson

from registry.outbound_assets import HttpCall
from schemas.errors import ErrorCode, OpsError, ops_error

_HOLE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ABSENT = object()


class _Unfit(ValueError):
    """A value that cannot stand where the template puts it; the text is fit for a user."""


class Filled:
    """A template filled in."""

    __slots__ = ("body", "headers", "path", "query")

    def __init__(self, call: HttpCall, values: Mapping[str, Any]) -> None:
        """Raises ValueError with a sentence for a user."""
        self.path = _HOLE.sub(lambda hole: _segment(hole[1], values), call.path)
        if self.path and not self.path.startswith("/"):
            self.path = "/" + self.path
        self.query = _pairs(call.query, values)
        self.headers = {name: _header(name, text, values) for name, text in call.headers.items()}
        self.body = _body(call.body, values, self.headers)

    def url(self, base: str, more: Mapping[str, str] | None = None) -> str:
        """The whole address over a base; `more` replaces query parameters of the same name."""
        replaced = dict(more or {})
        pairs = [(name, value) for name, value in self.query if name not in replaced]
        query = urlencode([*pairs, *replaced.items()], quote_via=quote)
        joint = "&" if "?" in base else "?"
        return f"{base.rstrip('/')}{self.path}{joint + query if query else ''}"


def filled(call: HttpCall, params: Mapping[str, Any], tenant_id: str) -> Filled | OpsError:
    """The request of a call; INVALID_PARAMS when a value does not do where the template puts it."""
    try:
        return Filled(call, {**params, "tenant_id": tenant_id})
    except _Unfit as error:
        return ops_error(ErrorCode.INVALID_PARAMS, str(error))


def _segment(name: str, values: Mapping[str, Any]) -> str:
    text = _text(name, values)
    if text in ("", ".", "..") or _CONTROL.search(text) or "\\" in text:
        raise _Unfit(f"{name} cannot stand in a path.")
    return quote(text, safe="")


def _text(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    if value is None:
        raise _Unfit(f"Missing: {name}.")
    return _plain(name, value)


def _plain(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise _Unfit(f"{name} must be a single value.")


def _pairs(template: Mapping[str, Any], values: Mapping[str, Any]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, written in template.items():
        value = _typed(written, values)
        if value is _ABSENT or value is None:
            continue
        for each in value if isinstance(value, list) else [value]:
            pairs.append((name, _plain(name, each)))
    return pairs


def _header(name: str, template: str, values: Mapping[str, Any]) -> str:
    text = _HOLE.sub(lambda hole: _text(hole[1], values), template)
    if _CONTROL.search(text) or not text.isascii():
        raise _Unfit(f"A value cannot stand in the header {name}.")
    return text


def _typed(written: Any, values: Mapping[str, Any]) -> Any:
    """A template's value with its holes filled: a text that is one hole becomes the parameter itself."""
    if isinstance(written, str):
        whole = _HOLE.fullmatch(written)
        if whole is not None:
            value = values.get(whole[1], _ABSENT)
            return _ABSENT if value is None else value
        return _HOLE.sub(lambda hole: _text(hole[1], values), written)
    if isinstance(written, Mapping):
        typed = {name: _typed(each, values) for name, each in written.items()}
        return {name: each for name, each in typed.items() if each is not _ABSENT}
    if isinstance(written, list):
        return [each for value in written if (each := _typed(value, values)) is not _ABSENT]
    return written


def _body(template: Any, values: Mapping[str, Any], headers: dict[str, str]) -> bytes | None:
    if template is None:
        return None
    value = _typed(template, values)
    if value is _ABSENT:
        return None
    named = any(name.lower() == "content-type" for name in headers)
    if isinstance(template, str) and isinstance(value, str):
        if not named:
            headers["Content-Type"] = "text/plain; charset=utf-8"
        return value.encode()
    if not named:
        headers["Content-Type"] = "application/json"
    return orjson.dumps(value)
