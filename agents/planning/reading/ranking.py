"""By what rows or groups are ordered: most, fewest, longest, top 5."""

from agents.planning.reading.items import Item
from agents.planning.reading.state import LISTED
from agents.planning.reading.targets import Targets


class Ranking(Targets):
    """Reads superlatives."""

    def _ranking(self, grouped: bool) -> str:
        """Most, fewest, longest, top 5: what rows or groups are ordered by. The direction, empty for none."""
        item = self._superlative()
        day = self.marked("day") or next((each for each in self.items if self._asks_day(each)), None)
        if item is not None and day is not None and self.dataset.time is not None and not self.query.group_by:
            item.used = day.used = True
            size = day.mark.value if day.mark is not None and day.mark.kind == "day" else "day"
            self._add_bucket(size)
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

    def _asks_day(self, item: Item) -> bool:
        """ "on which day", "what date"."""
        return item.marked("ask", "when") and any(
            word.text in ("day", "date", "며칠") for word in self.words[item.start : item.end]
        )

    def _superlative(self) -> Item | None:
        for item in self.items:
            if item.used and item.of("extreme") is None:
                continue
            if item.marked("most") or item.marked("large") or item.of("extreme") is not None:
                return item
        for item in self.items:
            if (item.marked("fn", "max") or item.marked("fn", "min")) and self._group_field() is not None:
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
        for each, said in numbers:
            name = said.name
            if said.kind == "measure":
                name = self.dataset.measures[said.name].field or ""
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
