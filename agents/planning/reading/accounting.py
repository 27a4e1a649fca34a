"""What a reading makes of each word of its question: used, a filler, passed over, or a name that nobody knows.

Nothing that narrows a question is dropped in silence: a condition that was seen and not used counts against the
reading, an unknown word where names stand is named in the refusal, any other word passed over is said in the answer.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from agents.planning.lexicon import COMMON_WORDS
from agents.planning.reading.grammar import STOP
from agents.planning.reading.items import Figure, Item
from agents.planning.reading.limits import UNIT_WORDS
from agents.planning.reading.vocabulary import Namebook, Vocabulary
from agents.planning.reading.words import Word

if TYPE_CHECKING:
    from agents.planning.reading.interpret import Interpretation

_COMMON_WEIGHT: Final = 0.35
_NAME_COMES: Final = "on of for by to from at in with named called about did does has have is are was were"
_BEFORE_NAMES: Final = frozenset(_NAME_COMES.split())
_ARTICLES: Final = frozenset({"the", "a", "an", "our", "your", "their", "my", "this", "that"})
_NARROWING: Final = (
    "neg",
    "neg_after",
    "null",
    "null_after",
    "scale",
    "about",
    "compare",
    "most",
    "large",
    "day",
)
"""Roles that change which rows are meant: one that was not used leaves the question half read."""


@dataclass(frozen=True, slots=True)
class Account:
    """How far the words of a question are accounted for."""

    share: float
    """0 to 1: the weight of the words that were used."""
    matched: tuple[str, ...]
    ignored: tuple[str, ...]
    strange: tuple[str, ...]
    """Unknown words where a name stands."""
    unread: int
    """Conditions and figures that were seen and not used."""


@dataclass(frozen=True, slots=True)
class Accounting:
    """Keeps account of readings over one vocabulary."""

    vocabulary: Vocabulary
    elsewhere: Collection[str]
    """Stems of words that speak for something else, such as a template: they may not be passed over lightly."""

    def of(self, read: "Interpretation", book: Namebook) -> Account:
        """The account of one reading."""
        explained = _explained(read)
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
        return Account(
            share=gained / total if total else 0.0,
            matched=tuple(dict.fromkeys(matched)),
            ignored=tuple(text for _, text in ignored),
            strange=tuple(text for at, text in ignored if self._strange(read, at, book)),
            unread=sum(_unread(item) and read.words[item.start].text != "아니라" for item in read.items)
            + sum(_open(read, each) for each in read.figures),
        )

    def _weight(self, word: Word) -> float:
        """What a word counts in how much of a question is understood."""
        if word.text in STOP or (word.text,) in self.vocabulary.marks:
            return 0.0
        if not any(letter.isalnum() for letter in word.text):
            return 0.0
        known = (word.text,) in self.vocabulary.exact or (word.stem,) in self.vocabulary.stemmed
        common = word.text in COMMON_WORDS or word.stem in COMMON_WORDS
        return _COMMON_WEIGHT if common and not known and word.stem not in self.elsewhere else 1.0

    def _strange(self, read: "Interpretation", at: int, book: Namebook) -> bool:
        """Is it a name that nobody knows: no plain word, known to no dataset, and where names stand?"""
        word = read.words[at]
        if word.korean and self._names_a_value(read, at):
            return True
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
        return self._where_names_stand(read, at)

    def _names_a_value(self, read: "Interpretation", at: int) -> bool:
        """ "마케팅 큐": right before a field whose values are all known."""
        following = next((item for item in read.items if item.start == at + 1 and not item.used), None)
        field = following.of("field") if following is not None and following.of("noun") is None else None
        declared = read.field_of(field.name) if field is not None else None
        return declared is not None and declared.type == "enum"

    def _where_names_stand(self, read: "Interpretation", at: int) -> bool:
        """Behind a word such as "of", articles aside, or before the noun of a row or of what groups rows."""
        before = at - 1
        while before >= 0 and read.words[before].text in _ARTICLES:
            before -= 1
        if before >= 0 and read.words[before].text in _BEFORE_NAMES:
            return True
        following = next((item for item in read.items if item.start == at + 1), None)
        if following is None:
            return False
        field = following.of("field", "refnoun")
        return following.of("noun") is not None or (field is not None and read.categorical(field.name))


def _explained(read: "Interpretation") -> set[int]:
    """The words that were used, or that a used one takes along."""
    explained = set(read.timed) | read.explained
    units = {each.unit for each in read.dataset.fields.values() if each.unit}
    explained.update(at for at, word in enumerate(read.words) if UNIT_WORDS.get(word.text) in units)
    for item in read.items:
        verb = item.of("field")
        if verb is not None and verb.name == read.dataset.time:
            explained.update(range(item.start, item.end))
        telling = item.mark is not None and item.mark.kind in ("about", "anchor", "compare")
        if item.used or item.of("noun", "refnoun") or (item.mark is not None and not telling):
            explained.update(range(item.start, item.end))
    for figure in read.figures:
        if figure.kind in ("taken", "top"):
            explained.update(range(figure.start, figure.end))
    return explained


def _open(read: "Interpretation", figure: Figure) -> bool:
    """Is it a number that nothing was made of? Words such as "one" may be none."""
    if figure.kind in ("bound", "id"):
        return True
    return figure.kind == "bare" and read.words[figure.end - 1].text[:1].isdecimal()


def _unread(item: Item) -> bool:
    """Does the item narrow what is asked, and was it not used?"""
    if item.used:
        return False
    if item.mark is not None and item.mark.kind in _NARROWING and not item.senses:
        return True
    return (
        item.of("value", "condition") is not None and item.of("noun", "refnoun", "field", "measure") is None
    )
