"""Time ranges in words, English and Korean, relative to a fixed moment."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planning.calendars import zone_named
from agents.planning.sentence import Sentence
from agents.planning.timeranges import find_time_range, find_time_ranges

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
        ("last week", MIDNIGHT - 9 * DAY, MIDNIGHT - 2 * DAY),
        ("past week", NOW - 7 * DAY, NOW),
        ("last 7 days", NOW - 7 * DAY, NOW),
        ("지난주 장애", MIDNIGHT - 9 * DAY, MIDNIGHT - 2 * DAY),
        ("on tuesday", MIDNIGHT - DAY, MIDNIGHT),
        ("since Monday", MIDNIGHT - 2 * DAY, NOW),
        ("in October", NOVEMBER - 31 * DAY, NOVEMBER),
        ("last month", NOVEMBER - 31 * DAY, NOVEMBER),
        ("10월 장애", NOVEMBER - 31 * DAY, NOVEMBER),
        ("11월 3일 배포", NOVEMBER + 2 * DAY, NOVEMBER + 3 * DAY),
        ("Q4 so far", NOVEMBER - 31 * DAY, NOW),
        ("between 3 and 5 am", MIDNIGHT + 3 * 3_600, MIDNIGHT + 5 * 3_600),
        ("from 9am to 11am yesterday", MIDNIGHT - 15 * 3_600, MIDNIGHT - 13 * 3_600),
        ("어제 오후 3시부터 5시까지", MIDNIGHT - 9 * 3_600, MIDNIGHT - 7 * 3_600),
        ("2026년 10월", NOVEMBER - 31 * DAY, NOVEMBER),
        ("past half hour", NOW - 1_800, NOW),
        ("today", MIDNIGHT, NOW),
        ("yesterday", MIDNIGHT - DAY, MIDNIGHT),
        ("since yesterday", MIDNIGHT - DAY, NOW),
        ("this week", MIDNIGHT - 2 * DAY, NOW),
        ("this month", NOVEMBER, NOW),
        ("3 days ago", MIDNIGHT - 3 * DAY, MIDNIGHT - 2 * DAY),
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
        "may I see the tickets",
        "ticket 2024",
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


def test_days_begin_at_midnight_of_the_asker() -> None:
    """In Seoul it is the evening of the same day, and yesterday began nine hours earlier than in UTC."""
    found = find_time_range(Sentence.read("yesterday"), NOW, zone=zone_named("Asia/Seoul"))

    assert found is not None
    assert (found.since, found.until) == (MIDNIGHT - DAY - 9 * 3_600, MIDNIGHT - 9 * 3_600)


def test_both_periods_of_a_comparison_are_found() -> None:
    """In the order in which they are said."""
    found = find_time_ranges(Sentence.read("compare this week with last week"), NOW)

    assert [each.words for each in found] == ["this week", "last week"]
