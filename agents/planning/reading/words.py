"""A question as words that phrases can be matched against: hyphens taken apart, Korean words parted from endings."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

from agents.planning.reading.endings import CONJUGATED, TAIL_SET, TAILS
from agents.planning.sentence import Sentence
from agents.planning.words import stem

_HYPHENS = re.compile(r"[-_/]+")
_PARTED = re.compile(r"[a-z]{1,20}(?:[-_/][a-z]{1,20}){1,4}")
"""Words joined by hyphens and the like; what holds a digit is a name and stays whole."""
_GLUED = re.compile(r"([$€₩£]?)(\d[\d,]*(?:\.\d+)?)([a-z%]{1,10}|[$€₩£])?")
_LONGEST_KOREAN = 24


@dataclass(frozen=True, slots=True)
class Word:
    """One word: as it stands, its stem, and the token it belongs to."""

    text: str
    stem: str
    at: int

    @property
    def korean(self) -> bool:
        """Is it written in Hangul?"""
        return "가" <= self.text[0] <= "힣"


def words_of(
    sentence: Sentence, known: Collection[str], means: Callable[[str], bool] = lambda text: False
) -> tuple[Word, ...]:
    """The words of a sentence. `known` are the Korean words that mean something to somebody, `means` says of an
    English one whether it does: "unacknowledged" is "not acknowledged" where that does."""
    found: list[Word] = []
    for at, token in enumerate(sentence.tokens):
        texts = parts_of(CONJUGATED.get(token.text, token.text), known)
        for text in texts:
            if (
                text[-1] == "s"
                and text[:-1]
                and text[-2:-1].isdecimal()
                and not means(text)
                and means(text[:-1])
            ):
                text = text[:-1]  # "sev1s"
            bare = text.removeprefix("un").removeprefix("-")
            if len(bare) > 4 and bare != text and text.startswith("un") and not means(text) and means(bare):
                found.append(Word("not", "not", at))
                text = bare
            found.append(Word(text, _stem(text), at))
    return tuple(found)


def phrase_of(text: str, known: Collection[str]) -> tuple[str, ...]:
    """The words of a declared noun or value, taken apart as a question's are."""
    return tuple(part for token in Sentence.read(text).tokens for part in parts_of(token.text, known))


def stems_of(phrase: Collection[str]) -> tuple[str, ...]:
    """The stems of a phrase."""
    return tuple(_stem(text) for text in phrase)


def parts_of(text: str, known: Collection[str]) -> list[str]:
    """The words in one token: "high-priority" is two, "장애건수는" is 장애 and 건수, "100eur" is 100 and eur."""
    if "가" <= text[0] <= "힣":
        return korean_parts(text, known)
    if _PARTED.fullmatch(text):
        return [each for each in _HYPHENS.split(text) if each]
    glued = _GLUED.fullmatch(text)
    if glued is not None and (glued[1] or glued[3]) and glued[3] not in _ORDINALS:
        return [each for each in (glued[1], glued[2], glued[3]) if each]
    return [text]


def korean_parts(text: str, known: Collection[str]) -> list[str]:
    """A Korean word as known words and endings, the endings dropped; where that fails, its longest known beginning
    or the word without its last ending."""
    if len(text) > _LONGEST_KOREAN:
        return [text]
    best: list[list[str] | None] = [None] * (len(text) + 1)
    best[len(text)] = []
    for start in range(len(text) - 1, -1, -1):
        for end in range(len(text), start, -1):
            rest = best[end]
            if rest is None:
                continue
            piece = text[start:end]
            if piece in known and (len(piece) > 1 or _may_stand(piece, start, end, len(text), rest)):
                candidate = [piece, *rest]
            elif start > 0 and piece in TAIL_SET:
                candidate = list(rest)
            else:
                continue
            now = best[start]
            if now is None or _rank(candidate) > _rank(now):
                best[start] = candidate
    whole = best[0]
    if whole:
        return whole
    for length in range(len(text) - 1, 1, -1):
        if text[:length] in known and len(text) - length <= 3:
            return [text[:length]]
    return [_without_ending(text)]


def _may_stand(piece: str, start: int, end: int, length: int, rest: list[str]) -> bool:
    """A single syllable is a word of its own only alone, at the end, or as one of a few beginnings."""
    if start == 0 and rest and rest[0] in ("별", "별로", "마다"):
        return True
    if start == 0:
        return end == length or not rest or (piece in _BEGINNINGS and length > 2)
    return not rest


def _rank(parts: list[str]) -> tuple[int, int]:
    """More of the word explained goes first, then fewer pieces."""
    return sum(map(len, parts)), -len(parts)


def _without_ending(text: str) -> str:
    for tail in TAILS:
        if len(text) > len(tail) + 1 and text.endswith(tail):
            return text[: -len(tail)]
    return text


@lru_cache(maxsize=8_192)
def _stem(text: str) -> str:
    """One stem for fire, fires, fired and firing."""
    found = stem(text)
    return found[:-1] if len(found) > 3 and found.endswith("e") else found


_ORDINALS = frozenset({"st", "nd", "rd", "th"})
_BEGINNINGS = frozenset({"총", "각", "미", "몇"})
