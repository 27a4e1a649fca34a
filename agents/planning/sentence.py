"""A sentence: its tokens beside one text, so that patterns and words can be matched and struck out alike."""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from agents.planning.words import Token, read


@dataclass(frozen=True, slots=True)
class Sentence:
    """Tokens and the text they join to; `starts` are the tokens' offsets in it."""

    tokens: tuple[Token, ...]
    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, tokens: tuple[Token, ...]) -> "Sentence":
        """The sentence of these tokens, joined by one space."""
        starts, at = [], 0
        for token in tokens:
            starts.append(at)
            at += len(token.text) + 1
        return cls(tokens, " ".join(token.text for token in tokens), tuple(starts))

    @classmethod
    def read(cls, text: str) -> "Sentence":
        """The sentence of a text as `words.read` sees it."""
        return cls.of(read(text))

    def search(self, pattern: re.Pattern[str], taken: Collection[int]) -> re.Match[str] | None:
        """The first match that touches no taken token."""
        for match in pattern.finditer(self.text):
            if not self.covered(match).intersection(taken):
                return match
        return None

    def covered(self, match: re.Match[str]) -> frozenset[int]:
        """The tokens a match touches."""
        first = bisect_right(self.starts, match.start()) - 1
        last = bisect_right(self.starts, max(match.end() - 1, match.start())) - 1
        return frozenset(range(max(first, 0), last + 1))

    def free_spans(self, longest: int, taken: Collection[int]) -> Iterator[tuple[int, int]]:
        """Spans of untaken tokens, the longest first and then from left to right."""
        count = len(self.tokens)
        for length in range(min(longest, count), 0, -1):
            for start in range(count - length + 1):
                if not any(at in taken for at in range(start, start + length)):
                    yield start, start + length
