"""Values, states and what is missing: "urgent", "still open", "without assignee", "sev2 or worse"."""

from collections import defaultdict
from typing import Any, Final

from agents.planning.reading.items import Item
from agents.planning.reading.times import Times
from agents.planning.reading.vocabulary import Sense

_OPPOSITE: Final = {
    "eq": "ne", "ne": "eq", "in": "not_in", "not_in": "in", "is_null": "not_null", "not_null": "is_null", "gt": "lte",
    "gte": "lt", "lt": "gte", "lte": "gt",
}  # fmt: skip


class Values(Times):
    """Reads conditions on values."""

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
        earlier: tuple[Item, str, bool] | None = None
        for item in reading.items:
            if item.used or item.of("value") is None or self._means_other(item):
                continue
            sense = self._value_of(item)
            if self._implied(item, sense):
                item.used = True
                continue
            listed = earlier is not None and earlier[1] == sense.name and self._joined(earlier[0], item)
            negated = self._negated(item) or (listed and earlier is not None and earlier[2])
            earlier = (item, sense.name, negated and not self._prefixed(item))
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
            declared = reading.field_of(name)
            if declared is not None and (declared.type == "text" or declared.shape):
                for value in values:
                    like = value if declared.shape else f"%{value}%"
                    self._put(name, "ne" if negated else "ilike", value if negated else like, place)
                continue
            op = "eq" if len(values) == 1 else "in"
            given: Any = values[0] if len(values) == 1 else values
            self._put(name, _OPPOSITE[op] if negated else op, given, place)
            if (
                len(values) > 1
                and reading.marked("compare") is not None
                and name not in reading.query.group_by
            ):
                reading.query.group_by.append(name)
                for item in reading.items:
                    item.used = item.used or item.marked("compare")

    def _prefixed(self, item: Item) -> bool:
        """ "unacknowledged": a negation within the word reaches no further than it."""
        words = self._reading.words
        return item.start > 0 and words[item.start - 1].at == words[item.start].at

    def _joined(self, first: Item, second: Item) -> bool:
        """ "paid, cancelled or refunded": do only joining words stand between the two?"""
        between = [each for each in self._reading.items if first.end <= each.start < second.start]
        return second.start - first.end <= 2 and all(
            each.marked("or") or each.marked("and") for each in between
        )

    def _implied(self, item: Item, sense: Sense) -> bool:
        """ "not resolved or closed": a state that is none of a field's values names another of them along with it."""
        reading = self._reading
        joint = reading.previous_item(item, 0)
        state = reading.previous_item(joint, 0) if joint is not None and joint.marked("or") else None
        named = state.of("condition") if state is not None else None
        if state is None or named is None or reading.words[state.start].text != "not" or state.used:
            return False
        for each in reading.dataset.conditions[named.name].filters:
            if each.field == sense.name and each.op == "in" and sense.value not in each.value:
                if joint is not None:
                    joint.used = True
                return True
        return False

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
                lasting = next(
                    (each for each in reading.items if each.marked("large") or each.of("extreme")), None
                )
                if lasting is not None and not reading.periods:
                    # "not seen for the longest time": what was seen first of all.
                    lasting.used = reading.single = True
                    self.time_field, reading.latest = sense.name, "asc"
                    continue
                self._put(sense.name, "is_null", None, item.start)
        for item in reading.items:
            sense = item.of("field")
            declared = reading.field_of(sense.name) if sense is not None else None
            if not item.used and sense is not None and declared is not None and declared.type == "bool":
                item.used = True
                self._put(sense.name, "eq", not self._negated(item), item.start)
