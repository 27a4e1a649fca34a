"""What a service's reply means: an error by its status, or rows and figures out of its body."""

from collections.abc import Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

import jmespath
import orjson
from jmespath.exceptions import JMESPathError

from agents.execution.declared import UnfitSchema, faults_against
from agents.execution.outbound.client import Reply
from registry.outbound_assets import HttpCall
from schemas.errors import ErrorCode, OpsError, ops_error

_MOST_COLUMNS = 100
_LOOKED_AT = 200
"""Rows whose names make the columns."""
_LONGEST_CELL = 4_000
_LONGEST_TEXT = 20_000
_AGAIN = frozenset({408, 425, 429})
_LONGEST_WAIT_S = 3_600.0


def status_error(reply: Reply, now: float, *, repeatable: bool = True) -> OpsError | None:
    """The error a status stands for, None for one that brings a body to read. `repeatable`: asking twice does no
    harm. 429 and 5xx carry when to come back, in `details`."""
    status = reply.status
    if 200 <= status < 300:
        return None
    detail = f"status {status}: {reply.body[:300].decode('utf-8', 'replace')}"
    if status in _AGAIN or status >= 500:
        wait_s = retry_after_s(reply.headers.get("retry-after"), now)
        message = "The service refuses more calls for now." if status == 429 else "The service is in trouble."
        details: dict[str, Any] = {} if wait_s is None else {"retry_after_s": wait_s}
        error = ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, message, detail=detail, details=details)
        return error if repeatable or status == 429 else replace(error, retryable=False)
    if status in (401, 403, 407):
        message = "The service refused the tool's credentials."
        return ops_error(ErrorCode.AUTH_FAILED, message, detail=detail)
    if status in (404, 410):
        return ops_error(ErrorCode.DATA_NOT_FOUND, "The service knows nothing of this.", detail=detail)
    return ops_error(ErrorCode.TOOL_BAD_REQUEST, "The service refused the request.", detail=detail)


def retry_after_s(text: str | None, now: float) -> float | None:
    """Seconds to wait: a number or a date (RFC 9110, 10.2.3); None for what is neither."""
    if text is None or len(text) > 64:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT_S)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - now), _LONGEST_WAIT_S)
    except (ValueError, TypeError, OverflowError):
        return None


def document_of(reply: Reply, call: HttpCall) -> Any | OpsError:
    """The reply's JSON, of the declared schema; an error for anything else."""
    if reply.status == 204:
        return None
    kind = reply.headers.get("content-type", "").lower()
    if "html" in kind or reply.body[:256].lstrip()[:1] == b"<":
        return malformed("The service answered with a web page instead of figures.", kind)
    try:
        document = orjson.loads(reply.body)
    except orjson.JSONDecodeError as error:
        return malformed("The service's reply is no JSON.", f"{kind}: {error}")
    try:
        faults = faults_against(call.response_schema, document) if call.response_schema else ()
    except UnfitSchema as error:
        return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=str(error))
    if faults:
        return malformed("The service's reply is not of its declared form.", "; ".join(faults))
    return document


def malformed(message: str, detail: str) -> OpsError:
    """A reply that is not what it should be. Asking again would bring the same."""
    return ops_error(ErrorCode.TOOL_BAD_REQUEST, message, detail=detail[:500])


def rows_of(document: Any, rows: str) -> list[Any] | OpsError:
    """The list of rows inside a reply; one object is one row, nothing is none."""
    try:
        found = compiled(rows).search(document) if rows else document
    except JMESPathError as error:
        return malformed("The service's reply is not of its declared form.", f"{rows}: {error}")
    if found is None:
        return []
    if isinstance(found, list):
        return found
    return [found]


def facts_of(document: Any, facts: Mapping[str, str]) -> dict[str, Any]:
    """The declared figures; what is not there or no single value is left out."""
    found: dict[str, Any] = {}
    for name, path in facts.items():
        try:
            value = compiled(path).search(document)
        except JMESPathError:
            continue
        if isinstance(value, str | int | float):  # bool is an int
            found[name] = value
    return found


def table_of(items: list[Any], columns: Mapping[str, str]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of scalars; what is nested is written as JSON."""
    if columns:
        paths = [compiled(path) for path in columns.values()]
        return list(columns), [[_cell(_searched(path, item)) for path in paths] for item in items]
    if all(isinstance(item, dict) for item in items):
        names = list(dict.fromkeys(str(name) for item in items[:_LOOKED_AT] for name in item))[:_MOST_COLUMNS]
        return names, [[_cell(item.get(name)) for name in names] for item in items]
    return ["value"], [[_cell(item)] for item in items]


def text_of(reply: Reply) -> tuple[str, bool]:
    """A text reply and whether it was cut."""
    text = reply.body.decode("utf-8", "replace")
    return text[:_LONGEST_TEXT], len(text) > _LONGEST_TEXT


@lru_cache(maxsize=1_024)
def compiled(path: str) -> Any:
    """A JMESPath expression, ready. Raises JMESPathError for one that cannot be read."""
    return jmespath.compile(path)


def _searched(path: Any, item: Any) -> Any:
    try:
        return path.search(item)
    except JMESPathError:
        return None


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float | bool):
        return (
            value
            if not isinstance(value, str) or len(value) <= _LONGEST_CELL
            else value[:_LONGEST_CELL] + "…"
        )
    return orjson.dumps(value).decode()[:_LONGEST_CELL]
