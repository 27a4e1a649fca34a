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
    _patterns: dict[frozenset[int], tuple[Pattern, float]] = field(
        default_factory=dict, compare=False, repr=False
    )

    _ranked: list[tuple[int, frozenset[str]]] = field(default_factory=list, compare=False, repr=False)
    """Tokens that may be samples with their terms, the most telling first; found at the first question."""

    def pattern(self, asked: Pattern, kind: str | None, idf: Idf) -> tuple[Pattern, float]:
        """The example's pattern and its weight. Where the question names something of a kind, the example's
        most telling words that the question lacks are taken for its samples of that kind."""
        samples = self._samples(asked.terms, idf) if kind is not None and self.samples else frozenset()
        found = self._patterns.get(samples)
        if found is None:
            taken = {**self.taken, **dict.fromkeys(samples, kind or "")}
            pattern = pattern_of(self.sentence, taken)
            weight = sum(map(idf, pattern.units)) + _PAIR_WEIGHT * len(pattern.pairs)
            found = self._patterns[samples] = (pattern, weight)
        return found

    def _samples(self, terms: Collection[str], idf: Idf) -> frozenset[int]:
        """The most telling tokens that share no term with the question."""
        if not self._ranked:
            free = [(at, token) for at, token in enumerate(self.sentence.tokens) if at not in self.taken]
            ranked = sorted((-max(map(idf, token.units)), at) for at, token in free if token.units)
            self._ranked.extend((at, _terms(self.sentence.tokens[at])) for _, at in ranked)
        chosen: list[int] = []
        for at, own in self._ranked:
            if own.isdisjoint(terms):
                chosen.append(at)
                if len(chosen) == self.samples:
                    break
        return frozenset(chosen)


def _terms(token: Token) -> frozenset[str]:
    return frozenset(term for unit in token.units for term, _ in unit)


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


class Asked:
    """A question's pattern weighed once, to be compared with many examples."""

    __slots__ = ("_several", "_single", "kind", "pattern", "weight")

    def __init__(self, sentence: Sentence, taken: Taken, idf: Idf) -> None:
        self.pattern = pattern_of(sentence, taken)
        self.kind = next((kind for kind in taken.values() if kind in SAMPLED), None)
        weighed = [(unit, idf(unit)) for unit in self.pattern.units]
        self.weight = sum(weight for _, weight in weighed) + _PAIR_WEIGHT * len(self.pattern.pairs)
        self._single = [(unit[0][0], weight) for unit, weight in weighed if len(unit) == 1]
        self._several = [(unit, weight) for unit, weight in weighed if len(unit) > 1]

    def likeness(self, examples: Iterable[Example], idf: Idf) -> float:
        """The likeness to the nearest example, 0 to 1 (a weighted Dice coefficient)."""
        best = 0.0
        for example in examples:
            known, weight = example.pattern(self.pattern, self.kind, idf)
            best = max(best, 2 * self._shared(known) / (self.weight + weight))
        return min(best, 1.0)

    def _shared(self, known: Pattern) -> float:
        terms = known.terms
        shared = _PAIR_WEIGHT * len(self.pattern.pairs & known.pairs)
        for term, weight in self._single:
            if term in terms:
                shared += weight
        for unit, weight in self._several:
            for term, share in unit:
                if term in terms:
                    shared += weight * share
                    break
        return shared


SAMPLED = {"entity": 1, "text": 2}
"""Kinds whose samples in an example cannot be told by looking at it, and how many words of it they may be."""
