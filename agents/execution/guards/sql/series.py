"""Series made out of nothing (`generate_series`, `range`): allowed where their length is written out and small."""

import re
from datetime import UTC, datetime

from sqlglot import exp

LONGEST_SERIES = 10_000
_NUMBER = re.compile(r"-?\d{1,15}")
_ANY_NOW = (1.6e9, 4.1e9)
"""The years 2020 and 2100: a series that ends now has to be short whenever that is."""
_WRAPPINGS = (
    exp.Paren, exp.Cast, exp.TsOrDsToDate, exp.Date, exp.Timestamp, exp.DateTrunc, exp.TimestampTrunc,
)  # fmt: skip
_UNIT_S = {
    "SECOND": 1.0,
    "MINUTE": 60.0,
    "HOUR": 3_600.0,
    "DAY": 86_400.0,
    "WEEK": 604_800.0,
    "MONTH": 2_419_200.0,
    "QUARTER": 7_776_000.0,
    "YEAR": 31_536_000.0,
}


def refused_series(series: exp.Expr) -> str | None:
    """Why a series may not be made: it is too long, or how long it is can't be told."""
    start, end, step = (series.args.get(name) for name in ("start", "end", "step"))
    if end is None:
        start, end = exp.Literal.number(0), start
    stride = 1.0 if step is None else _stride(step)
    if not stride:
        return "a series whose length cannot be told"
    for now in _ANY_NOW:
        low, high = _point(start, now), _point(end, now)
        if low is None or high is None:
            return "a series whose length cannot be told"
        if abs(high - low) / abs(stride) > LONGEST_SERIES:
            return "a series longer than its bound"
    return None


def _point(node: object, now: float) -> float | None:
    """A whole number, or a date as seconds."""
    while isinstance(node, _WRAPPINGS):
        node = node.this
    if isinstance(node, exp.Neg) and (inside := _point(node.this, now)) is not None:
        return -inside
    if isinstance(node, exp.CurrentDate | exp.CurrentTimestamp | exp.CurrentDatetime | exp.Localtimestamp):
        return now
    if isinstance(node, exp.Add | exp.Sub):
        left = _point(node.this, now)
        by = _stride(node.expression) if isinstance(node.expression, exp.Interval) else None
        return None if left is None or by is None else left + by if isinstance(node, exp.Add) else left - by
    if not isinstance(node, exp.Literal):
        return None
    if not node.is_string:
        return float(node.this) if _NUMBER.fullmatch(node.this) else None
    try:
        return datetime.fromisoformat(node.this).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        return None


def _stride(node: object) -> float | None:
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Interval) and node.this is not None:
        unit = node.args.get("unit")
        if unit is None:
            return _in_words(node.this.name)
        many = _NUMBER.fullmatch(node.this.name)
        size = _UNIT_S.get(unit.name.upper().removesuffix("S"))
        return float(node.this.name) * size if many and size else None
    if isinstance(node, exp.Literal) and node.is_string:
        return _in_words(node.this)
    return _point(node, 0.0)


def _in_words(text: str) -> float | None:
    many, _, unit = text.strip().partition(" ")
    size = _UNIT_S.get(unit.strip().upper().removesuffix("S"))
    return float(many) * size if _NUMBER.fullmatch(many) and size else None
