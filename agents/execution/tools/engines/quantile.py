"""The quantile that SQLite lacks."""

from typing import Any


class Quantile:
    """`quantile(value, share)` with linear interpolation between neighbours (type 7 of Hyndman and Fan, 1996), as
    PostgreSQL's percentile_cont and numpy's default. What is no number is passed over; of nothing it is NULL."""

    def __init__(self) -> None:
        self._values: list[float] = []
        self._share = 0.5

    def step(self, value: Any, share: Any) -> None:
        """Take one row's value."""
        if isinstance(value, int | float):
            self._values.append(value)
        if isinstance(share, int | float):
            self._share = min(max(float(share), 0.0), 1.0)

    def finalize(self) -> float | None:
        """The quantile of the values taken."""
        if not self._values:
            return None
        values = sorted(self._values)
        place = self._share * (len(values) - 1)
        below = int(place)
        above = min(below + 1, len(values) - 1)
        return values[below] + (values[above] - values[below]) * (place - below)
