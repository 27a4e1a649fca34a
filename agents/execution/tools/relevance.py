"""Words of a search and how relevant a hit is to them."""

import math
import re
from collections.abc import Mapping

from agents.korean import bare

MAX_WORDS = 24
_PREFIX_FROM = 6
"""Words of so many letters also find longer ones that begin with them."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORD = re.compile(r"[^\W_]+", re.UNICODE)
_STOP_WORDS = _words(
    """
        a about all am an and any are as at be been but by can could did do does for from get give had has
        have how i if in into is it its me my no not of on or our please say says shall should show so tell
        than that the their them then there these they this to us was we were what when where which who why
        will with would you your
        """
)


def words_of(text: str) -> list[str]:
    """The words a search looks for, each once, in lower case, without those that every text has. If nothing else
    is left, those count too. Korean words lose their particle."""
    found = list(dict.fromkeys(_plain(word.lower()) for word in _WORD.findall(text)))
    telling = [word for word in found if word not in _STOP_WORDS]
    return (telling or found)[:MAX_WORDS]


def _plain(word: str) -> str:
    """Korean words without their particle: an ending search finds the word with every other one."""
    return word if word.isascii() else bare(word)


def match_expression(word: str) -> str:
    """One word as an FTS5 expression: always a quoted string, never syntax."""
    quoted = '"' + word.replace('"', '""') + '"'
    return quoted + "*" if len(word) >= _PREFIX_FROM or not word.isascii() else quoted


def weight(matching_chunks: int, chunks: int) -> float:
    """A word's inverse document frequency, as FTS5's bm25 computes it; for a word nobody uses, that of a word
    that stands in one chunk."""
    matching = max(1, matching_chunks)
    return max(1e-6, math.log((chunks - matching + 0.5) / (matching + 0.5)) if chunks > matching else 1e-6)


def relevance(bm25: float, weights: Mapping[str, float]) -> float:
    """From 0 to 1: the hit's BM25 score divided by what a chunk of average length scores that holds each word of
    the search once (which is the sum of the words' weights).

    So 0.5, the default bound, means: about half of what the search asks for, by weight, stands there. A long
    chunk scores a little less, one that repeats the words a little more, up to 1.
    """
    whole = sum(weights.values())
    return max(0.0, min(1.0, -bm25 / whole)) if whole > 0 else 0.0
