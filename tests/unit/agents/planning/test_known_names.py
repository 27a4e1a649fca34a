"""Names: found exactly, in other spellings, by a part, or mistyped; else not at all."""

import pytest

from agents.planning.names import Names
from agents.planning.sentence import Sentence

NAMES = Names(
    (
        "typing_extensions",
        "aiohttp",
        "google-chrome",
        "/",
        "/var/log",
        "Web Content",
        "python3.11",
        "서울 공장",
        "free",
    ),
    aliases={"root": "/"},
)


def find(text: str, strange: set[int] | None = None) -> str | None:
    sentence = Sentence.read(text)
    guessed = (
        {at for at, token in enumerate(sentence.tokens) if not token.stop} if strange is None else strange
    )
    meant = NAMES.find(sentence, (), guessed)
    return meant.name if meant else None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("what depends on typing-extensions?", "typing_extensions"),
        ("what depends on Typing Extensions?", "typing_extensions"),
        ("how full is /var/log?", "/var/log"),
        ("how full is / now", "/"),
        ("how full is root", "/"),
        ("memory of web content", "Web Content"),
        ("aiohttp의 의존성", "aiohttp"),
        ("서울 공장 상태", "서울 공장"),
        ("who uses aiohtp", "aiohttp"),
        ("is chrome running", "google-chrome"),
    ],
)
def test_a_name_is_found_however_it_is_written(text: str, name: str) -> None:
    """Case, separators, particles, a slip of the finger."""
    assert find(text) == name


@pytest.mark.parametrize("text", ["what depends on zzz", "is it on", "", "and or of"])
def test_what_is_no_name_is_not_found(text: str) -> None:
    """Nothing is guessed from nothing."""
    assert find(text) is None


def test_only_strange_words_are_read_as_mistyped() -> None:
    """A word that templates know is no misspelling of a name."""
    assert find("who uses aiohtp", strange=set()) is None
