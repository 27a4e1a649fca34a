"""Figures in cells and lines of the terminal."""

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Final

from agents.aggregation.clean import line
from agents.aggregation.figures import written
from agents.aggregation.voice import PLAIN, Voice, in_zone
from schemas.calls import Unit

NONE: Final = "–"
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?")
_LEVELS: Final = "▁▂▃▄▅▆▇█"


def cell_text(value: Any, unit: Unit, limit: int = 240, voice: Voice = PLAIN) -> str:
    """A table's cell: the value in its unit, on the clocks of the voice's zone; a dash for nothing."""
    return NONE if value is None else line(written(value, unit, voice), limit)


def is_moment(value: Any, unit: Unit) -> bool:
    """Whether a cell holds a moment: Unix seconds, or text as stores write moments."""
    if isinstance(value, str):
        return _MOMENT.fullmatch(value) is not None
    return unit is Unit.TIMESTAMP and value is not None


def moment_text(value: Any, voice: Voice) -> str:
    """A moment on the clocks of the voice's zone, without its name: that stands at the head of the column."""
    text = cell_text(value, Unit.TIMESTAMP, voice=voice)
    return text.removesuffix(f" {voice.zone}")


def span_text(first: Any, last: Any, voice: Voice = PLAIN) -> str:
    """From the first to the last moment; the day and the zone are named once where they are the same."""
    start, end = (cell_text(at, Unit.TIMESTAMP, voice=voice) for at in (first, last))
    day, zone = start[:11], f" {voice.zone}"
    if end.startswith(day) and start.endswith(zone):
        return f"{start.removesuffix(zone)} – {end[len(day) :]}"
    return f"{start.removesuffix(zone)} – {end}"


def ms_text(milliseconds: float | None) -> str:
    """A duration given in milliseconds: "12 ms", "3.4 s"; a dash for none."""
    return NONE if milliseconds is None else written(milliseconds / 1000, Unit.SECONDS)


def rate_text(rate: float | None) -> str:
    """A share between 0 and 1 as a percentage; a dash for none."""
    return NONE if rate is None else written(rate * 100, Unit.PERCENT)


def clock_text(at: datetime, voice: Voice = PLAIN) -> str:
    """The time of day on the clocks of the voice's zone: "12:03:04 UTC"."""
    return f"{in_zone(at.astimezone(UTC), voice.zone):%H:%M:%S} {voice.zone}"


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
