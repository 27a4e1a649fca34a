"""Time ranges in words, English and Korean, relative to a fixed moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planning.sentence import Sentence
from agents.planning.timeranges import find_time_range

NOW = 1_795_000_000.0
DAY = 86_400.0
MIDNIGHT = NOW - NOW % DAY
NOVEMBER = 1_793_491_200.0
"""2026-11-01, 00:00 UTC."""


@pytest.mark.parametrize(
    ("words", "since", "until"),
    [
        ("load in the last 15 minutes", NOW - 900, NOW),
        ("over the past hour", NOW - 3_600, NOW),
        ("last 24h", NOW - DAY, NOW),
        ("in the last two days", NOW - 2 * DAY, NOW),
        ("last week", NOW - 7 * DAY, NOW),
        ("past half hour", NOW - 1_800, NOW),
        ("today", MIDNIGHT, NOW),
        ("yesterday", MIDNIGHT - DAY, MIDNIGHT),
        ("since yesterday", MIDNIGHT - DAY, NOW),
        ("this week", MIDNIGHT - 2 * DAY, NOW),
        ("this month", NOVEMBER, NOW),
        ("3 days ago", NOW - 3 * DAY, NOW - 2 * DAY),
        ("since 3 days ago", NOW - 3 * DAY, NOW),
        ("since 2026-11-01", NOVEMBER, NOW),
        ("on 2026-11-01", NOVEMBER, NOVEMBER + DAY),
        ("after 2026-11-01", NOVEMBER + DAY, NOW),
        ("before 2026-11-01", 0.0, NOVEMBER),
        ("between 2026-11-01 and 2026-11-03", NOVEMBER, NOVEMBER + 3 * DAY),
        ("지난 10분 동안 부하", NOW - 600, NOW),
        ("지난 한 시간 부하", NOW - 3_600, NOW),
        ("최근 3일간 설치", NOW - 3 * DAY, NOW),
        ("어제 설치된 것", MIDNIGHT - DAY, MIDNIGHT),
        ("오늘 고장은?", MIDNIGHT, NOW),
        ("2026-11-01 이후 변경", NOVEMBER, NOW),
    ],
)
def test_words_become_a_half_open_range(words: str, since: float, until: float) -> None:
    """From ≤ t < to, in Unix seconds, days in UTC."""
    found = find_time_range(Sentence.read(words), NOW)

    assert found is not None
    assert (found.since, found.until) == pytest.approx((since, until))


@pytest.mark.parametrize(
    "words",
    [
        "the last 5 changes",
        "top 10",
        "2026-13-45",
        "last",
        "a minute",
        "the last straw",
        "지난",
        "since 2030-01-01",
    ],
)
def test_what_is_no_time_range_is_not_read_as_one(words: str) -> None:
    """A count, a broken date, a lone word, or a range that has not begun."""
    assert find_time_range(Sentence.read(words), NOW) is None


@given(
    count=st.integers(1, 999_999), unit=st.sampled_from(["second", "minute", "hour", "day", "week", "month"])
)
def test_a_range_always_ends_after_it_began(count: int, unit: str) -> None:
    """Whatever the count, from lies before to."""
    found = find_time_range(Sentence.read(f"in the last {count} {unit}s"), NOW)

    assert found is not None
    assert found.since < found.until == NOW
