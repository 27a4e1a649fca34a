"""Stretches of time as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.durations import LONGEST_S, UNITS_S, seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("1h", 3600),
        ("1h30m", 5400),
        (" 2 D ", 172_800),
        ("1w", 604_800),
        ("0.5h", 1800),
    ],
)
def test_stretches_are_understood(text: str, seconds: float) -> None:
    """Numbers with units, added up."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "h", "1", "yesterday", "-1h", "1h-", "1y", "0s", "99999999w", "1h,5m", "1..5h"]
)
def test_anything_else_is_refused(text: str) -> None:
    """Nothing is guessed."""
    assert seconds_of(text) is None


@given(st.lists(st.tuples(st.integers(1, 100), st.sampled_from(sorted(UNITS_S))), min_size=1, max_size=3))
def test_parts_add_up(parts: list[tuple[int, str]]) -> None:
    """However they are combined."""
    total = sum(number * UNITS_S[unit] for number, unit in parts)
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert seconds_of(text) == (total if total <= LONGEST_S else None)


@given(st.text(max_size=12))
def test_no_text_is_too_odd(text: str) -> None:
    """A number of seconds over zero, or none."""
    found = seconds_of(text)
    assert found is None or 0 < found <= LONGEST_S
