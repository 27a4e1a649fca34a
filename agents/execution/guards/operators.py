"""The operator guard: one structured filter, `{field, op, value}`. Thirteen operators, no others; the value must be of
the shape its operator takes. Values are always bound, so what a value says does not matter, only what it is.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from agents.execution.guards.verdict import Allow, Refuse, Verdict
from schemas.errors import ErrorCode

OPERATORS: Mapping[str, str] = {
    "eq": "=",
    "ne": "!=",
    "lt": "<",
    "gt": ">",
    "lte": "<=",
    "gte": ">=",
    "like": "LIKE",
    "ilike": "ILIKE",
    "in": "IN",
    "not_in": "NOT IN",
    "between": "BETWEEN",
    "is_null": "IS NULL",
    "not_null": "IS NOT NULL",
}
"""Name → operator of SQL (REFERENCE: operators of the dynamic tool)."""

_SPELLINGS = {
    **{name: name for name in OPERATORS},
    **{sign.lower(): name for name, sign in OPERATORS.items()},
    "is_not_null": "not_null",
}

FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}(?:\.[A-Za-z_][A-Za-z0-9_]{0,63})?")
MAX_LISTED = 500
MAX_TEXT = 2_000
_MAX_WHOLE = 2**63 - 1


def operator_named(op: object) -> str | None:
    """The operator's name for a spelling of it ("=", "LIKE", "not in", "eq"), None if there is no such one."""
    return _SPELLINGS.get(" ".join(op.split()).lower()) if isinstance(op, str) and len(op) <= 16 else None


def operator_guard(filter_: object) -> Verdict:
    """Allow one filter, or refuse it: unknown operator `SQL_BLOCKED`, anything else wrong `INVALID_PARAMS`."""
    if not isinstance(filter_, Mapping) or filter_.keys() - {"field", "op", "value"}:
        return _misfit("A filter is a field, an operator and a value.")
    field, value = filter_.get("field"), filter_.get("value")
    if not isinstance(field, str) or not FIELD.fullmatch(field):
        return _misfit("A filter's field is a plain name.")
    op = operator_named(filter_.get("op"))
    if op is None:
        return Refuse(
            ErrorCode.SQL_BLOCKED,
            "The operator is not allowed.",
            f"Use one of {', '.join(OPERATORS)}.",
            (f"the operator {str(filter_.get('op'))[:60]!r}",),
        )
    fault = _value_fault(op, value)
    return _misfit(f"The value for {op} {fault}.") if fault else Allow()


def _value_fault(op: str, value: Any) -> str:
    """What is wrong with a value; empty when it fits its operator."""
    if op in ("is_null", "not_null"):
        return "" if value is None or value is True else "must be left out"
    if op in ("in", "not_in", "between"):
        if not isinstance(value, list | tuple) or not value or len(value) > MAX_LISTED:
            return f"must be a list of 1 to {MAX_LISTED}"
        if op == "between" and len(value) != 2:
            return "must be a list of two"
        faults = (_scalar_fault(each) for each in value)
        return next((fault for fault in faults if fault), "")
    if op in ("like", "ilike") and not isinstance(value, str):
        return "must be a text"
    return _scalar_fault(value)


def _scalar_fault(value: Any) -> str:
    if isinstance(value, str):
        return "is too long or holds a null character" if len(value) > MAX_TEXT or "\x00" in value else ""
    if isinstance(value, bool):
        return ""
    if isinstance(value, int):
        return "is too large" if abs(value) > _MAX_WHOLE else ""
    if isinstance(value, float):
        return "" if math.isfinite(value) else "must be finite"
    return "must be a text, a number or a truth value"


def _misfit(reason: str) -> Refuse:
    return Refuse(ErrorCode.INVALID_PARAMS, f"The parameters do not fit. {reason}")
