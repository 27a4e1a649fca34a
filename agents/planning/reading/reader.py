"""The reader: a question read against every dataset that its words speak for; the best reading wins."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from agents.planning.lexicon import COMMON_WORDS
from agents.planning.reading.anchors import Anchor, anchor_in
from agents.planning.reading.grammar import STOP
from agents.planning.reading.interpret import Interpretation
from agents.planning.reading.items import Figure, figures_of, items_of, spans_of
from agents.planning.reading.periods import Period
from agents.planning.reading.query import Reading
from agents.planning.reading.vocabulary import KnownNames, Namebook, Vocabulary
from agents.planning.reading.wording import worded
from agents.planning.reading.words import Word, words_of
from agents.planning.sentence import Sentence
from agents.planning.timeranges import find_time_ranges
from registry.datasets import DatasetAsset

_TRIED: Final = 4
"""Datasets that are tried, those with the most words for them first."""
_COMMON_WEIGHT: Final = 0.35
_KEPT_BOOKS: Final = 64
_NAME_COMES: Final = "on of for by to from at in with named called about did does has have is are was were"
_BEFORE_NAMES: Final = frozenset(_NAME_COMES.split())
_TWO_WAYS: Final = (
    (
        re.compile(
            r"^(?:in |over |during |from |of |for )?(?:the )?(?:last|previous) week$|^(?:지난|저번) ?주$|^지난주"
        ),
        7,
    ),
    (
        re.compile(
            r"^(?:in |over |during |from |of |for )?(?:the )?(?:last|previous) month$|^(?:지난|저번) ?달$|^지난달"
        ),
        30,
    ),
)
_PARTED_GROUP: Final = re.compile(r"\b(?:break|split|divide) (.{1,60}?) (?:down|up) (by|per)\b")
_SURE: Final = 7.0
"""The score from which a row counts as the event a question is counted from."""
_SHORT_S: Final = 2 * 86_400.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to read: when, where, in which language, and what may be read."""

    question: str
    sentence: Sentence
    now: float
    zone: tzinfo
    language: str
    tenant_id: str
    known: KnownNames
    open_datasets: Collection[str]


class Reader:
    """Reads questions about the datasets of one registry and group of tenants. Pure but for its caches."""

    def __init__(self, datasets: Sequence[DatasetAsset], elsewhere: Collection[str] = ()) -> None:
        self.vocabulary = Vocabulary(datasets)
        self._elsewhere = frozenset(elsewhere)
        """Stems of words that speak for something else, such as a template: they may not be passed over lightly."""
        self._books: dict[str, Namebook] = {}

    def readings(self, asked: Asked) -> tuple[Reading, ...]:
        """All readings, the best first; empty where no dataset knows a word of the question."""
        anchor = anchor_in(asked.sentence.text) if asked.open_datasets else None
        if anchor is not None:
            counted = self._counted_from(asked, anchor)
            if counted is not None:
                return (counted,)
        return self._plain(asked) if asked.open_datasets else ()

    def _counted_from(self, asked: Asked, anchor: Anchor) -> Reading | None:
        """The reading of a question that counts from an event: two queries, the second after the first."""
        events = self._plain(replace(asked, question=anchor.event, sentence=Sentence.read(anchor.event)))
        mains = self._plain(replace(asked, question=anchor.main, sentence=Sentence.read(anchor.main)))
        if not events or not mains:
            return None
        event, main = events[0], mains[0]
        time = event.query.dataset.time
        single = event.query.limit == 1 and event.query.order_by and event.query.order_by[0]["field"] == time
        if (
            not single
            or time is None
            or main.query.dataset.time is None
            or event.strange
            or event.score < _SURE
        ):
            return None
        if time not in (event.query.fields or event.query.dataset.label):
            event.query.fields = [time, *event.query.dataset.label]
        score = round(min(event.score, main.score), 2)
        return replace(main, before=(event, anchor.op, time), score=score)

    def _plain(self, asked: Asked) -> tuple[Reading, ...]:
        text = _PARTED_GROUP.sub(r"\1 broken down \2", asked.sentence.text)
        if text != asked.sentence.text:
            asked = replace(asked, sentence=Sentence.read(text))
        words = words_of(asked.sentence, self.vocabulary.korean, self._means)
        ranges = find_time_ranges(asked.sentence, asked.now, (), asked.zone)
        periods = [
            Period(
                each.since,
                each.until,
                each.words,
                asked.zone,
                open_end=each.until >= asked.now,
                other=_also(each.words, asked),
            )
            for each in ranges
        ]
        tokens = {token for each in ranges for token in each.tokens}
        timed = frozenset(at for at, word in enumerate(words) if word.at in tokens)
        free = [at not in timed for at in range(len(words))]
        figures = figures_of(words, free)
        spans = spans_of(words, self.vocabulary, self.book(asked), free)
        weights = spans.datasets()
        likely = sorted(
            (each for each in weights if each in asked.open_datasets), key=lambda each: (-weights[each], each)
        )
        found = []
        for name in likely[:_TRIED]:
            dataset = self.vocabulary.datasets[name]
            items = items_of(spans, len(words), dataset, _referred(dataset, self.vocabulary.datasets))
            interpretation = Interpretation(
                dataset,
                self.vocabulary.datasets,
                words,
                items,
                [replace(each) for each in figures],
                periods,
                asked.question,
                timed,
                asked.now,
                _offset_minutes(asked),
            )
            interpretation.run()
            found.append(self._scored(interpretation, asked, figures))
        return tuple(sorted(found, key=lambda each: (-each.score, each.query.dataset.id)))

    def _means(self, text: str) -> bool:
        return (text,) in self.vocabulary.exact or (text,) in self.vocabulary.marks

    def book(self, asked: Asked) -> Namebook:
        """The names a tenant's questions may use."""
        book = self._books.get(asked.tenant_id)
        if book is None or not book.fresh(asked.known):
            if len(self._books) >= _KEPT_BOOKS:
                self._books.clear()
            book = self._books[asked.tenant_id] = Namebook(self.vocabulary, asked.known)
        return book

    def _scored(self, read: Interpretation, asked: Asked, figures: Sequence[Figure]) -> Reading:
        explained = set(read.timed) | read.explained
        for item in read.items:
            verb = item.of("field")
            if verb is not None and verb.name == read.dataset.time:
                explained.update(range(item.start, item.end))
            if (
                item.used
                or item.of("noun", "refnoun")
                or (item.mark is not None and not _telling(item.mark.kind))
            ):
                explained.update(range(item.start, item.end))
        for figure in read.figures:
            if figure.kind in ("taken", "top"):
                explained.update(range(figure.start, figure.end))
        total, gained = 0.0, 0.0
        matched: list[str] = []
        ignored: list[tuple[int, str]] = []
        for at, word in enumerate(read.words):
            weight = self._weight(word)
            if at in explained:
                gained += weight
                matched += [word.text] if weight else []
            elif weight:
                ignored.append((at, word.text))
            total += weight
        share = gained / total if total else 0.0
        score = 10.0 * share * _anchor(read) * _doubts(read)
        book = self.book(asked)
        strange = tuple(text for at, text in ignored if self._strange(read, at, book))
        reading = Reading(
            read.query,
            round(min(score, 9.4), 2),
            tuple(dict.fromkeys(matched)),
            tuple(text for _, text in ignored),
            strange,
            tuple(dict.fromkeys(read.notes)),
            coarse=_coarse(read),
            period=(read.periods[0].since, read.periods[0].until) if read.periods else None,
        )
        del figures
        return worded(reading, read, asked.language)

    def _weight(self, word: Word) -> float:
        """What a word counts in how much of a question is understood."""
        if word.text in STOP or (word.text,) in self.vocabulary.marks:
            return 0.0
        if not any(letter.isalnum() for letter in word.text):
            return 0.0
        known = (word.text,) in self.vocabulary.exact or (word.stem,) in self.vocabulary.stemmed
        common = word.text in COMMON_WORDS or word.stem in COMMON_WORDS
        return _COMMON_WEIGHT if common and not known and word.stem not in self._elsewhere else 1.0

    def _strange(self, read: Interpretation, at: int, book: Namebook) -> bool:
        """Is it a name that nobody knows: no plain word, known to no dataset, and where names stand?"""
        word = read.words[at]
        if word.text in COMMON_WORDS or word.stem in COMMON_WORDS or word.korean or word.text.isdecimal():
            return False
        stemmed = self.vocabulary.stemmed.get((word.stem,), ())
        senses = self.vocabulary.exact.get((word.text,)) or [
            sense for sense in stemmed if sense.dataset == read.dataset.id
        ]
        if senses:
            return not any(book.holds(sense) for sense in senses)
        if not word.text.isalpha():
            return True
        before = read.words[at - 1].text if at else ""
        following = next((item for item in read.items if item.start == at + 1), None)
        return before in _BEFORE_NAMES or (following is not None and following.of("noun") is not None)


def _telling(kind: str) -> bool:
    """A role that means something only if it was used."""
    return kind in ("about", "anchor", "compare")


def _anchor(read: Interpretation) -> float:
    """How plainly the question is about rows of the dataset."""
    kinds = {sense.kind for item in read.items for sense in item.senses}
    if "noun" in kinds:
        return 1.0
    if any(read.names_rows(each["field"]) for each in read.query.filters):
        return 0.96
    through = [each["field"] for each in read.query.filters if "." in each["field"]]
    if through and all(_of_its_kind(name, read) for name in through):
        return 0.96
    if through and len(through) == len(read.query.filters):
        return 0.5
    time = read.dataset.time
    if any(sense.kind == "field" and sense.name == time for item in read.items for sense in item.senses):
        return 0.95
    measured = read.target is not None and read.target.measure is not None
    pivot = read.dataset.default_measure is not None and any(
        each["field"] == "metric" for each in read.query.filters
    )
    if measured and (pivot or read.dataset.default_measure is None):
        return 0.97
    values = {each["field"] for each in read.query.filters}
    if pivot:
        return 0.95
    sure = [
        item for item in read.items if item.used and item.alone and item.of("value", "condition", "measure")
    ]
    figured = read.target is not None and read.target.field is not None and "." not in read.target.field
    if len(sure) >= 2 or (sure and (figured or read.query.group_by)):
        return 0.92
    asked = any(item.used and item.marked("ask") and item.mark is not None and item.mark.value == "why"
                for item in read.items)  # fmt: skip
    told = [item for item in read.items if item.used and item.alone and item.of("field") and any(
        each.marked("ask", "which") for each in read.items)]  # fmt: skip
    if sure or figured or (told and values) or (asked and read.periods and values):
        return 0.85
    telling = any(read.dataset.fields[each].type == "enum" for each in values if each in read.dataset.fields)
    return 0.75 if len(kinds) >= 2 or len(values) >= 2 or telling else 0.45


def _of_its_kind(name: str, read: Interpretation) -> bool:
    """Is a looked-up field one of another row of the same table, as a team's parent's name?"""
    own, _, other = name.partition(".")
    declared = read.dataset.fields.get(own)
    return declared is not None and declared.refers_to == read.dataset.id and read.names_rows(other)


def _doubts(read: Interpretation) -> float:
    """A factor for what speaks against the reading though each word is accounted for."""
    factor = 0.5 if read.ignored_figure or any(figure.kind == "bound" for figure in read.figures) else 1.0
    for item in read.items:
        asked = item.marked("ask", "why") or item.marked("ask", "where")
        if not item.used and (asked or (item.marked("ask", "who") and read.dataset.time is not None)):
            factor *= 0.6
    figures = {"avg", "min", "max", "median", "p50", "p90", "p95", "p99"}
    wanted = {
        item.mark.value for item in read.items if item.mark is not None and item.mark.kind == "fn"
    } & figures
    if (
        wanted
        and read.query.aggregates
        and all(each["fn"].startswith("count") for each in read.query.aggregates)
    ):
        factor *= 0.5
    return factor


def _also(words: str, asked: Asked) -> Period | None:
    """The other reading of "last week" and "last month": so many days up to now."""
    days = next((days for pattern, days in _TWO_WAYS if pattern.search(words)), None)
    if days is None:
        return None
    return Period(asked.now - days * 86_400.0, asked.now, f"{days} days", asked.zone, open_end=True)


def _coarse(read: Interpretation) -> bool:
    """Is a table by the day too coarse for what is asked: a few hours, right now, no period at all?"""
    time = read.dataset.fields.get(read.filters.time_field)
    if read.dataset.default_measure is None or time is None or time.type != "date" or read.query.group_by:
        return False
    return not read.periods or any(_within_a_day(each) for each in read.periods)


def _within_a_day(period: Period) -> bool:
    """Is the period too short, or too much a part of today, for a table by the day?"""
    if not period.open_end:
        return period.until - period.since < 86_400.0
    return period.until - period.since < _SHORT_S


def _referred(dataset: DatasetAsset, datasets: "dict[str, DatasetAsset] | object") -> dict[str, str]:
    return {
        field.refers_to: name
        for name, field in dataset.fields.items()
        if field.refers_to is not None and field.refers_to != dataset.id
    }


def _offset_minutes(asked: Asked) -> int:
    offset = datetime.fromtimestamp(asked.now, asked.zone).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0
