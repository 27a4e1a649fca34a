"""Example questions as patterns: how like is a question to one of them, names and numbers aside?

Words weigh as much as they tell; pairs of neighbouring words, stop words included, tell "what needs X" from
"what does X need". Where the question holds a name, the example's own sample name is set aside too.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from agents.planning.sentence import Sentence
from agents.planning.words import Token

Unit = tuple[tuple[str, float], ...]
Idf = Callable[[Unit], float]

_PAIR_WEIGHT = 0.9
_SLOT = "<>"
_EDGES = ("^", "$")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence without what was taken from it: its units, and its pairs of neighbouring stems."""

    units: tuple[Unit, ...]
    pairs: frozenset[tuple[str, str]]
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Example:
    """An example question; `names` is how many names its template takes, `taken` what other parameters take."""

    sentence: Sentence
    taken: frozenset[int]
    names: int
    _patterns: dict[frozenset[int], Pattern] = field(default_factory=dict, compare=False, repr=False)

    def pattern(self, terms: Collection[str], idf: Idf, slots: bool) -> Pattern:
        """The example's pattern; with `slots`, its most telling words that are not among `terms` are taken for
        sample names and left out."""
        taken = self.taken
        if slots and self.names:
            taken = taken | self._samples(terms, idf)
        found = self._patterns.get(taken)
        if found is None:
            found = self._patterns[taken] = pattern_of(self.sentence, taken)
        return found

    def _samples(self, terms: Collection[str], idf: Idf) -> frozenset[int]:
        foreign = [
            (-max(idf(unit) for unit in token.units), at)
            for at, token in enumerate(self.sentence.tokens)
            if token.units and at not in self.taken and not _shares(token, terms)
        ]
        return frozenset(at for _, at in sorted(foreign)[: self.names])


def _shares(token: Token, terms: Collection[str]) -> bool:
    return any(term in terms for unit in token.units for term, _ in unit)


def pattern_of(sentence: Sentence, taken: Collection[int]) -> Pattern:
    """The pattern of a sentence without the tokens taken from it; neighbours of a gap pair with the gap."""
    units: dict[Unit, None] = {}
    stems = [_EDGES[0]]
    for at, token in enumerate(sentence.tokens):
        if at not in taken:
            units.update(dict.fromkeys(token.units))
            stems.append(token.stem)
        elif stems[-1] != _SLOT:
            stems.append(_SLOT)
    stems.append(_EDGES[1])
    terms = frozenset(term for unit in units for term, _ in unit)
    return Pattern(tuple(units), frozenset(pairwise(stems)), terms)


def likeness(sentence: Sentence, examples: Iterable[Example], taken: Collection[int], idf: Idf) -> float:
    """The likeness to the nearest example, 0 to 1 (a weighted Dice coefficient)."""
    asked = pattern_of(sentence, taken)
    weighed = [(unit, idf(unit)) for unit in asked.units]
    own = sum(weight for _, weight in weighed) + _PAIR_WEIGHT * len(asked.pairs)
    best = 0.0
    for example in examples:
        known = example.pattern(asked.terms, idf, slots=bool(taken))
        theirs = sum(idf(unit) for unit in known.units) + _PAIR_WEIGHT * len(known.pairs)
        shared = _PAIR_WEIGHT * len(asked.pairs & known.pairs)
        for unit, weight in weighed:
            shared += weight * max((share for term, share in unit if term in known.terms), default=0.0)
        best = max(best, 2 * shared / (own + theirs))
    return min(best, 1.0)
