"""What is known while a question is read for one dataset, and ways to look at its items."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from agents.planning.reading.filters import Filters
from agents.planning.reading.items import Figure, Item
from agents.planning.reading.periods import Period
from agents.planning.reading.query import Query
from agents.planning.reading.vocabulary import Sense
from agents.planning.reading.words import Word
from registry.datasets import DatasetAsset, DatasetField, Measure

LISTED: Final = 50
"""Rows of a list nobody bounded."""
RANKED: Final = 20
"""Groups of a ranking nobody bounded."""
FIGURES: Final = ("avg", "min", "max", "median", "p50", "p90", "p95", "p99", "sum")


_LISTS: Final = frozenset({"이력", "내역", "목록", "리스트", "history"})


@dataclass(slots=True)
class Target:
    """What is figured: a function over a field, by the name its column gets."""

    fn: str
    field: str | None
    name: str
    measure: Measure | None = None


@dataclass
class State:
    """The state of one reading. `query` is what it comes to, `notes` say how."""

    dataset: DatasetAsset
    datasets: Mapping[str, DatasetAsset]
    words: tuple[Word, ...]
    items: list[Item]
    figures: list[Figure]
    periods: Sequence[Period]
    question: str
    timed: frozenset[int] = frozenset()
    """Words that a period was read from."""
    now: float = 0.0
    offset_minutes: int = 0
    notes: list[str] = field(default_factory=list)
    explained: set[int] = field(default_factory=set)
    """Words accounted for beside those of used items."""
    ignored_figure: bool = False
    query: Query = field(init=False)
    filters: Filters = field(init=False)
    single: bool = False
    latest: str = ""
    kind: str = ""
    target: Target | None = None

    def __post_init__(self) -> None:
        self.query = Query(self.dataset)
        self.filters = Filters(self)

    def field_of(self, name: str) -> DatasetField | None:
        """The declaration of a field, also of a looked-up one."""
        own, dot, other = name.partition(".")
        declared = self.dataset.fields.get(own)
        if not dot or declared is None:
            return declared
        target = self.datasets.get(declared.refers_to or "")
        return target.fields.get(other) if target is not None else None

    def free(self, *kinds: str) -> Iterator[tuple[Item, Sense]]:
        """Unused items with a sense of one of these kinds."""
        for item in self.items:
            sense = None if item.used else item.of(*kinds)
            if sense is not None:
                yield item, sense

    def marked(self, kind: str, value: str | None = None) -> Item | None:
        """The first item with this role."""
        return next((item for item in self.items if item.marked(kind, value)), None)

    def next_item(self, item: Item, reach: int = 2) -> Item | None:
        """The following item, if at most `reach` words lie between."""
        return next(
            (each for each in self.items if each.start >= item.end and each.start - item.end <= reach), None
        )

    def previous_item(self, item: Item, reach: int = 2) -> Item | None:
        """The item before, if at most `reach` words lie between."""
        before = [each for each in self.items if each.end <= item.start and item.start - each.end <= reach]
        return before[-1] if before else None

    def categorical(self, name: str) -> bool:
        """Can rows be grouped by it?"""
        declared = self.field_of(name)
        return declared is not None and (
            declared.type in ("enum", "entity", "bool") or declared.refers_to is not None
        )

    def group_name(self, name: str) -> str:
        """The field by which groups are named: of a reference the label of what it refers to."""
        declared = self.dataset.fields.get(name)
        target = self.datasets.get(declared.refers_to or "") if declared is not None else None
        if target is None:
            return name
        label = next((each for each, one in target.fields.items() if one.type == "entity"), target.key)
        return f"{name}.{label}"

    def names_rows(self, name: str) -> bool:
        """Does a field name the rows of a table of things, as a host's name does?"""
        declared = self.dataset.fields.get(name)
        if declared is None or declared.type != "entity" or self.dataset.time is not None:
            return False
        return name == next((n for n, each in self.dataset.fields.items() if each.type == "entity"), None)

    def find_named(self) -> None:
        """A row that is called by its name is the only one there is."""
        for each in self.query.filters:
            if each["op"] == "eq" and self.names_rows(each["field"]):
                self.single = True

    def _find_single(self) -> None:
        """Is it about one row: the latest, the oldest, a number?"""
        for figure in self.figures:
            named = figure.kind == "id" or (figure.kind == "bare" and self._names_a_row(figure))
            if named and self.dataset.key is not None:
                figure.kind = "taken"
                self.query.add_filter(self.dataset.key, "eq", figure.number)
                self.single = True
        for item in self.items:
            if item.marked("latest") and self._about_rows(item):
                item.used = True
                self.latest = item.mark.value if item.mark is not None else "desc"
                if self._top() is None and not self._plural_after(item) and not self._asks_list():
                    self.single = True
                break

    def _names_a_row(self, figure: Figure) -> bool:
        before = next((item for item in self.items if item.end == figure.start), None)
        if before is None or not float(figure.value).is_integer():
            return False
        sense = before.of("noun", "field")
        return sense is not None and (sense.kind == "noun" or sense.name == self.dataset.key)

    def _about_rows(self, item: Item) -> bool:
        """Does "last" speak of rows, with a noun or a filter behind it?"""
        if item.of("field", "value") is not None and item.of("noun") is None:
            return False
        return self.dataset.time is not None

    def _asks_list(self) -> bool:
        """ "최근 배포 이력": a list of them."""
        return any(word.text in _LISTS for word in self.words)

    def _plural_after(self, item: Item) -> bool:
        for each in self.items:
            if each.start >= item.end and each.of("noun") is not None:
                word = self.words[each.end - 1].text
                return (
                    word.endswith("s") and word != self.words[each.end - 1].stem and not word.endswith("ss")
                )
        return False

    def _top(self) -> int | None:
        figure = next((each for each in self.figures if each.kind == "top"), None)
        return int(figure.value) if figure is not None and figure.value >= 1 else None

    def _plural_noun(self) -> bool:
        for item in self.items:
            if item.of("noun") is not None:
                word = self.words[item.end - 1]
                return word.text != word.stem and word.text.endswith("s")
        return False

    def _is_number(self, name: str) -> bool:
        declared = self.field_of(name)
        return declared is not None and declared.type == "number"
