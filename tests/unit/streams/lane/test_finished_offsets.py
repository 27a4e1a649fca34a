"""Which offsets are finished, as text that fits beside a committed offset."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.lane.finished import LIMIT_CHARACTERS, read_finished, write_finished


@given(st.integers(0, 2**40), st.integers(0, 3_000), st.sets(st.integers(0, 2_999), max_size=400))
def test_small_note_comes_back_whole(low: int, count: int, open_ones: set[int]) -> None:
    """What was noted as finished is read as finished, and nothing else."""
    unfinished = {low + number for number in open_ones if number < count}

    note = write_finished(low, low + count, unfinished)

    assert len(note) <= LIMIT_CHARACTERS
    assert read_finished(low, note) == frozenset(range(low, low + count)) - unfinished


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**40), st.integers(0, 80_000), st.floats(0, 1), st.integers(0, 2**32))
def test_note_of_any_size_fits_and_never_claims_unfinished_work(
    low: int, count: int, share: float, seed: int
) -> None:
    """However many there are: at most 4,000 characters, and only what is finished."""
    chance = random.Random(seed)
    unfinished = {low + number for number in range(count) if chance.random() < share}

    note = write_finished(low, low + count, unfinished)

    assert len(note) <= LIMIT_CHARACTERS
    claimed = read_finished(low, note)
    assert not claimed & unfinished
    assert all(low <= offset < low + count for offset in claimed)


def test_one_slow_call_before_a_million_fits() -> None:
    """The usual case costs a few hundred characters."""
    note = write_finished(7, 1_000_007, [7])

    assert len(note) < 2_000
    assert len(read_finished(7, note)) == 999_999


@given(st.integers(0, 2**40), st.text(max_size=200))
def test_foreign_note_is_harmless(low: int, note: str) -> None:
    """What another program left beside the offset claims nothing, and breaks nothing."""
    assert all(offset >= low for offset in read_finished(low, note))


@pytest.mark.parametrize(
    "note", ["", ":", "5:", "x:abc", "-3:abc", "٣:abc", "8:!!!!", "99999999999:c$@", "9" * 4_090]
)
def test_broken_note_counts_as_nothing_finished(note: str) -> None:
    """Better done twice than not at all."""
    assert read_finished(0, note) == frozenset()


def test_note_that_claims_more_than_it_holds_counts_as_nothing_finished() -> None:
    """The count must fit the bits behind it."""
    _, _, packed = write_finished(0, 100, [0]).partition(":")

    assert read_finished(0, f"1000:{packed}") == frozenset()
