"""Texts are held to the figures of the results: by value, with units and rounding."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.figure_check import KnownFigures, check_figures

RESULTS = [
    {
        "rows": [
            {"service": "checkout", "p95_ms": 4213.4, "bytes": 25125558681, "share": 0.031, "at": 1795000000},
            {"service": "db-7", "p95_ms": 120},
        ],
        "text": "Version 1.4.2 went out on 2026-11-17 at 09:15 and took 90 seconds; see INC-1041.",
    }
]
KNOWN = KnownFigures(RESULTS, names=["why was host-3 slow for 77 minutes?"])


@pytest.mark.parametrize(
    "sentence",
    [
        "The p95 is 4,213 ms [1].",
        "The p95 is 4.2 s.",
        "Over 4k requests.",
        "It holds 23.4 GiB, about 25.1 GB.",
        "3.1% of calls fail.",
        "It took 1.5 min.",
        "It took 1 min 30 s.",
        "host-3 and db-7 stand out in INC-1041.",
        "It began on Nov 18, 2026 at 11:06.",
        "It began on 2026-11-18.",
        "11월 18일에 시작했습니다.",
        "There are two services.",
        "Version 1.4.2 is out.",
        "Nothing with a figure at all.",
    ],
)
def test_figure_that_occurs_may_be_said(sentence: str) -> None:
    """In another unit, rounded, with separators, in words, in Korean."""
    assert check_figures(sentence, KNOWN).text == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "The p95 is 4,214 ms.",
        "The p99 is high.",
        "It holds 23.5 GiB.",
        "3.2% of calls fail.",
        "It took 77 minutes.",
        "INC-9999 is open.",
        "It began on 2026-11-19.",
        "It began at 11:07.",
        "11월 19일에 시작했습니다.",
        "There were nine hundred errors.",
        "Version 1.4.3 is out.",
        "The address is 10.0.0.1.",
        "12만 건입니다.",
    ],
)
def test_figure_that_occurs_nowhere_takes_its_sentence_along(sentence: str) -> None:
    """A number of the question is no result either."""
    checked = check_figures(f"All is well. {sentence} The p95 is 120 ms.", KNOWN)

    assert checked.text == "All is well. The p95 is 120 ms."
    assert checked.dropped == (sentence,)


def test_lines_and_lists_keep_their_shape() -> None:
    """The number of an item is no figure; an item without anything left goes."""
    checked = check_figures(
        "Found:\n\n1. p95 is 4.2 s. It was 9,999.\n2. 8 of 9 failed.\n3. db-7 is fine.", KNOWN
    )

    assert checked.text == "Found:\n\n1. p95 is 4.2 s.\n3. db-7 is fine."
    assert checked.dropped == ("It was 9,999.", "8 of 9 failed.")


@given(st.floats(min_value=0.01, max_value=1e12), st.integers(0, 3))
def test_any_value_may_be_rounded_to_any_place(value: float, places: int) -> None:
    """What Python writes of a value, with or without separators, is held to be that value."""
    known = KnownFigures([{"v": value}])

    assert check_figures(f"It is {value:,.{places}f} now.", known).dropped == ()


@given(st.integers(1_000, 10**12), st.integers(1, 1_000))
def test_another_whole_number_is_another_figure(value: int, off_by: int) -> None:
    """Whole numbers are not rounded."""
    known = KnownFigures([{"v": value}])

    assert check_figures(f"It is {value + off_by}.", known).text == ""


@given(st.text(max_size=300))
def test_no_text_breaks_the_check(text: str) -> None:
    """Whatever a model writes, what is left is made of what it wrote."""
    checked = check_figures(text, KNOWN)

    assert len(checked.text) <= len(text)
