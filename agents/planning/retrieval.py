"""Retrieval: which templates does a question's wording speak for? BM25 over fields, then the nearest example.

The index is built once per registry and group of tenants and never changes; a search is a few hundred dictionary
look-ups. BM25F after Robertson and Zaragoza (2009), with each field's weight added before saturation.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from agents.planning.examples import SAMPLED, Asked, Example, Taken, Unit, kind_term, kind_unit, pattern_of
from agents.planning.lexicon import COMMON_WORDS
from agents.planning.sentence import Sentence
from agents.planning.words import Token
from registry.assets import ComboAsset, TemplateAsset

_K1 = 1.2
_B = 0.3
_TITLE, _KEYWORDS, _EXAMPLE, _DESCRIPTION = 2.5, 2.5, 1.0, 0.7
_EXAMPLES_COUNTED = 3.0
"""A word in three examples says all that a word in examples can say."""
_PAIR_SCORE = 0.3
"""What a shared pair of words adds when candidates are picked; it only has to bring them into sight."""
_LOOSE = "text"
_STAND_IN = 0.5
"""What a word's synonym weighs in a document, beside the word itself."""


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be asked for: a template, or a combo of several."""

    asset: TemplateAsset | ComboAsset
    templates: tuple[TemplateAsset, ...]
    examples: tuple[Example, ...]

    @property
    def id(self) -> str:
        """The asset's id."""
        return self.asset.id


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a question's wording a document accounts for, 0 to 1, and through which words."""

    share: float
    matched: tuple[str, ...]


class Index:
    """All documents of one group of tenants, searchable."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = tuple(documents)
        weights = [_term_weights(document) for document in documents]
        mean_length = sum(map(sum_of_values, weights)) / max(len(weights), 1)
        holders: dict[str, int] = defaultdict(int)
        for terms in weights:
            for term in terms:
                holders[term] += 1
        count = len(documents)
        self._idf = {
            term: math.log(1 + (count - held + 0.5) / (held + 0.5)) for term, held in holders.items()
        }
        self._idf_unknown = math.log(1 + (count + 0.5) / 0.5)
        self._postings: dict[str, list[tuple[int, float]]] = defaultdict(list)
        self._pair_postings = _pair_postings(documents)
        self._terms: list[dict[str, float]] = []
        for number, terms in enumerate(weights):
            norm = _K1 * (1 - _B + _B * sum_of_values(terms) / max(mean_length, 1e-9))
            saturated = {term: weight / (weight + norm) for term, weight in terms.items()}
            self._terms.append(saturated)
            for term, weight in saturated.items():
                self._postings[term].append((number, weight))

    def terms(self, number: int) -> Mapping[str, float]:
        """A document's terms with their saturated weights, each under 1."""
        return self._terms[number]

    def strange(self, sentence: Sentence) -> frozenset[int]:
        """The tokens whose words no document knows: names, mostly."""
        return frozenset(
            at
            for at, token in enumerate(sentence.tokens)
            if not token.stop and COMMON_WORDS.isdisjoint((token.text, token.stem)) and not self._known(token)
        )

    def _known(self, token: Token) -> bool:
        """A word is known with all its parts; of Korean, which is read in pairs, one pair is enough."""
        known = (not self.unknown(unit) for unit in token.units)
        return any(known) if token.text >= "가" else all(known)

    def unknown(self, unit: Unit) -> bool:
        """Does no document know the word or what it may stand for?"""
        return not any(term in self._idf for term, _ in unit)

    def idf(self, unit: Unit) -> float:
        """How telling a unit is: as rare as its own word, or as the first known word it may stand for. What is
        unknown but common counts a third, and so does Korean: more often than not it is an ending."""
        for term, _ in unit:
            if term in self._idf:
                return self._idf[term]
        common = unit[0][0] >= "가" or unit[0][0] in COMMON_WORDS
        return self._idf_unknown / 3 if common else self._idf_unknown

    def best(self, sentence: Sentence, count: int, among: Collection[int]) -> list[int]:
        """The numbers of those documents that share the most with the sentence, best first; ties by number."""
        scores: dict[int, float] = defaultdict(float)
        for unit in _units(sentence.tokens):
            reached: dict[int, float] = {}
            for term, weight in unit:
                idf = self._idf.get(term, 0.0) * weight
                for number, share in self._postings.get(term, ()):
                    if idf * share > reached.get(number, 0.0):
                        reached[number] = idf * share
            for number, score in reached.items():
                scores[number] += score
        for pair in pattern_of(sentence, {}).pairs:
            for number in self._pair_postings.get(pair, ()):
                scores[number] += _PAIR_SCORE
        found = [(-score, number) for number, score in scores.items() if number in among]
        return [number for _, number in heapq.nsmallest(count, found)]

    def match(self, sentence: Sentence) -> "Match":
        """The sentence made ready to be compared with documents."""
        return Match(self, sentence)


class Match:
    """One sentence against the documents of an index; what does not depend on the document is kept."""

    def __init__(self, index: Index, sentence: Sentence) -> None:
        self._index = index
        self._sentence = sentence
        self._asked: dict[tuple[tuple[int, str], ...], Asked] = {}
        self._weighed = [
            (at, token.text, [(unit, index.idf(unit)) for unit in token.units])
            for at, token in enumerate(sentence.tokens)
        ]

    def coverage(self, number: int, taken: Taken) -> Coverage:
        """How much of the sentence a document accounts for. What a parameter was read from counts as its kind;
        what a free text took, and would fit any document, counts less unless the document knows it."""
        terms = self._index.terms(number)
        gained, possible = 0.0, 0.0
        matched: dict[str, None] = {}
        seen: set[Unit] = set()
        for at, text, units in self._weighed:
            kind = taken.get(at)
            loose = kind == _LOOSE
            if kind is not None and not loose:
                unit = kind_unit(kind)
                units = [(unit, self._index.idf(unit))]
            for unit, idf in units:
                if unit in seen:
                    continue
                seen.add(unit)
                share = 0.0
                for term, weight in unit:
                    if term in terms:
                        share = max(share, weight * terms[term])
                gained += idf * share
                possible += idf * (self._swallowed(unit) if loose and not share else 1.0)
                if share > 0:
                    matched[text] = None
        return Coverage(gained / possible if possible else 0.0, tuple(matched))

    def _swallowed(self, unit: Unit) -> float:
        """What a word counts that a free text took and the document does not know: less than a word passed over,
        and least if no document knows it, as then it is likely what is searched for."""
        return 0.33 if self._index.unknown(unit) else 0.75

    def likeness(self, number: int, taken: Taken) -> float:
        """How like the sentence is to the document's nearest example, 0 to 1; words of a free text that the
        document knows are read like any other."""
        index, tokens = self._index, self._sentence.tokens
        terms = index.terms(number)
        kept = {
            at: kind
            for at, kind in taken.items()
            if kind != _LOOSE or not any(term in terms for unit in tokens[at].units for term, _ in unit)
        }
        key = tuple(sorted(kept.items()))
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = Asked(self._sentence, kept, index.idf)
        return asked.likeness(index.documents[number].examples, index.idf)


def sum_of_values(weights: dict[str, float]) -> float:
    """The length of a document: the sum of its terms' weights."""
    return sum(weights.values())


def _units(tokens: Iterable[Token]) -> list[Unit]:
    return list(dict.fromkeys(unit for token in tokens for unit in token.units))


def _pair_postings(documents: Sequence[Document]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Which documents have an example with this pair of neighbouring words; pairs everyone has are left out."""
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, document in enumerate(documents):
        for example in document.examples:
            for pair in pattern_of(example.sentence, example.taken).pairs:
                holders[pair].add(number)
    most = max(len(documents) // 5, 3)
    return {pair: tuple(sorted(found)) for pair, found in holders.items() if len(found) <= most}


def _term_weights(document: Document) -> dict[str, float]:
    asset = document.asset
    weights: dict[str, float] = defaultdict(float)
    _add(weights, Sentence.read(asset.title), _TITLE)
    _add(weights, Sentence.read(asset.description), _DESCRIPTION)
    _add(weights, Sentence.read(" ".join(asset.keywords)), _KEYWORDS)
    of_examples: dict[str, float] = defaultdict(float)
    for example in document.examples:
        _add(of_examples, example.sentence, _EXAMPLE)
    for example in document.examples:
        for kind in set(example.taken.values()):
            of_examples[kind_term(kind)] += _EXAMPLE
    for template in document.templates:
        for parameter in template.parameters.values():
            if parameter.resolver in SAMPLED:
                of_examples[kind_term(parameter.resolver)] = _EXAMPLES_COUNTED
    for term, weight in of_examples.items():
        weights[term] += min(weight, _EXAMPLES_COUNTED)
    return dict(weights)


def _add(weights: dict[str, float], sentence: Sentence, field_weight: float) -> None:
    """Add each term of a field once, its synonyms at half its weight."""
    found: dict[str, float] = {}
    for unit in _units(sentence.tokens):
        for place, (term, _) in enumerate(unit):
            found[term] = max(found.get(term, 0.0), field_weight if place == 0 else field_weight * _STAND_IN)
    for term, weight in found.items():
        weights[term] += weight
