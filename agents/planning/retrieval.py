"""Retrieval: which templates does a question's wording speak for? BM25 over fields, then the nearest example.

The index is built once per registry and group of tenants and never changes; a search is a few hundred dictionary
look-ups. BM25F after Robertson and Zaragoza (2009), with each field's weight added before saturation.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from agents.planning.examples import Example, Unit, likeness
from agents.planning.sentence import Sentence
from agents.planning.words import Token
from registry.assets import ComboAsset, TemplateAsset

_K1 = 1.2
_B = 0.3
_TITLE, _KEYWORDS, _EXAMPLE, _DESCRIPTION = 2.5, 2.5, 1.0, 0.7
_EXAMPLES_COUNTED = 3.0
"""A word in three examples says all that a word in examples can say."""
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
        self._terms: list[dict[str, float]] = []
        for number, terms in enumerate(weights):
            norm = _K1 * (1 - _B + _B * sum_of_values(terms) / max(mean_length, 1e-9))
            saturated = {term: weight / (weight + norm) for term, weight in terms.items()}
            self._terms.append(saturated)
            for term, weight in saturated.items():
                self._postings[term].append((number, weight))

    def knows(self, term: str) -> bool:
        """Does any document hold this term?"""
        return term in self._idf

    def strange(self, sentence: Sentence) -> frozenset[int]:
        """The tokens whose words no document knows: names, mostly."""
        return frozenset(
            at
            for at, token in enumerate(sentence.tokens)
            if not token.stop and not any(term in self._idf for unit in token.units for term, _ in unit)
        )

    def idf(self, unit: Unit) -> float:
        """How telling a unit is: as rare as its own word, or as the first known word it may stand for."""
        for term, _ in unit:
            if term in self._idf:
                return self._idf[term]
        return self._idf_unknown

    def best(self, sentence: Sentence, count: int, among: Collection[int]) -> list[int]:
        """The numbers of those documents that share the most with the sentence, best first; ties by number."""
        scores: dict[int, float] = defaultdict(float)
        for unit in _units(sentence.tokens):
            reached: dict[int, float] = {}
            for term, weight in unit:
                idf = self._idf.get(term, 0.0) * weight
                for number, share in self._postings.get(term, ()):
                    if number not in among:
                        continue
                    reached[number] = max(reached.get(number, 0.0), idf * share)
            for number, score in reached.items():
                scores[number] += score
        return sorted(scores, key=lambda number: (-scores[number], number))[:count]

    def coverage(
        self, sentence: Sentence, number: int, taken: Collection[int], loose: Collection[int]
    ) -> Coverage:
        """How much of the sentence a document accounts for. Taken tokens count neither way; loose ones, which
        only a free text took and which would fit any document, count a third unless the document knows them."""
        terms = self._terms[number]
        gained, possible = 0.0, 0.0
        matched: list[str] = []
        seen: set[Unit] = set()
        for at, token in enumerate(sentence.tokens):
            for unit in token.units:
                if unit in seen:
                    continue
                seen.add(unit)
                idf = self.idf(unit)
                if at in taken and at not in loose:
                    continue
                share = max((weight * terms.get(term, 0.0) for term, weight in unit), default=0.0)
                gained += idf * share
                possible += idf / 3 if at in loose and not share else idf
                if share > 0 and token.text not in matched:
                    matched.append(token.text)
        return Coverage(gained / possible if possible else 0.0, tuple(matched))

    def likeness(
        self, sentence: Sentence, number: int, taken: Collection[int], loose: Collection[int]
    ) -> float:
        """How like the sentence is to the document's nearest example, 0 to 1; loose tokens the document knows
        are read like any other."""
        terms = self._terms[number]
        gone = frozenset(
            at
            for at in taken
            if at not in loose
            or not any(term in terms for unit in sentence.tokens[at].units for term, _ in unit)
        )
        return likeness(sentence, self.documents[number].examples, gone, self.idf)


def sum_of_values(weights: dict[str, float]) -> float:
    """The length of a document: the sum of its terms' weights."""
    return sum(weights.values())


def _units(tokens: Iterable[Token]) -> list[Unit]:
    return list(dict.fromkeys(unit for token in tokens for unit in token.units))


def _term_weights(document: Document) -> dict[str, float]:
    asset = document.asset
    weights: dict[str, float] = defaultdict(float)
    _add(weights, Sentence.read(asset.title), _TITLE)
    _add(weights, Sentence.read(asset.description), _DESCRIPTION)
    _add(weights, Sentence.read(" ".join(asset.keywords)), _KEYWORDS)
    of_examples: dict[str, float] = defaultdict(float)
    for example in asset.examples:
        _add(of_examples, Sentence.read(example), _EXAMPLE)
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
