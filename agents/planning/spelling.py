"""Slips of the keyboard: a word that nobody knows, read as the known word it is most like."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz, process

from agents.planning.lexicon import COMMON_WORDS, NUMBER_WORDS, STOP_WORDS, SYNONYMS
from agents.planning.sentence import Sentence
from agents.planning.words import stem

_SHORTEST: Final = 4
_LONGEST: Final = 24
_ALIKE: Final = 82.0
"""How alike, of 100, by insertions and deletions (rapidfuzz's ratio)."""
_MOST: Final = 4
"""Slips corrected in one question; who makes more is not understood."""
_TIME_WORDS: Final = """
    second seconds minute minutes hour hours day days week weeks month months quarter quarters year years today
    yesterday tonight morning afternoon evening night weekend ago since before after between until during within
    january february march april may june july august september october november december
    monday tuesday wednesday thursday friday saturday sunday
"""
_TIMES: Final = frozenset(_TIME_WORDS.split())


@dataclass(frozen=True, slots=True)
class Corrected:
    """A question without its slips, and a note for each."""

    text: str
    notes: tuple[str, ...]


class Spelling:
    """The words one view knows. Built once; names of tenants are handed in."""

    def __init__(self, words: Iterable[str]) -> None:
        told = {word for word in words if word.isascii() and word.isalpha()}
        self._candidates = tuple(sorted(word for word in told | _TIMES if _SHORTEST <= len(word) <= _LONGEST))
        known = told | _TIMES | COMMON_WORDS | STOP_WORDS | SYNONYMS.keys() | NUMBER_WORDS.keys()
        self._known = frozenset(known)
        self._stems = frozenset(stem(word) for word in known)

    def doubts(self, sentence: Sentence) -> bool:
        """Is there a word that may be a slip?"""
        return any(
            _SHORTEST <= len(token.text) <= _LONGEST and not self._is_known(token.text)
            for token in sentence.tokens
        )

    def corrected(self, sentence: Sentence, names: Collection[str]) -> Corrected | None:
        """The question with unknown words read as known ones; None if there is nothing to correct."""
        found: dict[str, str] = {}
        for token in sentence.tokens:
            text = token.text
            if self._is_known(text) or text in names or not _SHORTEST <= len(text) <= _LONGEST:
                continue
            meant = self._nearest(text, names)
            if meant is not None:
                found[text] = meant
        if not found or len(found) > _MOST:
            return None
        words = [found.get(token.text, token.text) for token in sentence.tokens]
        return Corrected(
            " ".join(words), tuple(f"read '{slip}' as '{meant}'" for slip, meant in found.items())
        )

    def _is_known(self, text: str) -> bool:
        return not (text.isascii() and text.isalpha()) or text in self._known or stem(text) in self._stems

    def _nearest(self, text: str, names: Collection[str]) -> str | None:
        likely = [word for word in (*self._candidates, *names) if word[0] == text[0]]
        found = process.extractOne(text, likely, scorer=fuzz.ratio, score_cutoff=_ALIKE)
        return found[0] if found is not None and abs(len(found[0]) - len(text)) <= 2 else None
