"""Where and in which language a question was asked."""

import re
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.questions import QuestionAsked

_HANGUL = re.compile(r"[가-힣ㄱ-ㆎ]")


def language_of(question: QuestionAsked) -> str:
    """`en` or `ko`: what the question's context says, else what it is written in."""
    text = question.question
    if question.context:
        said = question.context.get("language")
        if isinstance(said, str) and said[:2].lower() in ("en", "ko"):
            return said[:2].lower()
    return "ko" if not text.isascii() and _HANGUL.search(text) else "en"


def time_zone_of(question: QuestionAsked) -> str:
    """The asker's time zone by its IANA name; UTC where the context names none that exists."""
    if not question.context:
        return "UTC"
    said = question.context.get("time_zone")
    return said if isinstance(said, str) and _exists(said) else "UTC"


@lru_cache(maxsize=256)
def _exists(name: str) -> bool:
    if len(name) > 64:
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a zone that is not found is a KeyError
        return False
    return True
