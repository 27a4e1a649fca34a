"""Seasonal baseline, change point and comparison: each against its formula."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.tools.series_baselines import (
    Series,
    change_point_facts,
    comparison_facts,
    seasonal_facts,
)

DAY_S = 86_400.0


def series(values: list[float], *, start: float = 0.0, step_s: float = 60.0) -> Series:
    return Series(start + step_s * np.arange(len(values)), np.array(values, dtype=np.float64))


def days(count: int, *, noise: float = 1.0) -> Series:
    """Half-hourly points: by day 100, by night 10, with a small wave over the days."""
    at = 1_800.0 * np.arange(48 * count)
    hour = (at % DAY_S) / 3_600
    level = np.where((hour >= 8) & (hour < 20), 100.0, 10.0)
    return Series(at, level + noise * ((at // DAY_S) % 3 - 1))


def test_what_is_usual_by_day_is_unusual_at_night() -> None:
    """100 at noon is the usual course, 100 at three in the night is not, though a plain mean would hide it."""
    history = days(7)
    noon, night = 7 * DAY_S + 12 * 3_600, 7 * DAY_S + 3 * 3_600

    usual = seasonal_facts(Series(np.array([noon]), np.array([100.0])), history, "day")
    unusual = seasonal_facts(Series(np.array([night]), np.array([100.0])), history, "day")

    assert (usual["seasonal_expected"], usual["unusual"], usual["unusual_count"]) == (100.0, False, 0)
    assert (unusual["seasonal_expected"], unusual["unusual"], unusual["worst_at"]) == (10.0, True, night)
    # Values of the slot: 9, 10, 11, 9, 10, 11, 9; median 10, median distance 1.
    assert unusual["seasonal_score"] == pytest.approx((100 - 10) / 1.4826, abs=0.001)


def test_without_three_earlier_points_of_the_time_nothing_is_claimed() -> None:
    found = seasonal_facts(series([5.0], start=2 * DAY_S), days(2), "day")

    assert set(found.values()) == {None}


def test_the_split_of_two_levels_is_found_where_it_is() -> None:
    """30 points around 10, then 20 around 25."""
    values = [10.0 + n % 2 for n in range(30)] + [25.0 + n % 2 for n in range(20)]

    found = change_point_facts(series(values))

    assert found["changed"] is True
    assert found["change_point_at"] == 30 * 60.0
    assert (found["change_point_before"], found["change_point_after"]) == (10.5, 25.5)


def test_an_even_series_has_no_change() -> None:
    assert change_point_facts(series([10.0 + n % 3 for n in range(60)]))["changed"] is False
    assert change_point_facts(series([1.0] * 9))["changed"] is None


def test_another_time_is_put_beside_it() -> None:
    found = comparison_facts(series([20.0, 40.0]), series([10.0, 20.0, 30.0]))

    assert (found["other_mean"], found["other_p50"], found["other_max"]) == (20.0, 20.0, 30.0)
    assert (found["difference"], found["difference_percent"]) == (10.0, 50.0)
    assert comparison_facts(series([1.0]), series([]))["difference"] is None


@given(
    st.lists(st.floats(-1e9, 1e9, allow_nan=False), min_size=1, max_size=80),
    st.lists(st.floats(-1e9, 1e9, allow_nan=False), max_size=80),
)
def test_no_series_breaks_the_figures(values: list[float], earlier: list[float]) -> None:
    """Whatever the values, figures are finite or None."""
    now, before = series(values, start=DAY_S * 3), series(earlier)

    found = seasonal_facts(now, before, "week") | change_point_facts(now) | comparison_facts(now, before)

    assert all(value is None or np.isfinite(value) for value in found.values())
