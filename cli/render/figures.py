"""Figures in cells and lines of the terminal."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from agents.aggregation.clean import line
from agents.aggregation.figures import written
from schemas.calls import Unit

NONE: Final = "–"
_LEVELS: Final = "▁▂▃▄▅▆▇█"


def cell_text(value: Any, unit: Unit, limit: int = 240) -> str:
    """A table's cell: the value in its unit; a dash for nothing."""
    return NONE if value is None else line(written(value, unit), limit)


def ms_text(milliseconds: float | None) -> str:
    """A duration given in milliseconds: "12 ms", "3.4 s"; a dash for none."""
    return NONE if milliseconds is None else written(milliseconds / 1000, Unit.SECONDS)


def rate_text(rate: float | None) -> str:
    """A share between 0 and 1 as a percentage; a dash for none."""
    return NONE if rate is None else written(rate * 100, Unit.PERCENT)


def clock_text(at: datetime) -> str:
    """The time of day in UTC: "12:03:04Z"."""
    return at.astimezone(UTC).strftime("%H:%M:%SZ")


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def numbers_of(values: Sequence[Any]) -> list[float]:
    """Those of the values that are finite numbers."""
    return [
        float(value)
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    ]


def sparkline(values: Sequence[float], width: int = 48) -> str:
    """The values as a line of bars at most `width` wide; where there are more values, each bar is the mean of
    its share. The lowest bar is the smallest value, the highest the largest; equal values give a middle line."""
    if not values:
        return ""
    bars = min(width, len(values))
    edges = [round(index * len(values) / bars) for index in range(bars + 1)]
    means = [sum(values[start:end]) / (end - start) for start, end in pairwise(edges)]
    low, high = min(means), max(means)
    if high == low:
        return _LEVELS[3] * bars
    top = len(_LEVELS) - 1
    return "".join([_LEVELS[round((mean - low) / (high - low) * top)] for mean in means])
