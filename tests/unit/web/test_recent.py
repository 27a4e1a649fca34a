"""Answers in memory."""

from __future__ import annotations

from types import SimpleNamespace

from web.recent import RecentAnswers


def record(key: str, at: float, size: int = 10) -> SimpleNamespace:
    return SimpleNamespace(key=key.encode(), value=b"x" * size, timestamp=int(at * 1_000))


def test_the_oldest_go_first_and_it_is_known_since_when_all_are_there() -> None:
    """What is younger than `complete_since` and not here does not exist."""
    recent = RecentAnswers(100.0, max_bytes=30)
    for number in range(3):
        recent.take(record(f"t{number}", 101.0 + number))
    assert (len(recent), recent.complete_since) == (3, 100.0)

    recent.take(record("t3", 104.0))

    assert (recent.get("t0"), recent.get("t3")) == (None, b"x" * 10)
    assert recent.complete_since == 101.0


def test_an_answer_is_kept_once_and_one_too_large_is_not_kept() -> None:
    """A record read twice counts once; memory is bounded whatever comes."""
    recent = RecentAnswers(0.0, max_bytes=30)
    recent.take(record("t", 1.0))
    recent.take(record("t", 2.0))
    assert len(recent) == 1
    recent.take(record("large", 3.0, size=31))
    assert len(recent) == 0
    assert recent.complete_since == 3.0
