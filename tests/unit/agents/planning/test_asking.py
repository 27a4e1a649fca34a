"""Language and time zone of a question: what it says, if that exists, else what it looks like."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from agents.planning.asking import language_of, time_zone_of
from schemas.questions import QuestionAsked

Ask = Callable[..., QuestionAsked]


@pytest.mark.parametrize(
    ("said", "zone"),
    [
        ("Asia/Seoul", "Asia/Seoul"),
        ("Mars/Phobos", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("", "UTC"),
        ("A" * 500, "UTC"),
        (7, "UTC"),
        (None, "UTC"),
    ],
)
def test_time_zone_is_one_that_exists(ask: Ask, said: object, zone: str) -> None:
    """Anything else is UTC, and no error."""
    assert time_zone_of(ask("when?", context={"time_zone": said})) == zone


@pytest.mark.parametrize(
    ("text", "context", "language"),
    [
        ("why is it slow?", {}, "en"),
        ("왜 느려?", {}, "ko"),
        ("checkout은 왜 느려?", {}, "ko"),
        ("¿por qué?", {}, "en"),
        ("why?", {"language": "ko-KR"}, "ko"),
        ("왜?", {"language": "fr"}, "ko"),
    ],
)
def test_language_is_said_or_seen(ask: Ask, text: str, context: dict[str, str], language: str) -> None:
    """Korean letters make a question Korean, unless it says otherwise."""
    assert language_of(ask(text, context=context)) == language
