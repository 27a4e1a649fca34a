"""Aggregates that SQLite lacks: percentiles, median, standard deviation. Registered with each connection."""

import math
import sqlite3
from collections.abc import Callable

_MOST_VALUES = 2_000_000
"""Values one aggregate holds; beyond that its statement fails."""


class _Values:
    """Collects the numbers among the values; what is NULL or no number does not count."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._share: float | None = None

    def step(self, value: object, share: object = None) -> None:
        if isinstance(share, int | float):
            self._share = float(share)
        if isinstance(value, int | float) and math.isfinite(value):
            if len(self._values) >= _MOST_VALUES:
                raise ValueError("too many values for one aggregate")
            self._values.append(value)


def _between(values: list[float], share: float) -> float | None:
    """Linear interpolation between the closest ranks, as PERCENTILE_CONT of SQL:2003 says."""
    if not values or not 0 <= share <= 1:
        return None
    values = sorted(values)
    place = share * (len(values) - 1)
    low = math.floor(place)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (place - low)


class Percentile(_Values):
    """percentile(x, 95): the share in hundredths."""

    def finalize(self) -> float | None:
        return None if self._share is None else _between(self._values, self._share / 100)


class PercentileCont(_Values):
    """percentile_cont(x, 0.95): the share from 0 to 1."""

    def finalize(self) -> float | None:
        return None if self._share is None else _between(self._values, self._share)


class PercentileDisc(_Values):
    """percentile_disc(x, 0.95): the first value whose share of the rows is at least the one asked for."""

    def finalize(self) -> float | None:
        if self._share is None or not self._values or not 0 <= self._share <= 1:
            return None
        return sorted(self._values)[max(0, math.ceil(self._share * len(self._values)) - 1)]


class Median(_Values):
    """median(x)."""

    def finalize(self) -> float | None:
        return _between(self._values, 0.5)


class _Spread(_Values):
    _sample = True
    _root = True

    def finalize(self) -> float | None:
        count = len(self._values)
        if count < (2 if self._sample else 1):
            return None
        mean = math.fsum(self._values) / count
        variance = math.fsum((each - mean) ** 2 for each in self._values) / (count - self._sample)
        return math.sqrt(variance) if self._root else variance


class StddevPop(_Spread):
    """stddev_pop(x)."""

    _sample = False


class Variance(_Spread):
    """variance(x), var_samp(x)."""

    _root = False


class VarPop(_Spread):
    """var_pop(x)."""

    _sample, _root = False, False


_AGGREGATES: tuple[tuple[str, int, Callable[[], _Values]], ...] = (
    ("percentile", 2, Percentile),
    ("percentile_cont", 2, PercentileCont),
    ("percentile_disc", 2, PercentileDisc),
    ("median", 1, Median),
    ("stddev", 1, _Spread),
    ("stddev_samp", 1, _Spread),
    ("stddev_pop", 1, StddevPop),
    ("variance", 1, Variance),
    ("var_samp", 1, Variance),
    ("var_pop", 1, VarPop),
)


def register_aggregates(connection: sqlite3.Connection) -> None:
    """Make them known to a connection."""
    for name, arguments, made in _AGGREGATES:
        connection.create_aggregate(name, arguments, made)  # type: ignore[arg-type]
