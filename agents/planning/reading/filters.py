"""The conditions of a question: values, states, names, bounds, periods, what is not and what is missing."""

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from agents.planning.reading.items import Figure, Item
from agents.planning.reading.periods import Period
from agents.planning.reading.vocabulary import Sense

if TYPE_CHECKING:
    from agents.planning.reading.interpret import Interpretation

_QUOTED: Final = re.compile(r"[\"“”「『]([^\"“”」』]{1,200})[\"“”」』]|(?<!\w)'([^']{1,200})'(?!\w)")
_OPPOSITE: Final = {
    "eq": "ne", "ne": "eq", "in": "not_in", "not_in": "in", "is_null": "not_null", "not_null": "is_null", "gt": "lte",
    "gte": "lt", "lt": "gte", "lte": "gt",
}  # fmt: skip
_UNIT_WORDS: Final = {
    "minutes": "minutes", "minute": "minutes", "min": "minutes", "mins": "minutes", "분": "minutes", "hours": "hours", "hour": "hours",
    "h": "hours", "hrs": "hours", "시간": "hours", "days": "days", "day": "days", "일": "days", "seconds": "seconds", "초": "seconds",
    "gb": "GB", "gib": "GB", "g": "GB", "기가": "GB", "cores": "cores", "core": "cores", "코어": "cores", "cpus": "cores",
    "percent": "percent", "%": "percent", "퍼센트": "percent", "프로": "percent", "ms": "ms", "milliseconds": "ms", "rows": "rows",
}  # fmt: skip
_IN_SECONDS: Final = {"seconds": 1.0, "minutes": 60.0, "hours": 3_600.0, "days": 86_400.0}
_NOW_WORDS: Final = frozenset({"current", "현재", "ongoing"})
_MONEY: Final = {"$": "USD", "€": "EUR", "₩": "KRW"}


class Filters:
    """Reads the conditions of one interpretation into its query."""

    def __init__(self, reading: "Interpretation") -> None:
        self._reading = reading
        self.time_field = reading.dataset.time or ""
        self.share: list[dict[str, Any]] = []
        self.compared: list[Period] = []
        self._share_mark: Item | None = None
        self.both: tuple[Period, Period] | None = None
        """Two readings of one period."""
        self.starting = False
        self._period_negated = False
        """"not seen in the last 24 hours": the time lies before the period."""

    def ask_share(self, mark: Item) -> None:
        """A share is asked for: what is said of the rows behind their noun is what it is the share of."""
        self._share_mark = mark
        query = self._reading.query
        noun = next(
            (item for item in self._reading.items if item.of("noun") and item.start >= mark.end), None
        )
        placed = [condition for condition, _ in self._placed]
        kept = [condition for condition in query.filters if condition not in placed]
        parts: list[dict[str, Any]] = []
        for condition, start in self._placed:
            if condition not in query.filters:
                continue
            declared = self._reading.field_of(condition["field"])
            timed = declared is not None and declared.type in ("time", "date", "id", "entity")
            behind = noun is not None and start > noun.start
            if timed or start < 0:
                kept.append(condition)
            elif behind or noun is None:
                parts.append(condition)
            else:
                kept.append(condition)
        if not parts:
            parts = [each for each in kept if not self._plain(each)]
            kept = [each for each in kept if self._plain(each)]
        self.share, query.filters = parts, kept

    def _plain(self, condition: dict[str, Any]) -> bool:
        declared = self._reading.field_of(condition["field"])
        return declared is not None and declared.type in ("time", "date", "id", "entity", "number")

    def read(self) -> None:
        """All conditions but bounds, which wait until it is known what is figured."""
        self._placed: list[tuple[dict[str, Any], int]] = []
        self._choose_time()
        self._missing()
        self._values()
        self._conditions()
        self._now()
        self._text()
        self._periods()

    # Time

    def _choose_time(self) -> None:
        """The field a period is about: a verb of time in the question ("resolved last week"), else the default."""
        reading = self._reading
        if not reading.periods and not reading.latest:
            return
        for item in reading.items:
            sense = self._time_sense(item)
            if item.used or sense is None or self._adjectival(item):
                continue
            if sense.name == reading.dataset.time:
                # "opened today" speaks of the opening, not of what is open.
                item.used = item.of("value", "condition") is not None and bool(reading.periods)
                continue
            if self._negated(item):
                if item.of("value", "condition") is not None or not reading.periods:
                    continue
                self._period_negated = True
            if item.of("value", "condition") is not None and reading.latest and not reading.periods:
                continue
            item.used = True
            self.time_field = sense.name
            reading.notes.append(f"read the time as {sense.name}")
            return

    def _time_sense(self, item: Item) -> Sense | None:
        for sense in item.senses:
            declared = self._reading.dataset.fields.get(sense.name)
            if sense.kind == "field" and declared is not None and declared.type in ("time", "date"):
                return sense
        return None

    def _adjectival(self, item: Item) -> bool:
        """ "resolved tickets" speaks of a state, "tickets resolved" of a time."""
        if item.of("value", "condition") is None:
            return False
        if self._reading.words[item.start].korean and (item.start - 1) in self._reading.timed:
            return False  # "어제 해결된 티켓": the day is that of the solving
        follower = self._reading.next_item(item, 0)
        return follower is not None and follower.of("noun") is not None

    def _periods(self) -> None:
        reading = self._reading
        declared = reading.dataset.fields.get(self.time_field)
        if declared is None:
            return
        dates = declared.type == "date"
        periods = [replace(each, dates=dates) for each in reading.periods]
        if len(periods) >= 2:
            self.compared = periods[:2]
            return
        for period in periods:
            if period.other is not None and not self._period_negated and not self.starting:
                self.both = (period, replace(period.other, dates=dates))
            if self._period_negated:
                self._put(self.time_field, "lt", period.filters(self.time_field)[0]["value"], -1)
                continue
            for each in period.filters(self.time_field):
                reading.query.add_filter(each["field"], each["op"], each["value"])
            reading.notes.append(f"read the period as '{period.words}'")

    # Values and states

    def _negated(self, item: Item) -> bool:
        before, after = self._reading.previous_item(item, 2), self._reading.next_item(item, 0)
        if before is not None and before.marked("neg"):
            before.used = True
            return True
        if after is not None and after.marked("neg_after"):
            after.used = True
            return True
        return False

    def _missing(self) -> None:
        """ "without assignee", "no root cause", "담당자 없는"."""
        reading = self._reading
        for item in reading.items:
            if item.used or item.mark is None:
                continue
            if item.mark.kind in ("null", "set"):
                other = reading.next_item(item, 1)
            elif item.mark.kind == "null_after":
                other = reading.previous_item(item, 0)
            else:
                continue
            sense = other.of("field") if other is not None and not other.used else None
            if other is None or sense is None or (other.of("value", "condition") and item.mark.kind == "set"):
                continue
            if item.mark.kind == "set" and self._follows_value(other, sense.name):
                continue
            item.used = other.used = True
            self._put(sense.name, "not_null" if item.mark.kind == "set" else "is_null", None, item.start)

    def _follows_value(self, item: Item, name: str) -> bool:
        follower = self._reading.next_item(item, 1)
        return follower is not None and any(
            each.kind == "value" and each.name == name for each in follower.senses
        )

    def _values(self) -> None:
        reading = self._reading
        chosen: dict[tuple[str, bool], list[str]] = defaultdict(list)
        places: dict[tuple[str, bool], int] = {}
        for item in reading.items:
            if item.used or item.of("value") is None or self._means_other(item):
                continue
            sense = self._value_of(item)
            negated = self._negated(item)
            item.used = True
            key = (sense.name, negated)
            for value in self._or_worse(item, sense):
                if value not in chosen[key]:
                    chosen[key].append(value)
            places.setdefault(key, item.start)
            self._swallow_noun(item, sense.name)
        for (name, negated), values in chosen.items():
            place = places[name, negated]
            name = self._through_itself(name)
            op = "eq" if len(values) == 1 else "in"
            value: Any = values[0] if len(values) == 1 else values
            self._put(name, _OPPOSITE[op] if negated else op, value, place)
            if (
                len(values) > 1
                and reading.marked("compare") is not None
                and name not in reading.query.group_by
            ):
                reading.query.group_by.append(name)

    def _or_worse(self, item: Item, sense: Sense) -> list[str]:
        """The value, and those beyond it where the question says "or worse", "or higher", "이상": of values that
        are numbered the first is the gravest, of others the last."""
        declared = self._reading.field_of(sense.name)
        mark = self._reading.next_item(item, 0)
        if declared is None or declared.type != "enum" or mark is None or not mark.marked("scale"):
            return [sense.value]
        mark.used = True
        values = list(declared.values)
        at = values.index(sense.value)
        numbered = values[0][-1:].isdecimal()
        graver = (mark.mark is not None and mark.mark.value == "up") == numbered
        return values[: at + 1] if graver else values[at:]

    def _through_itself(self, name: str) -> str:
        """ "teams under commerce": a thing that lies below another of its kind is found by the other's name."""
        reading = self._reading
        mark = next((item for item in reading.items if item.marked("under")), None)
        parent = next(
            (n for n, each in reading.dataset.fields.items() if each.refers_to == reading.dataset.id), None
        )
        if mark is None or parent is None or not reading.names_rows(name):
            return name
        mark.used = True
        return f"{parent}.{name}"

    def _means_other(self, item: Item) -> bool:
        """Is the value's word rather a state, or the noun of the rows?"""
        if item.of("noun") is not None and not self._noun_elsewhere(item):
            return True
        return item.of("condition") is not None or (item.of("measure") is not None)

    def _noun_elsewhere(self, item: Item) -> bool:
        return any(each is not item and each.of("noun") is not None for each in self._reading.items)

    def _value_of(self, item: Item) -> Sense:
        """Which field's value: the one whose noun stands beside it, else the dataset's own before a looked-up one."""
        senses = [sense for sense in item.senses if sense.kind == "value"]
        for other in (self._reading.next_item(item, 0), self._reading.previous_item(item, 1)):
            nouns = (
                {sense.name for sense in other.senses if sense.kind == "field"}
                if other is not None
                else set()
            )
            through = (
                {sense.name for sense in other.senses if sense.kind == "refnoun"}
                if other is not None
                else set()
            )
            for sense in senses:
                if sense.name in nouns or sense.name.partition(".")[0] in through:
                    return sense
        return min(senses, key=lambda sense: "." in sense.name)

    def _swallow_noun(self, item: Item, name: str) -> None:
        """The field's own noun beside its value says nothing more: "network queue", "status open"."""
        for other in (self._reading.next_item(item, 0), self._reading.previous_item(item, 1)):
            if other is None or other.used:
                continue
            for sense in other.senses:
                if sense.kind in ("field", "refnoun") and sense.name in (name, name.partition(".")[0]):
                    other.used = True

    def _conditions(self) -> None:
        reading = self._reading
        for item in reading.items:
            sense = item.of("condition")
            if item.used or sense is None:
                continue
            negated = self._negated(item)
            item.used = True
            for each in reading.dataset.conditions[sense.name].filters:
                held = [held for held in reading.query.filters if held["field"] == each.field]
                if held and not negated:
                    continue
                self._put(each.field, _OPPOSITE[each.op] if negated else each.op, each.value, item.start)
        for item in reading.items:
            # "not resolved" where no state is called so: the time it would have been is empty.
            sense = self._time_sense(item)
            if not item.used and sense is not None and self._negated(item):
                item.used = True
                self._put(sense.name, "is_null", None, item.start)
        for item in reading.items:
            sense = item.of("field")
            declared = reading.field_of(sense.name) if sense is not None else None
            if not item.used and sense is not None and declared is not None and declared.type == "bool":
                item.used = True
                self._put(sense.name, "eq", not self._negated(item), item.start)

    def _now(self) -> None:
        """ "right now", "currently" of rows that begin and end: those that have not ended."""
        reading = self._reading
        mark = next((item for item in reading.items if item.marked("still") and not item.used), None)
        if mark is None or reading.periods:
            return
        for condition in reading.dataset.conditions.values():
            if not _NOW_WORDS.isdisjoint(condition.words):
                mark.used = True
                for each in condition.filters:
                    if not any(held["field"] == each.field for held in reading.query.filters):
                        self._put(each.field, each.op, each.value, mark.start)
                return

    def _put(self, name: str, op: str, value: Any, place: int) -> None:
        reading = self._reading
        if isinstance(value, tuple):
            value = list(value)
        before = len(reading.query.filters)
        reading.query.add_filter(name, op, value)
        for condition in reading.query.filters[before:]:
            self._placed.append((condition, place))

    # Texts

    def _text(self) -> None:
        """ "mentioning timeout", quoted words: what a text contains."""
        reading = self._reading
        self._tags()
        texts = [name for name, each in reading.dataset.fields.items() if each.type == "text"]
        if not texts:
            return
        wanted, start = "", -1
        mark = next((item for item in reading.items if item.marked("about") and not item.used), None)
        quoted = _QUOTED.search(reading.question)
        if quoted is not None:
            wanted = (quoted[1] or quoted[2]).strip()
            spoken = set(wanted.casefold().split())
            for item in reading.items:
                if {word.text for word in reading.words[item.start : item.end]} <= spoken:
                    item.used = True
            reading.explained.update(at for at, word in enumerate(reading.words) if word.text in spoken)
        elif mark is not None:
            wanted, start = self._said_beside(mark)
        if not wanted:
            return
        if mark is not None:
            mark.used = True
        named = next((sense.name for item, sense in reading.free("field") if sense.name in texts), None)
        for item, sense in list(reading.free("field")):
            if sense.name == named:
                item.used = True
        computed = next((name for name in texts if reading.dataset.fields[name].computed), texts[0])
        self._put(named or computed, "ilike", f"%{wanted}%", start)
        reading.notes.append(f"looked for '{wanted[:60]}' in {named or computed}")

    def _tags(self) -> None:
        """ "tagged vpn", "with the tag billing", "vpn 태그"."""
        reading = self._reading
        for item, sense in list(reading.free("field")):
            declared = reading.field_of(sense.name)
            if declared is None or declared.type != "tags":
                continue
            mark = Item(item.start, item.end)
            reading.items.append(mark)
            wanted, start = self._said_beside(mark)
            reading.items.remove(mark)
            if wanted:
                item.used = True
                self._put(sense.name, "ilike", f"%{wanted}%", start)

    def _said_beside(self, mark: Item) -> tuple[str, int]:
        """The words behind "mentioning", or before a Korean "언급한", that mean nothing else."""
        reading = self._reading
        claimed = {
            at
            for item in reading.items
            if item.start != mark.start
            and (item.used or item.of("noun", "condition", "measure") or item.marked("null"))
            for at in range(item.start, item.end)
        }
        korean = reading.words[mark.start].korean
        order = range(mark.start - 1, -1, -1) if korean else range(mark.end, len(reading.words))
        taken: list[int] = []
        for at in order:
            word = reading.words[at]
            if at in claimed or at in reading.timed or (word.text in _FILLERS and taken):
                break
            if word.text not in _FILLERS:
                taken.append(at)
            if len(taken) == 4 or (korean and taken):
                break
        reading.explained.update(taken)
        for item in reading.items:
            if any(at in taken for at in range(item.start, item.end)):
                item.used = True
        return " ".join(reading.words[at].text for at in sorted(taken)), mark.start

    # Bounds

    def field_of_bound(self, figure: Figure) -> str | None:
        """The number field a bound is about: by its unit, by the noun beside it, or the only one there is."""
        reading = self._reading
        unit = self._unit(figure)
        numbers = {name: each for name, each in reading.dataset.fields.items() if each.type == "number"}
        near = [
            item
            for item in reading.items
            if abs(item.start - figure.end) <= 2 or abs(figure.start - item.end) <= 2
        ]
        for item in near:
            for sense in item.senses:
                if sense.kind == "field" and sense.name in numbers:
                    return sense.name
                if sense.kind == "measure" and reading.dataset.measures[sense.name].field in numbers:
                    return reading.dataset.measures[sense.name].field
        if unit:
            for name, each in numbers.items():
                if each.unit == unit or (each.unit in _IN_SECONDS and unit in _IN_SECONDS and each.elapsed):
                    return name
        if self._money(figure) is not None:
            return next((name for name, each in numbers.items() if not each.hidden), None)
        behind = next((item for item in near if item.start >= figure.end), None)
        if behind is not None and (
            behind.of("noun", "refnoun") or (behind.of("value", "condition") and self._noun_after(behind))
        ):
            return None
        if reading.dataset.default_measure is not None:
            return reading.dataset.measures[reading.dataset.default_measure].field
        shown = [name for name, each in numbers.items() if not each.hidden and not each.computed]
        return shown[0] if len(shown) == 1 else None

    def _noun_after(self, item: Item) -> bool:
        follower = self._reading.next_item(item, 0)
        return follower is not None and follower.of("noun") is not None

    def _unit(self, figure: Figure) -> str:
        words = self._reading.words[figure.end : figure.end + 1]
        return next((_UNIT_WORDS[word.text] for word in words if word.text in _UNIT_WORDS), "")

    def _money(self, figure: Figure) -> str | None:
        words = self._reading.words[max(figure.start - 1, 0) : figure.end + 2]
        currency = self._reading.dataset.fields.get("currency")
        for word in words:
            value = _MONEY.get(word.text, word.text.upper())
            if currency is not None and value in currency.values:
                return value
        return None

    def bound(self, figure: Figure) -> None:
        """A bound as a filter over rows, or over groups where it counts them."""
        reading = self._reading
        name = self.field_of_bound(figure)
        figure.kind = "taken"
        value: Any = figure.number
        if name is None:
            if reading.query.group_by and figure.op != "between":
                target = reading.target
                reading.query.having.append(
                    {"field": target.name if target is not None else "count", "op": figure.op, "value": value}
                )
            else:
                reading.ignored_figure = True
            return
        declared = reading.field_of(name)
        unit = self._unit(figure)
        factor = 1.0
        if declared is not None and unit in _IN_SECONDS and declared.unit in _IN_SECONDS:
            factor = _IN_SECONDS[unit] / _IN_SECONDS[declared.unit]
        if unit:
            reading.explained.add(figure.end)
        value = _scaled(value, factor)
        if reading.query.group_by and reading.target is not None and reading.target.field == name:
            reading.query.having.append({"field": reading.target.name, "op": figure.op, "value": value})
            return
        if (
            reading.target is not None
            and reading.target.field == name
            and reading.target.fn not in ("count",)
        ):
            return
        if figure.op == "between":
            value = [value, _scaled(figure.high or 0.0, factor)]
        self._put(name, figure.op, value, -1)
        for item, sense in list(reading.free("field", "measure")):
            same = sense.name == name or (
                sense.kind == "measure" and reading.dataset.measures[sense.name].field == name
            )
            if same:
                item.used = True
        reading.notes.append(f"read {figure.op} {figure.value:g} as {name}")


def _scaled(value: float, factor: float) -> int | float:
    scaled = value * factor
    return int(scaled) if float(scaled).is_integer() else scaled


_FILLERS: Final = frozenset(
    "the a an word words text term phrase any in their its 라는 단어 이라는 단어를 에 대한".split()
)
