"""Figures of a series that need more than the series: its usual course, where it changed, another time beside it."""

from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Season = Literal["day", "week"]
SEASON_S: Final[dict[Season, float]] = {"day": 86_400.0, "week": 604_800.0}

UNUSUAL_FROM: Final = 3.5
"""A point is unusual from this modified z-score on (Iglewicz and Hoaglin, "How to detect and handle outliers",
1993)."""
_CONSISTENT: Final = 1.4826
"""Times the median absolute deviation, an estimate of the standard deviation of normal values."""
_LEAST_SPREAD: Final = 0.01
"""What hardly moves is taken to spread by 1 % of its usual value, or one jitter would be unusual."""
_SLOTS: Final = {"day": 48, "week": 336}
"""A season is cut into slots of half an hour; what is usual is usual for a slot."""
_LEAST_IN_SLOT: Final = 3
_NOTHING: Final = 1e-12
_LEAST_SIDE: Final = 5
"""Points that must lie on either side of a change."""
CHANGED_FROM: Final = 1.0
"""A change counts from one standard deviation within the sides on (Cohen's d: from 0.8 on an effect is large)."""

_Numbers = NDArray[np.float64]
Facts = dict[str, float | int | bool | None]


class Series(NamedTuple):
    """Points in time order: Unix seconds and values."""

    at: _Numbers
    values: _Numbers


def seasonal_facts(series: Series, history: Series, season: Season) -> Facts:
    """How the series differs from its usual course at the same time of day or week.

    Usual is the median of the earlier points of the slot, its spread 1.4826 times their median absolute deviation;
    score = (value - usual) / max(spread, 1 % of |usual|). None where no slot has three earlier points.
    """
    usual, spread = _course(history, season)
    slots = _slot_of(series.at, season)
    expected, widths = usual[slots], spread[slots]
    known = ~np.isnan(expected)
    if not known.any():
        return dict.fromkeys(
            ("seasonal_expected", "seasonal_score", "unusual", "unusual_count", "worst_score", "worst_at")
        )
    floor = np.maximum(_LEAST_SPREAD * np.abs(expected[known]), 1e-9)
    scores = (series.values[known] - expected[known]) / np.maximum(widths[known], floor)
    worst = int(np.argmax(np.abs(scores)))
    last_known = bool(known[-1])
    return {
        "seasonal_expected": float(expected[-1]) if last_known else None,
        "seasonal_score": round(float(scores[-1]), 3) if last_known else None,
        "unusual": bool(abs(scores[-1]) >= UNUSUAL_FROM) if last_known else None,
        "unusual_count": int((np.abs(scores) >= UNUSUAL_FROM).sum()),
        "worst_score": round(float(scores[worst]), 3),
        "worst_at": float(series.at[known][worst]),
    }


def change_point_facts(series: Series) -> Facts:
    """Where the series splits best into two levels: the split with the least squared distance from the two means.

    The score is the difference of the means in standard deviations within the sides; `changed` from 1 on. All None
    with fewer than five points on a side.
    """
    values, n = series.values, len(series.values)
    if n < 2 * _LEAST_SIDE:
        return dict.fromkeys(
            ("changed", "change_point_at", "change_point_before", "change_point_after", "change_point_score")
        )
    sums = np.cumsum(values)
    splits = np.arange(_LEAST_SIDE, n - _LEAST_SIDE + 1)
    left, right = sums[splits - 1] / splits, (sums[-1] - sums[splits - 1]) / (n - splits)
    # The between-group sum of squares is largest where the within-group one is smallest.
    best = int(splits[np.argmax(splits * (n - splits) * (left - right) ** 2)])
    before, after = values[:best], values[best:]
    within = float(np.sqrt((before.var() * len(before) + after.var() * len(after)) / n))
    difference = float(after.mean() - before.mean())
    score = difference / max(within, _LEAST_SPREAD * abs(float(before.mean())), 1e-9)
    return {
        "changed": abs(score) >= CHANGED_FROM,
        "change_point_at": float(series.at[best]),
        "change_point_before": float(before.mean()),
        "change_point_after": float(after.mean()),
        "change_point_score": round(score, 3),
    }


def comparison_facts(series: Series, other: Series) -> Facts:
    """The series beside the same stretch of another time: means, medians and their difference (this less other)."""
    if not len(other.values) or not len(series.values):
        return dict.fromkeys(("other_mean", "other_p50", "other_max", "difference", "difference_percent"))
    mean, other_mean = float(series.values.mean()), float(other.values.mean())
    return {
        "other_mean": other_mean,
        "other_p50": float(np.median(other.values)),
        "other_max": float(other.values.max()),
        "difference": mean - other_mean,
        "difference_percent": percent_of(mean - other_mean, other_mean),
    }


def percent_of(difference: float, base: float) -> float | None:
    """The difference in percent of the base; None of a base that is nothing, or so small that it says nothing."""
    return 100 * difference / abs(base) if abs(base) > _NOTHING else None


def _slot_of(at: _Numbers, season: Season) -> NDArray[np.int64]:
    share = (at % SEASON_S[season]) / SEASON_S[season]
    return (share * _SLOTS[season]).astype(np.int64)


def _course(history: Series, season: Season) -> tuple[_Numbers, _Numbers]:
    """Usual value and spread of each slot; NaN where too little is known."""
    usual = np.full(_SLOTS[season], np.nan)
    spread = np.full(_SLOTS[season], np.nan)
    slots = _slot_of(history.at, season)
    for slot in np.unique(slots):
        values = history.values[slots == slot]
        if len(values) >= _LEAST_IN_SLOT:
            middle = np.median(values)
            usual[slot] = middle
            spread[slot] = _CONSISTENT * np.median(np.abs(values - middle))
    return usual, spread
