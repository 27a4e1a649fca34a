"""What words mean to the datasets a tenant may ask: nouns, fields, values, states, measures, and known names."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from agents.planning.reading.endings import TAIL_SET
from agents.planning.reading.grammar import STOP, Mark, marks
from agents.planning.reading.words import phrase_of, stems_of
from registry.datasets import DatasetAsset

Phrase = tuple[str, ...]
LONGEST_PHRASE: Final = 6
MAX_NAMES: Final = 20_000
KnownNames = Callable[[str], Sequence[str]]
"""`dataset:field` → the names in it, for the tenant that asks."""


@dataclass(frozen=True, slots=True)
class Sense:
    """One thing a phrase may mean. `name` is a field, a condition or a measure; `value` a value of the field, or the
    direction of a superlative."""

    kind: str
    """noun, field, value, condition, measure, extreme."""
    dataset: str
    name: str = ""
    value: str = ""


def names_key(dataset: DatasetAsset, field: str) -> str:
    """Under which the names of an entity field are known."""
    return f"{dataset.id}:{field}"


class Vocabulary:
    """The phrases of a group of datasets. Built once; known names are added for each tenant by `Namebook`."""

    def __init__(self, datasets: Iterable[DatasetAsset]) -> None:
        self.datasets: Mapping[str, DatasetAsset] = {each.id: each for each in datasets}
        self.marks: Mapping[Phrase, Mark] = marks()
        declared = [pair for each in self.datasets.values() for pair in _declared(each)]
        self.korean = _korean_words([*(" ".join(key) for key in self.marks), *(text for text, _ in declared)])
        self._shapes = [
            (re.compile(field.shape), Sense("value", each.id, name))
            for each in self.datasets.values()
            for name, field in each.fields.items()
            if field.shape
        ]
        self.exact: dict[Phrase, list[Sense]] = defaultdict(list)
        self.stemmed: dict[Phrase, list[Sense]] = defaultdict(list)
        for text, sense in declared:
            for phrase in _variants(phrase_of(text, self.korean)):
                _put(self.exact, phrase, sense)
                if sense.kind not in ("condition", "extreme") and not (
                    len(phrase) > 1 and phrase[-1] == "at"
                ):
                    _put(self.stemmed, stems_of(phrase), sense)

    def senses(self, phrase: Phrase, stems: Phrase) -> list[Sense]:
        """What a phrase may mean; its stems count where a dataset knows no such phrase exactly."""
        exact = self.exact.get(phrase, [])
        if not exact and len(phrase) == 1 and any(map(str.isdecimal, phrase[0])):
            shaped = [
                replace(sense, value=phrase[0]) for shape, sense in self._shapes if shape.fullmatch(phrase[0])
            ]
            if shaped:
                return shaped
        close = self._verbs_apart(self.stemmed.get(stems, []))
        if not exact:
            return close
        having = {sense.dataset for sense in exact}
        return [*exact, *(sense for sense in close if sense.dataset not in having)]

    def _verbs_apart(self, close: list[Sense]) -> list[Sense]:
        """ "to resolve", "did it fire": a verb in no form that names a state speaks of when it happens."""
        timed = {
            sense.dataset
            for sense in close
            if sense.kind == "field" and self.datasets[sense.dataset].fields[sense.name].type == "time"
        }
        return (
            [each for each in close if each.kind != "value" or each.dataset not in timed] if timed else close
        )


class Namebook:
    """The known names of one tenant, by phrase. Rebuilt when the lists it was made of change."""

    def __init__(self, vocabulary: Vocabulary, known: KnownNames) -> None:
        self.lists: dict[str, Sequence[str]] = {}
        self._known: dict[tuple[str, str], frozenset[str]] = {}
        self.exact: dict[Phrase, list[Sense]] = defaultdict(list)
        self._stemmed: dict[Phrase, list[Sense]] = defaultdict(list)
        self._parts: dict[str, list[Sense]] = defaultdict(list)
        people: list[tuple[str, str]] = []
        names: dict[str, None] = {}
        for dataset in vocabulary.datasets.values():
            for name, field in dataset.fields.items():
                if field.type != "entity" or not field.values_known:
                    continue
                key = names_key(dataset, name)
                self.lists[key] = known(key)
                if "who" in field.asks:
                    people.append((dataset.id, name))
                    names.update(dict.fromkeys(self.lists[key][:MAX_NAMES]))
                    continue
                self._known[dataset.id, name] = frozenset(self.lists[key])
                for value in self.lists[key][:MAX_NAMES]:
                    self._add(value, Sense("value", dataset.id, name, value), vocabulary)
        for one, name in people:
            # Who is known from one table is known in all of them, though with nothing there.
            self._known[one, name] = frozenset(names)
            for value in names:
                self._add(value, Sense("value", one, name, value), vocabulary)

    def fresh(self, known: KnownNames) -> bool:
        """Are the lists still the ones it was made of?"""
        return all(known(key) is names for key, names in self.lists.items())

    def _add(self, value: str, sense: Sense, vocabulary: Vocabulary) -> None:
        phrase = phrase_of(value, vocabulary.korean)
        if not phrase or len(phrase) > LONGEST_PHRASE:
            return
        for variant in _variants(phrase):
            _put(self.exact, variant, sense)
        _put(self._stemmed, stems_of(phrase), sense)
        parts = [part for word in phrase for part in word.replace("@", ".").split(".")]
        if len(parts) > 1:
            for part in set(parts):
                if len(part) > 2 and part not in STOP:
                    self._parts[part].append(sense)

    def holds(self, sense: Sense) -> bool:
        """Is a declared name one of the tenant's? Others' names are nobody's here; so is none while none is known."""
        known = self._known.get((sense.dataset, sense.name)) if sense.kind == "value" else None
        return not known or sense.value in known

    def senses(self, phrase: Phrase, stems: Phrase) -> list[Sense]:
        """The names that are spelled so, or whose singular is."""
        return self.exact.get(phrase) or self._stemmed.get(stems, [])

    def by_part(self, word: str) -> list[Sense]:
        """The names of which a word is one part ("dana" of Dana Ortiz), unless a dataset has several such."""
        found = self._parts.get(word, [])
        values: dict[tuple[str, str], set[str]] = defaultdict(set)
        for sense in found:
            values[sense.dataset, sense.name].add(sense.value)
        return [sense for sense in found if len(values[sense.dataset, sense.name]) == 1]


def _korean_words(texts: Iterable[str]) -> frozenset[str]:
    """The Korean words of some texts, without those that are another one with an ending."""
    words = {word for text in texts for word in text.lower().split() if "가" <= word[0] <= "힣"}
    return frozenset(
        word
        for word in words - TAIL_SET
        if not any(word[:at] in words and word[at:] in TAIL_SET for at in range(1, len(word)))
    )


def _declared(dataset: DatasetAsset) -> Iterable[tuple[str, Sense]]:
    """All phrases of a dataset with what they mean."""
    for noun in dataset.nouns:
        yield noun, Sense("noun", dataset.id)
    for name, field in dataset.fields.items():
        for noun in dict.fromkeys((name.replace("_", " "), *field.nouns)):
            yield noun, Sense("field", dataset.id, name)
        for value, others in field.values.items():
            for text in dict.fromkeys((value, *others)):
                yield text, Sense("value", dataset.id, name, value)
        for words, direction in ((field.largest, "desc"), (field.smallest, "asc")):
            for text in words:
                yield text, Sense("extreme", dataset.id, name, direction)
    for name, condition in dataset.conditions.items():
        for text in condition.words:
            yield text, Sense("condition", dataset.id, name)
    for name, measure in dataset.measures.items():
        for text in (*measure.nouns, name.replace("_", " ")):
            yield text, Sense("measure", dataset.id, name)


def _variants(phrase: Phrase) -> list[Phrase]:
    """A phrase and its other spellings: "sev1" is also "sev 1" and "sev-1"."""
    if len(phrase) != 1 or not phrase[0]:
        return [phrase] if phrase else []
    word = phrase[0]
    head = word.rstrip("0123456789")
    if not head or head == word or not head.isalpha():
        return [phrase]
    tail = word[len(head) :]
    return [phrase, (head, tail), (f"{head}-{tail}",)]


def _put(where: dict[Phrase, list[Sense]], phrase: Phrase, sense: Sense) -> None:
    if phrase and sense not in where[phrase]:
        where[phrase].append(sense)
