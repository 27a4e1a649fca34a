"""A question read as tokens: words with their stems and Korean bigrams, in order, without any understanding."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from agents.korean import PARTICLES, bare
from agents.planning.lexicon import IRREGULAR, KOREAN_TERMS, SHORTHAND, STOP_WORDS, SYNONYMS

READ_FROM_START = 1_000
READ_FROM_END = 500
"""Characters of a long question that are read: people ask first or last."""
MAX_TOKENS = 180
_MAX_WORD = 64
_SIGNS = frozenset({"/", "~", "/*"})
"""Without letters, and yet names: of the root and the home folder."""

_CHUNK = re.compile(r"[^\s,;?!\"“”„«»‘’`()\[\]{}<>|'…。、？！]+")
_RUN = re.compile(r"[가-힣]+|[^가-힣]+")
_SUBWORD = re.compile(r"[^\W_]+")
_APOSTROPHE = re.compile(r"(?<=\w)['’](s|re|ve|ll|d|m|t)\b")


@dataclass(frozen=True, slots=True)
class Token:
    """One word as it stands in the question. `units` are what retrieval matches: for each unit its alternatives
    with their weights, the word's own stem first. Stop words have none."""

    text: str
    units: tuple[tuple[tuple[str, float], ...], ...]
    stem: str
    stop: bool
    sense: str
    """One word for all that may stand for one another, so that pairs of words survive a paraphrase."""


def read(text: str) -> tuple[Token, ...]:
    """The tokens of a text, at most 180, from at most its first 1,000 and last 500 characters."""
    if len(text) > READ_FROM_START + READ_FROM_END:
        text = f"{text[:READ_FROM_START]} {text[-READ_FROM_END:]}"
    folded = _APOSTROPHE.sub("", unicodedata.normalize("NFKC", text).casefold())
    tokens: list[Token] = []
    for chunk in _CHUNK.findall(folded[: 2 * (READ_FROM_START + READ_FROM_END)]):
        word = chunk.rstrip(".:=*").lstrip(":=*")
        word = SHORTHAND.get(word, word)
        tokens += [_token(run[:_MAX_WORD]) for run in _RUN.findall(word)]
        if len(tokens) >= MAX_TOKENS:
            break
    return tuple(tokens[:MAX_TOKENS])


@lru_cache(maxsize=8_192)
def _token(text: str) -> Token:
    if "가" <= text[0] <= "힣":
        return _korean(text)
    if text in STOP_WORDS:
        return Token(text, (), stem(text), True, stem(text))
    words = _SUBWORD.findall(text) or ([text] if text in _SIGNS else [])
    units = tuple(_alternatives(word) for word in words if word not in STOP_WORDS or len(words) > 1)
    own = stem(text) if len(words) == 1 else text
    sense = min(term for term, _ in units[0]) if len(units) == 1 else own
    return Token(text, units, own, not units, sense)


def _korean(text: str) -> Token:
    """Known terms as the English word they stand for, the rest as bigrams; a particle at the end falls away."""
    plain = bare(text)
    if text in STOP_WORDS or plain in STOP_WORDS or text in PARTICLES:
        return Token(text, (), plain, True, plain)
    units: list[tuple[tuple[str, float], ...]] = []
    rest = plain
    for term, english in KOREAN_TERMS.items():
        if term in rest:
            units.append(_alternatives(english))
            rest = rest.replace(term, " ")
    for part in rest.split():
        units += [((part[at : at + 2], 1.0),) for at in range(len(part) - 1)]
    sense = min(term for term, _ in units[0]) if len(units) == 1 else plain
    return Token(text, tuple(units), plain, not units, sense)


@lru_cache(maxsize=8_192)
def _alternatives(word: str) -> tuple[tuple[str, float], ...]:
    own = stem(word)
    others = [stem(other) for other in (*SYNONYMS.get(word, ()), *_STEMMED_SYNONYMS.get(own, ()))]
    return ((own, 1.0), *((other, 0.75) for other in dict.fromkeys(others) if other != own))


@lru_cache(maxsize=8_192)
def stem(word: str) -> str:
    """A light English stem: plural, -ing, -ed and superlative endings fall away, a final e too."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) <= 3 or not word.isascii() or not word.isalpha():
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("iest") and len(word) > 5:
        return word[:-4] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-2] if word.endswith(("sses", "xes", "ches", "shes")) else word[:-1]
    for ending in ("ing", "ed", "est"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return _tidied(word[: -len(ending)])
    if word.endswith("ed") and len(word) == 4:
        return word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _tidied(word: str) -> str:
    """run(n)ing → run, but install(ed) stays."""
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


_STEMMED_SYNONYMS = {stem(word): others for word, others in SYNONYMS.items()}
