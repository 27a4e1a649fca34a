"""Figures of a time series. Each is a plain formula over the points; none looks at a clock. Those that need other
points too (`seasonal`, `compare`) are in series_baselines.py."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from agents.execution.tools.series_baselines import Series, change_point_facts, percent_of
from schemas.calls import Unit

Function = Literal[
    "last", "min", "max", "mean", "p50", "p95", "p99", "count", "baseline", "anomaly", "change",
    "change_point", "seasonal", "compare",
]  # fmt: skip
OF_OTHER_POINTS: frozenset[Function] = frozenset({"seasonal", "compare"})
"""These read more of the store; they are computed only when they are asked for."""
ALL: tuple[Function, ...] = (
    "last", "min", "max", "mean", "p50", "p95", "p99", "count", "baseline", "anomaly", "change",
    "change_point",
)  # fmt: skip

BASELINE_SHARE = 0.75
"""The baseline is the first three quarters of the time the points span."""
ANOMALY_FROM = 3.0
"""The last value is an anomaly if it lies at least so many standard deviations off the baseline's mean."""
_LEAST_BASELINE = 5
_LEAST_SPREAD = 0.01
"""A baseline that hardly moves is taken to spread by 1 % of its mean, or one jitter would be an anomaly."""

_Numbers = NDArray[np.float64]
Facts = dict[str, float | int | bool | None]


def facts_of(at: _Numbers, values: _Numbers, functions: tuple[Function, ...]) -> Facts:
    """The asked figures of points in time order; at least one point. What has too few points is None."""
    facts: Facts = {}
    for function in functions:
        if function == "last":
            facts["last"] = float(values[-1])
        elif function == "count":
            facts["count"] = len(values)
        elif function == "min":
            facts["min"], facts["min_at"] = float(values.min()), float(at[values.argmin()])
        elif function == "max":
            facts["max"], facts["max_at"] = float(values.max()), float(at[values.argmax()])
        elif function == "mean":
            facts["mean"] = float(values.mean())
        elif function in ("p50", "p95", "p99"):
            # Linear between the two nearest points, as numpy and spreadsheets do it.
            facts[function] = float(np.percentile(values, int(function[1:])))
        elif function == "baseline":
            facts["baseline_mean"], facts["baseline_std"] = _baseline(at, values)
        elif function == "anomaly":
            facts |= _anomaly(at, values)
        elif function == "change":
            facts |= _change(at, values)
        elif function == "change_point":
            facts |= change_point_facts(Series(at, values))
    return facts


def units_of(facts: Facts, unit: Unit) -> dict[str, Unit]:
    """What each figure is counted in, given the unit of the values."""
    own = {
        "count": Unit.NUMBER,
        "anomaly_score": Unit.NUMBER,
        "anomalous": Unit.TEXT,
        "change_percent": Unit.PERCENT,
        "difference_percent": Unit.PERCENT,
        "changed": Unit.TEXT,
        "unusual": Unit.TEXT,
        "unusual_count": Unit.NUMBER,
        "other_count": Unit.NUMBER,
        "seasonal_score": Unit.NUMBER,
        "worst_score": Unit.NUMBER,
        "change_point_score": Unit.NUMBER,
    } | dict.fromkeys(("max_at", "min_at", "worst_at", "change_point_at"), Unit.TIMESTAMP)
    return {name: own.get(name, unit) for name in facts}


def thinned(points: int, most: int) -> NDArray[np.int64]:
    """Positions of at most `most` points, evenly spread, the first and the last among them."""
    if points <= most:
        return np.arange(points)
    return np.unique(np.linspace(0, points - 1, most).round().astype(np.int64))


def _baseline(at: _Numbers, values: _Numbers) -> tuple[float | None, float | None]:
    """Mean and standard deviation of the earlier part."""
    early = values[at < at[0] + BASELINE_SHARE * (at[-1] - at[0])]
    if len(early) < _LEAST_BASELINE:
        return None, None
    return float(early.mean()), float(early.std())


def _anomaly(at: _Numbers, values: _Numbers) -> Facts:
    """z = (last - mean) / max(std, 1 % of |mean|) of the baseline."""
    mean, std = _baseline(at, values)
    if mean is None or std is None:
        return {"anomaly_score": None, "anomalous": None}
    score = (float(values[-1]) - mean) / max(std, _LEAST_SPREAD * abs(mean), 1e-9)
    return {"anomaly_score": round(score, 3), "anomalous": abs(score) >= ANOMALY_FROM}


def _change(at: _Numbers, values: _Numbers) -> Facts:
    """The second half's mean less the first half's; halves of the time the points span."""
    middle = at[0] + (at[-1] - at[0]) / 2
    first, second = values[at < middle], values[at >= middle]
    if not len(first) or not len(second):
        return {"change": None, "change_percent": None}
    before, after = float(first.mean()), float(second.mean())
    return {"change": after - before, "change_percent": percent_of(after - before, before)}
