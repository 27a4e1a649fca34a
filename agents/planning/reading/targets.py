"""What is counted or figured: rows, different values, a measure, a field under a function."""

from agents.planning.reading.groups import Groups
from agents.planning.reading.items import Item
from agents.planning.reading.state import FIGURES, Target
from registry.datasets import Measure

_ADDED_UP = frozenset({"sum", "sum of", "add up", "합계", "총합", "총액", "전체 합"})
"""Words that add amounts; "total" may count."""


class Targets(Groups):
    """Reads the figure asked for."""

    def _target(self) -> Target | None:
        """What is counted or figured; None for a list."""
        fns = [item for item in self.items if item.marked("fn") and not item.used]
        names = [item.mark.value for item in fns if item.mark is not None]
        measured = next(self.free("measure"), None)
        number = next(
            ((item, sense) for item, sense in self.free("field") if self._is_number(sense.name)), None
        )
        fn = next((name for name in names if name in FIGURES), None)
        for item in fns:
            item.used = True
        if self._leveled():
            names = [name for name in names if name != "count"]
        rate = self.filters.rate()
        if rate:
            self.filters.share = [rate]
            return Target("count", None, "count")
        if "share" in names and self.dataset.default_measure is None:
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
        meant = next((sense for item in self.items if (sense := item.of("extreme"))), None)
        if fn in ("avg", "median") and meant is not None and self._is_number(meant.name):
            return self._over(meant.name, fn)
        if fn is not None and self.dataset.default_measure is None:
            summed_field = self._summed(fns, fn)
            if summed_field is not None:
                return self._over(summed_field, fn)
        if fn is not None and fn != "sum":
            asked = self._figured_field(fn)
            if asked is not None:
                return asked
        if "count" in names or fn == "sum":
            return Target("count", None, "count")
        if "sum?" in names and self.dataset.default_measure is None:
            summed = next((name for name, each in self.dataset.measures.items() if each.fn == "sum"), None)
            if summed is not None:
                return self._of_measure(self.dataset.measures[summed], summed, None)
        default = self.dataset.measures.get(self.dataset.default_measure or "")
        if default is not None and (self.periods or "sum?" in names or self.query.group_by):
            return self._of_measure(default, self.dataset.default_measure or "", fn)
        if self.query.group_by:
            return Target("count", None, "count")
        return None

    def _leveled(self) -> bool:
        """ "분당 요청 수", "number of requests": of a table of levels the level is asked for, not how many rows."""
        if self.dataset.default_measure is None or any(item.of("noun") for item in self.items):
            return False
        return any(each["field"] == "metric" for each in self.query.filters)

    def _counted(self, fns: list[Item]) -> Target | None:
        """ "how many different services", "how many hosts have alerts": distinct values of a field."""
        distinct = any(item.marked("fn", "distinct") for item in fns)
        for mark in fns:
            if not (mark.marked("fn", "count") or mark.marked("fn", "distinct")):
                continue
            item = self.next_item(mark, 1)
            people = self._people(item) or self._people(self.previous_item(mark, 0))
            if people is not None:
                return people
            sense = item.of("field", "refnoun") if item is not None and item.of("noun") is None else None
            if item is None or sense is None or not self.categorical(sense.name):
                continue
            if item.of("value", "condition", "measure") is not None and not distinct:
                continue
            item.used = True
            self.notes.append(f"counted different values of {sense.name}")
            return Target("count_distinct", sense.name, f"different_{sense.name.replace('.', '_')}")
        return None

    def _people(self, item: Item | None) -> Target | None:
        """ "how many people": different values of the field that "who" asks for."""
        if item is None or not item.marked("people"):
            return None
        name = next((n for n, each in self.dataset.fields.items() if "who" in each.asks), None)
        if name is None or any(each["field"] == name for each in self.query.filters):
            return None
        item.used = True
        self.notes.append(f"counted different values of {name}")
        return Target("count_distinct", name, f"different_{name}")

    def _counts_rows(self, fns: list[Item]) -> bool:
        """ "how many hosts have …": what is counted stands right behind."""
        for mark in fns:
            item = self.next_item(mark, 1)
            if mark.marked("fn", "count") and item is not None and item.of("noun") and not item.of("measure"):
                return True
        return False

    def _summed(self, fns: list[Item], fn: str) -> str | None:
        """ "total minutes", "sum of paid orders": the field meant by its unit, or the only amount there is."""
        numbers = {n: each for n, each in self.dataset.fields.items() if each.type == "number"}
        for name, each in numbers.items():
            lasting = "how_long" in each.asks or not each.computed
            if (
                each.unit
                and lasting
                and not each.hidden
                and any(word.text == each.unit for word in self.words)
            ):
                return name
        said = {" ".join(word.text for word in self.words[item.start : item.end]) for item in fns}
        plain = [name for name, each in numbers.items() if not each.hidden and not each.computed]
        return plain[0] if len(plain) == 1 and (fn != "sum" or not said.isdisjoint(_ADDED_UP)) else None

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
        chosen: str = measure.fn
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
