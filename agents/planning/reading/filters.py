"""The conditions of a question: values, states, names, bounds, periods, what is not and what is missing."""

from typing import Any

from agents.planning.reading.items import Item
from agents.planning.reading.limits import Limits


class Filters(Limits):
    """Reads the conditions of one interpretation into its query."""

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
        if not parts:
            said = [each for each, start in self._placed if start >= 0 and each in kept]
            parts = [each for each in said if not self._is_time(each)]
            kept = [each for each in kept if each not in parts]
        self.share, query.filters = parts, kept

    def rate(self) -> dict[str, Any] | None:
        """ "success rate", "실패율": the condition that a share is asked of; None if none is."""
        reading = self._reading
        for mark in reading.items:
            before = reading.previous_item(mark, 0)
            if not mark.marked("rate") or before is None or reading.dataset.default_measure is not None:
                continue
            found = next((condition for condition, place in self._placed if place == before.start), None)
            if found is not None and found in reading.query.filters:
                mark.used = True
                reading.query.filters.remove(found)
                return found
        return None

    def _is_time(self, condition: dict[str, Any]) -> bool:
        declared = self._reading.field_of(condition["field"])
        return declared is None or (
            declared.type in ("time", "date") and condition["op"] not in ("is_null", "not_null")
        )

    def _plain(self, condition: dict[str, Any]) -> bool:
        declared = self._reading.field_of(condition["field"])
        if condition["op"] == "is_null":
            return False
        return declared is not None and declared.type in ("time", "date", "id", "entity", "number")

    def read(self) -> None:
        """All conditions but bounds, which wait until it is known what is figured."""
        self._choose_time()
        self._missing()
        self._values()
        self._conditions()
        self._now()
        self._text()
        self._periods()
