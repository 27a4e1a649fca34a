"""Figures of a series: each one against its formula."""

from __future__ import annotations

import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.tools.series_facts import ALL, facts_of, thinned, units_of
from schemas.calls import Unit


def facts(values: list[float], at: list[float] | None = None) -> dict[str, float | int | bool | None]:
    moments = np.array(at or range(len(values)), dtype=np.float64)
    return facts_of(moments, np.array(values, dtype=np.float64), ALL)


def test_plain_figures() -> None:
    found = facts([4, 1, 3, 2])

    assert {name: found[name] for name in ("last", "min", "max", "mean", "p50", "count")} == {
        "last": 2,
        "min": 1,
        "max": 4,
        "mean": 2.5,
        "p50": 2.5,
        "count": 4,
    }


def test_the_baseline_is_the_first_three_quarters_of_the_time() -> None:
    """Nine of 13 points lie in the first 9 of 12 seconds."""
    values = [1.0, 2.0, 3.0] * 3 + [50.0] * 4

    found = facts(values)

    assert found["baseline_mean"] == pytest.approx(2.0)
    assert found["baseline_std"] == pytest.approx(statistics.pstdev(values[:9]))


@pytest.mark.parametrize(("last", "anomalous"), [(12.9, False), (13.0, True), (7.0, True), (7.1, False)])
def test_an_anomaly_lies_three_deviations_off(last: float, anomalous: bool) -> None:
    """Baseline 9, 11, 9, 11, …: mean 10, deviation 1."""
    values = [9.0, 11.0] * 20 + [10.0] * 12 + [last]
    at = [*map(float, range(40)), *(40.0 + n for n in range(12)), 53.4]

    found = facts(values, at)

    assert found["baseline_mean"] == pytest.approx(10.0)
    assert found["anomalous"] is anomalous


def test_a_flat_baseline_makes_no_anomaly_of_a_jitter() -> None:
    """Less than 3 % of the mean is none; half as much again is."""
    assert facts([100.0] * 20 + [102.0])["anomalous"] is False
    assert facts([100.0] * 20 + [150.0])["anomalous"] is True


def test_change_compares_the_halves() -> None:
    found = facts([1.0, 1.0, 2.0, 2.0, 3.0])

    assert found["change"] == pytest.approx(7 / 3 - 1)
    assert found["change_percent"] == pytest.approx(100 * (7 / 3 - 1))


def test_what_too_few_points_cannot_say_is_none() -> None:
    found = facts([5.0])

    assert found["last"] == 5.0
    assert [found[name] for name in ("baseline_mean", "anomaly_score", "change")] == [None, None, None]


def test_every_figure_has_a_unit() -> None:
    units = units_of(facts([1.0, 2.0]), Unit.BYTES)

    assert units["p95"] is Unit.BYTES
    assert (units["count"], units["change_percent"]) == (Unit.NUMBER, Unit.PERCENT)


@given(st.integers(1, 5_000), st.integers(1, 1_000))
def test_thinning_keeps_the_order_and_the_last_point(points: int, most: int) -> None:
    """At most so many, evenly spread."""
    kept = list(thinned(points, most))

    assert len(kept) <= max(most, 1)
    assert kept == sorted(set(kept))
    if most > 1:
        assert (kept[0], kept[-1]) == (0, points - 1)
