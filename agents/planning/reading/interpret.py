"""From items to a query: which filters, which figure, by what, in which order. One dataset at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.planning.reading.filters import Filters
from agents.planning.reading.items import Figure, Item
from agents.planning.reading.periods import Period
from agents.planning.reading.query import Query
from agents.planning.reading.words import Word
from registry.datasets import DatasetAsset, DatasetField, Measure

LISTED: Final = 50
"""Rows of a list nobody bounded."""
RANKED: Final = 10
"""Groups of a ranking nobody bounded."""
_FIGURES: Final = ("avg", "min", "max", "median", "p50", "p90", "p95", "p99", "sum")


@dataclass(slots=True)
class Target:
    """What is figured: a function over a field, by the name its column gets."""

    fn: str
    field: str | None
    name: str
    measure: Measure | None = None


@dataclass(slots=True)
class Interpretation:
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

    def run(self) -> None:
        """Read everything, in the order in which one thing decides the next."""
        self._find_single()
        grouped = self._explicit_groups()
        self.filters.read()
        self.find_named()
        self.target = self._target()
        ranked = self._ranking(grouped)
        self._figure_bounds()
        if self.filters.share:
            self._share()
        elif len(self.filters.compared) == 2:
            self._compare()
        elif self.query.group_by:
            self._grouped(ranked)
            if not any(isinstance(each, dict) for each in self.query.group_by) and not self.query.having:
                self._both_periods()
        elif self.target is not None:
            self._figured()
            self._both_periods()
        else:
            self._list()

    # Looking at items

    def field_of(self, name: str) -> DatasetField | None:
        """The declaration of a field, also of a looked-up one."""
        own, dot, other = name.partition(".")
        declared = self.dataset.fields.get(own)
        if not dot or declared is None:
            return declared
        target = self.datasets.get(declared.refers_to or "")
        return target.fields.get(other) if target is not None else None

    def free(self, *kinds: str) -> Iterator[tuple[Item, Any]]:
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

    # What is asked for

    def _find_single(self) -> None:
        """Is it about one row: the latest, the oldest, a number?"""
        for figure in self.figures:
            if figure.kind == "id" or (figure.kind == "bare" and self._names_a_row(figure)):
                if self.dataset.key is not None:
                    figure.kind = "taken"
                    self.query.add_filter(self.dataset.key, "eq", figure.number)
                    self.single = True
        for item in self.items:
            if item.marked("latest") and self._about_rows(item):
                item.used = True
                self.latest = item.mark.value if item.mark is not None else "desc"
                if self._top() is None and not self._plural_after(item):
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

    # Groups

    def _explicit_groups(self) -> bool:
        """ "per X", "by X and Y", "X별", "daily". True if there are any."""
        for item in self.items:
            if item.mark is None or item.used:
                continue
            if item.mark.kind == "bucket" and self.dataset.time is not None:
                item.used = True
                self._add_bucket(item.mark.value)
            elif item.mark.kind == "trend" and self.dataset.time is not None:
                item.used = True
                self._add_bucket("day")
            elif item.mark.kind == "group":
                self._group_after(item)
            elif item.mark.kind == "group_after":
                before = self.previous_item(item, 0)
                sense = before.of("field", "refnoun") if before is not None else None
                if before is not None and sense is not None and self.categorical(sense.name):
                    before.used = item.used = True
                    self._add_group(sense.name)
        return bool(self.query.group_by)

    def _group_after(self, mark: Item) -> None:
        item, reach = self.next_item(mark, 1), 1
        while item is not None:
            sense = item.of("field", "refnoun")
            other = item.of("value", "condition") if mark.end == item.start else None
            if sense is None or (other is not None and not self.categorical(sense.name)):
                break
            if not self.categorical(sense.name):
                break
            mark.used = item.used = True
            self._add_group(sense.name)
            joint = self.next_item(item, 0)
            if joint is None or not (joint.marked("and") or joint.marked("group")):
                break
            follower = self.next_item(joint, 0)
            if follower is None or follower.of("field", "refnoun") is None:
                break
            joint.used, item = True, follower
        del reach

    def _add_group(self, name: str) -> None:
        name = self.group_name(name)
        if name not in self.query.group_by:
            self.query.group_by.append(name)

    def _add_bucket(self, size: str) -> None:
        assert self.dataset.time is not None
        bucket: dict[str, Any] = {"field": self.dataset.time, "bucket": size}
        if self.offset_minutes:
            bucket["offset_minutes"] = self.offset_minutes
        if bucket not in self.query.group_by:
            self.query.group_by.append(bucket)

    # Figures

    def _target(self) -> Target | None:
        """What is counted or figured; None for a list."""
        fns = [item for item in self.items if item.marked("fn") and not item.used]
        names = [item.mark.value for item in fns if item.mark is not None]
        measured = next(self.free("measure"), None)
        number = next(
            ((item, sense) for item, sense in self.free("field") if self._is_number(sense.name)), None
        )
        fn = next((name for name in names if name in _FIGURES), None)
        for item in fns:
            item.used = True
        if "share" in names:
            self.filters.ask_share(next(item for item in fns if item.marked("fn", "share")))
            return Target("count", None, "count")
        if "distinct" in names or "count" in names:
            counted = self._counted(fns)
            if counted is not None:
                return counted
            if fn is None and self._counts_rows(fns):
                return Target("count", None, "count")
        if measured is not None:
            return self._measured(measured[0], measured[1].name, fn)
        if number is not None and (fn is not None or {"count", "sum?"} & set(names)):
            if fn in (None, "sum") and self.single:
                return None
            number[0].used = True
            return self._over(number[1].name, fn or "sum")
        if fn is not None and fn != "sum":
            asked = self._figured_field(fn)
            if asked is not None:
                return asked
        if "count" in names or fn == "sum":
            return Target("count", None, "count")
        default = self.dataset.measures.get(self.dataset.default_measure or "")
        if default is not None and (self.periods or "sum?" in names or self.query.group_by):
            return self._of_measure(default, self.dataset.default_measure or "", fn)
        if self.query.group_by:
            return Target("count", None, "count")
        return None

    def _is_number(self, name: str) -> bool:
        declared = self.field_of(name)
        return declared is not None and declared.type == "number"

    def _counted(self, fns: list[Item]) -> Target | None:
        """ "how many different services", "how many hosts have alerts": distinct values of a field."""
        distinct = any(item.marked("fn", "distinct") for item in fns)
        for mark in fns:
            if not (mark.marked("fn", "count") or mark.marked("fn", "distinct")):
                continue
            item = self.next_item(mark, 1)
            sense = item.of("field", "refnoun") if item is not None and item.of("noun") is None else None
            if item is None or sense is None or not self.categorical(sense.name):
                continue
            if item.of("value", "condition", "measure") is not None and not distinct:
                continue
            item.used = True
            self.notes.append(f"counted different values of {sense.name}")
            return Target("count_distinct", sense.name, f"different_{sense.name.replace('.', '_')}")
        return None

    def _counts_rows(self, fns: list[Item]) -> bool:
        """ "how many hosts have …": what is counted stands right behind."""
        for mark in fns:
            item = self.next_item(mark, 1)
            if mark.marked("fn", "count") and item is not None and item.of("noun") and not item.of("measure"):
                return True
        return False

    def _figured_field(self, fn: str) -> Target | None:
        """The field that "average" or "p95" is about when none is named: a duration asked for, or a default."""
        asked = next((item for item in self.items if item.marked("ask", "how_long")), None)
        lasting = next((name for name, each in self.dataset.fields.items() if "how_long" in each.asks), None)
        if asked is not None and lasting is not None:
            asked.used = True
            return self._over(lasting, fn)
        default = self.dataset.measures.get(self.dataset.default_measure or "")
        return (
            self._of_measure(default, self.dataset.default_measure or "", fn) if default is not None else None
        )

    def _measured(self, item: Item, name: str, fn: str | None) -> Target | None:
        measure = self.dataset.measures[name]
        item.used = True
        if self.single and measure.field is not None:
            return None
        return self._of_measure(measure, name, fn)

    def _of_measure(self, measure: Measure, name: str, fn: str | None) -> Target:
        chosen = measure.fn
        if fn is not None and not (
            fn == "sum" and measure.fn != "sum" and name == self.dataset.default_measure
        ):
            chosen = fn if measure.fn not in ("count", "count_distinct") else measure.fn
        if measure.fn == "sum" and fn == "max":
            chosen = "sum"  # "highest revenue" is about the sums
        for each in measure.filters:
            if not any(held["field"] == each.field for held in self.query.filters):
                self.query.add_filter(each.field, each.op, each.value)
        column = name if chosen == measure.fn else f"{chosen}_{name}"
        return Target(chosen, measure.field, column, measure)

    def _over(self, name: str, fn: str) -> Target:
        return Target(fn, name, f"{fn}_{name.replace('.', '_')}")

    # Order

    def _ranking(self, grouped: bool) -> str:
        """Most, fewest, longest, top 5: what rows or groups are ordered by. The direction, empty for none."""
        item = self._superlative()
        day = self.marked("day")
        if item is not None and day is not None and self.dataset.time is not None and not self.query.group_by:
            item.used = day.used = True
            self._add_bucket(day.mark.value if day.mark is not None else "day")
            return self._direction(item)
        rank = self.marked("rank")
        if item is None and rank is not None:
            rank.used = True
            self._asked_groups(ranked=True)
            return "desc" if self.query.group_by else ""
        if item is None:
            if self._top() is None or self.latest:
                self._asked_groups(ranked=False)
                return ""
            direction = "desc"
        else:
            item.used = True
            direction = self._direction(item)
        if self.latest and item is None:
            return ""
        self._asked_groups(ranked=True)
        if self.query.group_by:
            for by in self.query.group_by:
                declared = self.field_of(by) if isinstance(by, str) else None
                if declared is not None and declared.type == "entity" and not grouped:
                    self.query.add_filter(str(by), "not_null")
            return direction
        name = self._ordered_by(item)
        if name is None:
            return direction
        if self.target is not None and self.target.fn != "count" and item is not None and item.marked("fn"):
            return ""
        self.target = None
        self.query.order_by = [{"field": name, "desc": direction == "desc"}]
        self.query.add_filter(name, "not_null")
        if name not in self.query.fields:
            self.kind = name
        self.query.limit = self._top() or (LISTED if self._plural_noun() else 1)
        return direction

    def _superlative(self) -> Item | None:
        for item in self.items:
            if item.used and item.of("extreme") is None:
                continue
            if item.marked("most") or item.marked("large") or item.of("extreme") is not None:
                return item
        asked = any(item.marked("ask") for item in self.items)
        for item in self.items:
            if (
                (item.marked("fn", "max") or item.marked("fn", "min"))
                and asked
                and self._group_field() is not None
            ):
                return item
        return None

    def _direction(self, item: Item) -> str:
        sense = item.of("extreme")
        if sense is not None:
            return sense.value
        if item.mark is not None and item.mark.kind == "fn":
            return "asc" if item.mark.value == "min" else "desc"
        return item.mark.value if item.mark is not None else "desc"

    def _ordered_by(self, item: Item | None) -> str | None:
        """The field that rows are ordered by: named behind the superlative, meant by it, or the only figure."""
        numbers = [(each, sense) for each, sense in self.free("field", "measure")]
        for each, sense in numbers:
            name = sense.name
            if sense.kind == "measure":
                name = self.dataset.measures[sense.name].field or ""
            if self._is_number(name):
                each.used = True
                return name
        if self.target is not None and self.target.field is not None and self._is_number(self.target.field):
            return self.target.field
        sense = item.of("extreme") if item is not None else None
        if sense is not None:
            return sense.name
        if item is not None and item.marked("large"):
            shown = [
                n for n, each in self.dataset.fields.items() if each.type == "number" and not each.hidden
            ]
            return shown[0] if shown else None
        return None

    def _plural_noun(self) -> bool:
        for item in self.items:
            if item.of("noun") is not None:
                word = self.words[item.end - 1]
                return word.text != word.stem and word.text.endswith("s")
        return False

    def _group_field(self) -> tuple[Item, str] | None:
        """The field that "which", "who" or "top 5" asks for."""
        for item, sense in self.free("field", "refnoun"):
            if self.categorical(sense.name) and item.of("noun") is None:
                return item, sense.name
        asked = next((item for item in self.items if item.marked("ask") and not item.used), None)
        if asked is not None and asked.mark is not None and asked.mark.value in ("who", "where"):
            name = next((n for n, each in self.dataset.fields.items() if asked.mark.value in each.asks), None)
            return (asked, name) if name is not None else None
        return None

    def _asked_groups(self, *, ranked: bool) -> None:
        """A field that is asked for by itself: with a ranking always a group, else where one asks which."""
        if self.single or self.query.group_by:
            return
        found = self._group_field()
        if found is None:
            return
        item, name = found
        asking = any(each.marked("ask", "which") or each.marked("ask", "who") for each in self.items)
        leading = not any(each.of("noun") for each in self.items if each.start < item.start)
        bounded = any(figure.kind == "bound" for figure in self.figures)
        if (
            ranked
            or (asking and leading and not self.latest)
            or (bounded and leading and self._bound_counts())
        ):
            if ranked and not leading and self._ordered_alone():
                return
            item.used = True
            self._add_group(name)

    def _ordered_alone(self) -> bool:
        """ "the longest incident and its service": the superlative is about rows, not groups."""
        extreme = next((item for item in self.items if item.of("extreme") or item.marked("large")), None)
        noun = next((item for item in self.items if item.of("noun")), None)
        return extreme is not None and noun is not None and extreme.end <= noun.start and self.target is None

    def _bound_counts(self) -> bool:
        return any(
            figure.kind == "bound" and not self.filters.field_of_bound(figure) for figure in self.figures
        )

    # What it comes to

    def _figure_bounds(self) -> None:
        for figure in self.figures:
            if figure.kind == "bound":
                self.filters.bound(figure)

    def aggregates(self) -> list[dict[str, Any]]:
        """The figure asked for; durations in minutes also in hours' company, averages beside how many they are of."""
        target = self.target or Target("count", None, "count")
        figure: dict[str, Any] = {"fn": target.fn, "as": target.name}
        if target.field is not None:
            figure["field"] = target.field
        found = [figure]
        if target.fn not in ("count", "count_distinct"):
            found.append({"fn": "count", "as": "count"} | ({"field": target.field} if target.field else {}))
        default = self.dataset.measures.get(self.dataset.default_measure or "")
        if target.measure is not None and target.measure is default and target.fn in ("avg", "max"):
            other = "max" if target.fn == "avg" else "avg"
            found.append({"fn": other, "field": target.field, "as": other})
        return found

    def _both_periods(self) -> None:
        """A figure over "last week" is given for the calendar's week and for the seven days up to now."""
        both = self.filters.both
        if both is None or self.filters.share:
            return
        query, name = self.query, self.filters.time_field
        timed = [each for period in both for each in period.filters(name)]
        query.filters = [each for each in query.filters if each not in timed]
        wide = Period(min(each.since for each in both), max(each.until for each in both), "", both[0].zone,
                      both[0].dates, open_end=both[1].open_end)  # fmt: skip
        for each in wide.filters(name):
            query.add_filter(each["field"], each["op"], each["value"])
        first = query.aggregates[0]
        second = {**first, "as": f"{first['as']}_past_{both[1].words.replace(' ', '_')}"}
        query.aggregates = [{**each, "where": both[0].filters(name)} for each in query.aggregates]
        query.aggregates.append({**second, "where": both[1].filters(name)})
        self.notes.append(
            f"'{both[0].words}' is read as the calendar has it, and as the past {both[1].words}"
        )

    def _figured(self) -> None:
        assert self.target is not None
        self.query.aggregates = self.aggregates()
        measure = self.target.measure
        if measure is not None:
            told = {held["field"] for held in self.query.filters if held["op"] == "eq"}
            self.query.group_by += [name for name in measure.group_by if name not in told]

    def _grouped(self, direction: str) -> None:
        self.query.aggregates = self.aggregates()
        name = self.query.aggregates[0]["as"]
        measure = self.target.measure if self.target is not None else None
        if measure is not None:
            told = {held["field"] for held in self.query.filters if held["op"] == "eq"}
            more = [each for each in measure.group_by if each not in told and each not in self.query.group_by]
            self.query.group_by += more
        timed = any(isinstance(each, dict) for each in self.query.group_by)
        if not timed or direction:
            self.query.order_by = [{"field": name, "desc": direction != "asc"}]
        self.query.limit = self._top() or (RANKED if direction else None)

    def _share(self) -> None:
        self.query.aggregates = [
            {"fn": "share", "as": "share", "where": self.filters.share},
            {"fn": "count", "as": "part", "where": self.filters.share},
            {"fn": "count", "as": "of_all"},
        ]
        if self.query.group_by:
            self.query.order_by = [{"field": "share", "desc": True}]

    def _compare(self) -> None:
        """The same figure over two periods, their difference and its percentage."""
        first, second = self.filters.compared
        target = self.target or Target("count", None, "count")
        for name, period in (("first", first), ("second", second)):
            figure: dict[str, Any] = {
                "fn": target.fn,
                "as": name,
                "where": period.filters(self.filters.time_field),
            }
            if target.field is not None:
                figure["field"] = target.field
            self.query.aggregates.append(figure)
        self.query.derived = [
            {"as": "change", "op": "difference", "left": "first", "right": "second"},
            {"as": "change_percent", "op": "change_percent", "left": "first", "right": "second"},
        ]
        edges = [edge for period in (first, second) for edge in (period.since, period.until)]
        wide = Period(min(edges), max(edges), "", first.zone)
        for each in wide.filters(self.filters.time_field):
            self.query.add_filter(each["field"], each["op"], each["value"])
        if self.query.group_by:
            self.query.order_by = [{"field": "first", "desc": True}]
        self.kind = "compare"

    def _list(self) -> None:
        query, dataset = self.query, self.dataset
        asked = self._asked_fields()
        if asked or self.kind:
            label = [name for name in dataset.label if name not in asked] or [dataset.key or ""]
            shown = [*asked, *([self.kind] if self.kind and self.kind not in asked else []), *label]
            query.fields = list(dict.fromkeys(name for name in shown if name))
        if self.latest and dataset.time is not None:
            query.order_by = [{"field": self.filters.time_field, "desc": self.latest == "desc"}]
            query.add_filter(self.filters.time_field, "not_null")
            query.limit = 1 if self.single else self._top() or RANKED
        elif not query.order_by and dataset.time is not None:
            query.order_by = [{"field": dataset.time, "desc": True}]
        if query.limit is None:
            query.limit = self._top() or LISTED

    def _asked_fields(self) -> list[str]:
        """Fields named or asked for with a question word: they come first."""
        found: list[str] = []
        for item in self.items:
            if item.used or item.mark is None or item.mark.kind != "ask":
                continue
            wanted = item.mark.value
            named = [n for n, each in self.dataset.fields.items() if wanted in each.asks and wanted != "what"]
            if wanted == "when" and not named:
                named = [self.filters.time_field] if self.filters.time_field else []
            item.used = bool(named)
            found += [self.group_name(name) for name in named]
        for item, sense in self.free("field"):
            if item.of("noun") is None:
                item.used = True
                found.append(self.group_name(sense.name))
        if "when" in {item.mark.value for item in self.items if item.mark is not None}:
            found = sorted(dict.fromkeys(found), key=lambda name: name != self.filters.time_field)
        return list(dict.fromkeys(found))
