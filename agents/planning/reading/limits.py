"""Bounds: "more than 8 cores", "under an hour", "over 100 EUR", and groups with more than so many rows."""

from datetime import UTC, datetime
from typing import Any, Final

from agents.planning.reading.items import Figure, Item
from agents.planning.reading.texts import Texts

_UNITS: Final = {
    "minutes": "minutes minute min mins 분",
    "hours": "hours hour h hrs 시간",
    "days": "days day 일",
    "seconds": "seconds second 초",
    "GB": "gb gib g 기가",
    "cores": "cores core cpus 코어",
    "percent": "percent % 퍼센트 프로",
    "ms": "ms milliseconds",
    "rows": "rows",
}
UNIT_WORDS: Final = {word: unit for unit, words in _UNITS.items() for word in words.split()}
_IN_SECONDS: Final = {"seconds": 1.0, "minutes": 60.0, "hours": 3_600.0, "days": 86_400.0}
_FIGURED: Final = ("avg", "min", "max", "median", "p50", "p90", "p95", "p99")
_MONEY: Final = {"$": "USD", "€": "EUR", "₩": "KRW"}


class Limits(Texts):
    """Reads bounds."""

    def claim(self) -> None:
        """ "more than 16 cores", "an sla of 60 minutes": the field belongs to its number, and is not asked for."""
        reading = self._reading
        for figure in reading.figures:
            if figure.kind not in ("bound", "bare"):
                continue
            item = self._named_beside(figure)
            if item is None:
                continue
            figure.kind = "bound"
            before = reading.previous_item(item, 1)
            figured = before is not None and before.marked("fn") and before.mark is not None
            if not (
                figured and before is not None and before.mark is not None and before.mark.value in _FIGURED
            ):
                item.used = True
                self.claimed[id(figure)] = next(
                    sense.name
                    for sense in item.senses
                    if sense.kind == "field" and reading._is_number(sense.name)
                )

    def _named_beside(self, figure: Figure) -> Item | None:
        """The item of a number field right behind a figure, or before it with nothing but small words between."""
        reading = self._reading
        if reading.dataset.default_measure is not None:
            return None
        unit = 1 if self._unit(figure) else 0
        for item in reading.items:
            named = any(
                sense.kind == "field" and reading._is_number(sense.name) and "." not in sense.name
                for sense in item.senses
            )
            if not named or item.used or item.of("noun"):
                continue
            behind = 0 <= item.start - figure.end <= unit + 1
            ahead = 0 <= figure.start - item.end <= 2 and not any(
                each is not item and item.end <= each.start < figure.start for each in reading.items
            )
            if behind or ahead:
                return item
        return None

    def field_of_bound(self, figure: Figure) -> str | None:
        """The number field a bound is about: by its unit, by the noun beside it, or the only one there is."""
        reading = self._reading
        if id(figure) in self.claimed:
            return self.claimed[id(figure)]
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
            if unit in _IN_SECONDS:
                return None
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

    def _of_age(self, figure: Figure) -> bool:
        """ "older than 60 days": rows whose time lies before that, or after it where they are younger."""
        reading, unit = self._reading, self._unit(figure)
        name = reading.dataset.time
        declared = reading.dataset.fields.get(name or "")
        if name is None or declared is None or declared.type != "time" or unit not in _IN_SECONDS:
            return False
        reading.explained.add(figure.end)
        at = datetime.fromtimestamp(reading.now - figure.value * _IN_SECONDS[unit], UTC)
        op = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}.get(figure.op)
        if op is None:
            return False
        self._put(name, op, at.strftime("%Y-%m-%d %H:%M:%S"), -1)
        return True

    def _noun_after(self, item: Item) -> bool:
        follower = self._reading.next_item(item, 0)
        return follower is not None and follower.of("noun") is not None

    def _unit(self, figure: Figure) -> str:
        words = self._reading.words[figure.end : figure.end + 1]
        return next((UNIT_WORDS[word.text] for word in words if word.text in UNIT_WORDS), "")

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
        if name is None and self._of_age(figure):
            return
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
