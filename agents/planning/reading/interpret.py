"""From items to a query: which filters, which figure, by what, in which order. One dataset at a time."""

from typing import Any

from agents.planning.reading.periods import Period
from agents.planning.reading.ranking import Ranking
from agents.planning.reading.state import LISTED, RANKED, Target
from agents.planning.reading.wording import OF_ALL


class Interpretation(Ranking):
    """One reading, from beginning to end."""

    def run(self) -> None:
        """Read everything, in the order in which one thing decides the next."""
        self._find_single()
        self.filters.claim()
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
        defined = self._defining()
        if defined:
            found = [{**each, "where": defined} for each in found]
            found.append({**figure, "as": f"{target.name}{OF_ALL}"})
        default = self.dataset.measures.get(self.dataset.default_measure or "")
        if target.measure is not None and target.measure is default and target.fn in ("avg", "max"):
            other = "max" if target.fn == "avg" else "avg"
            found.append({"fn": other, "field": target.field, "as": other})
        return found

    def _defining(self) -> list[dict[str, Any]]:
        """What a measure says of its rows though the question does not: the figure is then given without it too."""
        measure = self.target.measure if self.target is not None else None
        if measure is None or self.filters.compared or self.filters.share:
            return []
        own = [{"field": each.field, "op": each.op, "value": _plain(each.value)} for each in measure.filters]
        defined = [each for each in own if each in self.query.filters]
        self.query.filters = [each for each in self.query.filters if each not in defined]
        return defined

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
        query.aggregates = [
            {**each, "where": [*each.get("where", ()), *both[0].filters(name)]} for each in query.aggregates
        ]
        query.aggregates.append({**second, "where": [*second.get("where", ()), *both[1].filters(name)]})
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


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
