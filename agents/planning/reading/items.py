"""A question's words grouped into items: phrases with what they may mean to one dataset, and figures in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from agents.planning.lexicon import NUMBER_WORDS
from agents.planning.reading.bounds import BEFORE, BEHIND
from agents.planning.reading.grammar import Mark
from agents.planning.reading.vocabulary import LONGEST_PHRASE, Namebook, Phrase, Sense, Vocabulary
from agents.planning.reading.words import Word
from registry.datasets import DatasetAsset

_NUMBER: Final = re.compile(r"#?(\d[\d,]*(?:\.\d+)?)(k|m)?")
_COUNTERS: Final = frozenset(["개", "건", "명", "곳", "대", "회", "번", "가지", "개만", "건만"])
_TOP_WORDS: Final = """
    top first last latest newest oldest bottom recent largest biggest longest
    상위 하위 최근 마지막 처음 최신
"""
_TOP_BEFORE: Final = frozenset(_TOP_WORDS.split())
_SPANS: Final = frozenset({"second", "minute", "hour", "day", "week"})
_SCALES: Final = {
    "k": 1_000.0,
    "thousand": 1_000.0,
    "m": 1_000_000.0,
    "million": 1_000_000.0,
    "천": 1e3,
    "만": 1e4,
    "억": 1e8,
}


@dataclass(slots=True)
class Item:
    """Words `start` to `end` and what they mean: to the dataset, in grammar, or as a number."""

    start: int
    end: int
    senses: list[Sense] = field(default_factory=list)
    mark: Mark | None = None
    used: bool = False
    alone: bool = False
    """Does no other dataset know the phrase?"""

    def of(self, *kinds: str) -> Sense | None:
        """The first sense of one of the kinds, in the order of the kinds."""
        for kind in kinds:
            for sense in self.senses:
                if sense.kind == kind:
                    return sense
        return None

    def marked(self, kind: str, value: str | None = None) -> bool:
        """Has it this role?"""
        return self.mark is not None and self.mark.kind == kind and value in (None, self.mark.value)


@dataclass(slots=True)
class Figure:
    """A number of the question: as a bound ("more than 8 cores"), as how many are wanted, or as an id."""

    kind: str
    """bound, top, id or bare."""
    op: str
    value: float
    high: float | None
    start: int
    end: int

    @property
    def number(self) -> int | float:
        """The value, whole where it is."""
        return int(self.value) if float(self.value).is_integer() else self.value


@dataclass(frozen=True, slots=True)
class Spans:
    """All phrases of a question that mean something to anybody: start → (end, senses, mark), the longest first."""

    found: Mapping[int, tuple[tuple[int, tuple[Sense, ...], Mark | None], ...]]

    def datasets(self) -> dict[str, float]:
        """How much speaks for each dataset."""
        weights = {"noun": 3.0, "measure": 2.0, "value": 1.0, "field": 0.7, "condition": 0.7, "extreme": 0.3}
        scores: dict[str, dict[tuple[int, str], float]] = {}
        for start, options in self.found.items():
            for _, senses, _ in options:
                for sense in senses:
                    held = scores.setdefault(sense.dataset, {})
                    held[start, sense.kind] = weights[sense.kind]
        return {dataset: sum(held.values()) for dataset, held in scores.items()}


def spans_of(words: tuple[Word, ...], vocabulary: Vocabulary, names: Namebook, free: Iterable[bool]) -> Spans:
    """Every span of free words that has a meaning."""
    open_ = list(free)
    texts = tuple(word.text for word in words)
    stems = tuple(word.stem for word in words)
    found: dict[int, tuple[tuple[int, tuple[Sense, ...], Mark | None], ...]] = {}
    for start in range(len(words)):
        options = []
        for end in range(min(start + LONGEST_PHRASE, len(words)), start, -1):
            if not all(open_[start:end]):
                continue
            phrase: Phrase = texts[start:end]
            senses = [*names.senses(phrase, stems[start:end]), *vocabulary.senses(phrase, stems[start:end])]
            mark = vocabulary.marks.get(phrase)
            senses = [sense for sense in senses if names.holds(sense)]
            if end - start == 1 and not senses and mark is None and len(phrase[0]) > 2:
                senses = names.by_part(phrase[0])
                if not senses and len(phrase[0]) > 5 and phrase[0].endswith("est"):
                    mark = Mark("large", "desc")
            if senses or mark is not None:
                options.append((end, tuple(senses), mark))
        if options:
            found[start] = tuple(options)
    return Spans(found)


def items_of(spans: Spans, count: int, dataset: DatasetAsset, referred: Mapping[str, str]) -> list[Item]:
    """The question cut into items for one dataset, the longest phrase first. `referred` maps the ids of datasets it
    refers to onto the field that does; their senses get names such as `host_id.region`."""
    items: list[Item] = []
    at = 0
    while at < count:
        taken = None
        for end, senses, mark in spans.found.get(at, ()):
            own = [sense for sense in senses if sense.dataset == dataset.id]
            own += [_through(sense, referred[sense.dataset]) for sense in senses if sense.dataset in referred]
            if own or mark is not None:
                alone = len({sense.dataset for sense in senses}) == 1
                taken = Item(at, end, list(dict.fromkeys(own)), mark, alone=alone)
                break
        if taken is None:
            at += 1
            continue
        items.append(taken)
        at = taken.end
    return items


def _through(sense: Sense, field_name: str) -> Sense:
    """A sense of a dataset that is referred to: its noun becomes one kind of the referring field."""
    if sense.kind == "noun":
        return replace(sense, kind="refnoun", name=field_name)
    if sense.kind in ("field", "value"):
        return replace(sense, kind=f"{sense.kind}", name=f"{field_name}.{sense.name}")
    return replace(sense, kind="other")


def figures_of(words: tuple[Word, ...], free: list[bool]) -> list[Figure]:
    """The numbers of a question with what stands around them; `free` is cleared where words belong to one."""
    found: list[Figure] = []
    texts = [word.text for word in words]
    at = 0
    while at < len(words):
        value, end = _number(texts, at) if free[at] else (None, at)
        if value is None:
            at += 1
            continue
        figure = _figure(texts, at, end, value)
        if figure is not None:
            found.append(figure)
            free[figure.start : figure.end] = [False] * (figure.end - figure.start)
            end = figure.end
        at = max(end, at + 1)
    return found


def _number(texts: list[str], at: int) -> tuple[float | None, int]:
    match = _NUMBER.fullmatch(texts[at])
    if match is not None:
        value, end = float(match[1].replace(",", "")) * _SCALES.get(match[2] or "", 1.0), at + 1
    elif texts[at] in ("a", "an") and at + 1 < len(texts) and texts[at + 1] in _SPANS and at:
        value, end = 1.0, at + 1
    elif texts[at] in NUMBER_WORDS and len(texts[at]) > 1:
        value, end = float(NUMBER_WORDS[texts[at]]), at + 1
    else:
        return None, at
    if end < len(texts) and texts[end] in _SCALES and texts[end] not in ("k", "m"):
        value, end = value * _SCALES[texts[end]], end + 1
    return value, end


def _figure(texts: list[str], start: int, end: int, value: float) -> Figure | None:
    if texts[start].startswith("#"):
        return Figure("id", "eq", value, None, start, end)
    money = start > 0 and texts[start - 1] in "$€₩"
    first = start - 1 if money else start
    for length in (3, 2, 1):
        op = BEFORE.get(" ".join(texts[max(first - length, 0) : first])) if first >= length else None
        if op is not None:
            return Figure("bound", op, value, None, first - length, end)
    if first >= 1 and texts[first - 1] in ("between", "from"):
        joint = next((at for at in range(end, min(end + 3, len(texts))) if texts[at] in ("and", "to")), None)
        if joint is not None and joint + 1 < len(texts):
            high, stop = _number(texts, joint + 1)
            if high is not None:
                return Figure("bound", "between", value, high, first - 1, stop)
    behind = _behind(texts, start, end, value)
    if behind is not None:
        return behind
    if first >= 1 and texts[first - 1] in _TOP_BEFORE and not money:
        return Figure("top", "eq", value, None, start, end)
    if end < len(texts) and texts[end] in _TOP_BEFORE | {
        "most",
        "worst",
        "best",
        "slowest",
        "highest",
        "busiest",
    }:
        return Figure("top", "eq", value, None, start, end)
    if end < len(texts) and texts[end] in _COUNTERS:
        kind = "id" if texts[end] == "번" else "top"
        return Figure(kind, "eq", value, None, start, end + 1)
    return Figure("bare", "eq", value, None, first, end)


def _behind(texts: list[str], start: int, end: int, value: float) -> Figure | None:
    """ "8 or more", "100유로 이상", "8 코어가 넘는": the operator within two words behind the number."""
    for at in range(end, min(end + 3, len(texts))):
        for length in (2, 1):
            op = BEHIND.get(" ".join(texts[at : at + length]))
            if op is not None and (at == end or texts[at] >= "가" or length == 2):
                # The unit between number and operator stays free to be read.
                return Figure("bound", op, value, None, start, end if at > end else at + length)
    return None
