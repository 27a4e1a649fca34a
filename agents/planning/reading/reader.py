"""The reader: a question read against every dataset that its words speak for; the best reading wins."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Final

from agents.planning.reading.accounting import Accounting
from agents.planning.reading.anchors import Anchor, anchor_in
from agents.planning.reading.interpret import Interpretation
from agents.planning.reading.items import figures_of, items_of, spans_of
from agents.planning.reading.periods import Period
from agents.planning.reading.query import Reading
from agents.planning.reading.scoring import doubts, is_coarse, plainness
from agents.planning.reading.vocabulary import KnownNames, Namebook, Vocabulary
from agents.planning.reading.wording import worded
from agents.planning.reading.words import words_of
from agents.planning.sentence import Sentence
from agents.planning.timeranges import find_time_ranges
from registry.datasets import DatasetAsset

_TRIED: Final = 4
"""Datasets that are tried, those with the most words for them first."""
_KEPT_BOOKS: Final = 64
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
        self._accounting = Accounting(self.vocabulary, frozenset(elsewhere))
        self._books: dict[str, Namebook] = {}

    def readings(self, asked: Asked) -> tuple[Reading, ...]:
        """All readings, the best first and put into words; empty where no dataset knows a word of the question."""
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
        if event.query.dataset is main.query.dataset and not self._names_rows_of(main, anchor.main):
            return None  # "which version is live after the last deployment": one thing is asked
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

    def _names_rows_of(self, reading: Reading, text: str) -> bool:
        """Does a text name the rows of the dataset it was read with?"""
        words = words_of(Sentence.read(text), self.vocabulary.korean, self._means)
        return any(
            sense.kind == "noun" and sense.dataset == reading.query.dataset.id
            for word in words
            for sense in self.vocabulary.senses((word.text,), (word.stem,))
        )

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
        found: list[tuple[float, Reading, Interpretation]] = []
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
            found.append(self._scored(interpretation, asked))
        found.sort(key=lambda each: (-each[0], each[1].query.dataset.id))
        if not found:
            return ()
        best = worded(found[0][1], found[0][2], asked.language)
        return (best, *(reading for _, reading, _ in found[1:]))

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

    def _scored(self, read: Interpretation, asked: Asked) -> tuple[float, Reading, Interpretation]:
        """The reading with the score it is ranked by, which the one it shows is capped from."""
        account = self._accounting.of(read, self.book(asked))
        score = 10.0 * account.share * plainness(read) * doubts(read, account.unread)
        reading = Reading(
            read.query,
            round(min(score, 9.4), 2),
            account.matched,
            account.ignored,
            account.strange,
            tuple(dict.fromkeys(read.notes)),
            coarse=is_coarse(read),
            period=(read.periods[0].since, read.periods[0].until) if read.periods else None,
        )
        return score, reading, read


def _also(words: str, asked: Asked) -> Period | None:
    """The other reading of "last week" and "last month": so many days up to now."""
    days = next((days for pattern, days in _TWO_WAYS if pattern.search(words)), None)
    if days is None:
        return None
    return Period(asked.now - days * 86_400.0, asked.now, f"{days} days", asked.zone, open_end=True)


def _referred(dataset: DatasetAsset, datasets: "dict[str, DatasetAsset] | object") -> dict[str, str]:
    return {
        field.refers_to: name
        for name, field in dataset.fields.items()
        if field.refers_to is not None and field.refers_to != dataset.id
    }


def _offset_minutes(asked: Asked) -> int:
    offset = datetime.fromtimestamp(asked.now, asked.zone).utcoffset()
    return int(offset.total_seconds() // 60) if offset is not None else 0
