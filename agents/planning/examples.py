"""Example questions as patterns: how like is a question to one of them, names and numbers aside?

Words weigh as much as they tell; pairs of neighbouring words, stop words included, tell "what needs X" from
"what does X need". What a parameter was read from counts as its kind: a name is a name, a time is a time.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from agents.planning.sentence import Sentence
from agents.planning.words import Token

Unit = tuple[tuple[str, float], ...]
Idf = Callable[[Unit], float]
Taken = Mapping[int, str]
"""Token → the kind of parameter that was read from it."""

_PAIR_WEIGHT = 1.0
_EDGES = ("^", "$")


def kind_term(kind: str) -> str:
    """The term that stands for anything of a kind; no word can look like it."""
    return f"<{kind}>"


def kind_unit(kind: str) -> Unit:
    """The unit that stands for anything of a kind."""
    return ((kind_term(kind), 1.0),)


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with what was taken from it by kind: its units, and its pairs of neighbouring words."""

    units: tuple[Unit, ...]
    pairs: frozenset[tuple[str, str]]
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Example:
    """An example question; `samples` is how many of its words may be mere samples of names and texts, `taken`
    what its other parameters are read from."""

    sentence: Sentence
    taken: Taken
    samples: int
    _patterns: dict[frozenset[int], Pattern] = field(default_factory=dict, compare=False, repr=False)

    def pattern(self, asked: Pattern, kind: str | None, idf: Idf) -> Pattern:
        """The example's pattern. Where the question names something of a kind, the example's most telling words
        that the question lacks are taken for its samples of that kind."""
        samples = self._samples(asked.terms, idf) if kind is not None and self.samples else frozenset()
        found = self._patterns.get(samples)
        if found is None:
            taken = {**self.taken, **dict.fromkeys(samples, kind or "")}
            found = self._patterns[samples] = pattern_of(self.sentence, taken)
        return found

    def _samples(self, terms: Collection[str], idf: Idf) -> frozenset[int]:
        foreign = [
            (-max(idf(unit) for unit in token.units), at)
            for at, token in enumerate(self.sentence.tokens)
            if token.units and at not in self.taken and not _shares(token, terms)
        ]
        return frozenset(at for _, at in sorted(foreign)[: self.samples])


def _shares(token: Token, terms: Collection[str]) -> bool:
    return any(term in terms for unit in token.units for term, _ in unit)


def pattern_of(sentence: Sentence, taken: Taken) -> Pattern:
    """The pattern of a sentence; neighbouring tokens taken by one kind are one."""
    units: dict[Unit, None] = {}
    senses = [_EDGES[0]]
    for at, token in enumerate(sentence.tokens):
        kind = taken.get(at)
        if kind is None:
            units.update(dict.fromkeys(token.units))
            senses.append(token.sense)
        elif senses[-1] != kind_term(kind):
            units[kind_unit(kind)] = None
            senses.append(kind_term(kind))
    senses.append(_EDGES[1])
    terms = frozenset(term for unit in units for term, _ in unit)
    return Pattern(tuple(units), frozenset(pairwise(senses)), terms)


def likeness(sentence: Sentence, examples: Iterable[Example], taken: Taken, idf: Idf) -> float:
    """The likeness to the nearest example, 0 to 1 (a weighted Dice coefficient)."""
    asked = pattern_of(sentence, taken)
    weighed = [(unit, idf(unit)) for unit in asked.units]
    own = sum(weight for _, weight in weighed) + _PAIR_WEIGHT * len(asked.pairs)
    kind = next((kind for kind in taken.values() if kind in SAMPLED), None)
    best = 0.0
    for example in examples:
        known = example.pattern(asked, kind, idf)
        theirs = sum(idf(unit) for unit in known.units) + _PAIR_WEIGHT * len(known.pairs)
        shared = _PAIR_WEIGHT * len(asked.pairs & known.pairs)
        for unit, weight in weighed:
            shared += weight * max((share for term, share in unit if term in known.terms), default=0.0)
        best = max(best, 2 * shared / (own + theirs))
    return min(best, 1.0)


SAMPLED = {"entity": 1, "text": 2}
"""Kinds whose samples in an example cannot be told by looking at it, and how many words of it they may be."""
