"""What rows are grouped by: "per region", "X별", "daily", and fields that are asked for by themselves."""

from typing import Any

from agents.planning.reading.items import Item
from agents.planning.reading.state import State

_SHORT_S = 2 * 86_400.0


class Groups(State):
    """Reads groups."""

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
                if not self._within_days():
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

    def _within_days(self) -> bool:
        """Is a table by the day too coarse for the course of the period asked about?"""
        declared = self.dataset.fields[self.dataset.time or ""]
        short = bool(self.periods) and self.periods[0].until - self.periods[0].since < _SHORT_S
        return declared.type == "date" and short

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

    def _group_field(self) -> tuple[Item, str] | None:
        """The field that "which", "who" or "top 5" asks for."""
        for item, sense in self.free("field", "refnoun"):
            own = self.names_rows(sense.name)
            if self.categorical(sense.name) and item.of("noun") is None and not own:
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
        if self.dataset.default_measure is not None and self.periods:
            return True  # "services with an error rate above 2 % yesterday": a level for each
        return any(
            figure.kind == "bound" and not self.filters.field_of_bound(figure) for figure in self.figures
        )
