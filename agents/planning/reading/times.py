"""The time of a question: which field a period is about, and what the period asks of it."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from agents.planning.reading.endings import TAIL_SET
from agents.planning.reading.items import Item
from agents.planning.reading.periods import Period
from agents.planning.reading.vocabulary import Sense

if TYPE_CHECKING:
    from agents.planning.reading.state import State

_NOW_WORDS: Final = frozenset({"current", "현재", "ongoing"})


class Times:
    """Reads the conditions of one interpretation into its query, those of time first."""

    def __init__(self, reading: "State") -> None:
        self._reading = reading
        self.time_field = reading.dataset.time or ""
        self.share: list[dict[str, Any]] = []
        self.compared: list[Period] = []
        self._share_mark: Item | None = None
        self._placed: list[tuple[dict[str, Any], int]] = []
        """Conditions with the place of the word that said them; -1 where none did."""
        self.both: tuple[Period, Period] | None = None
        """Two readings of one period."""
        self.starting = False
        self.claimed: dict[int, str] = {}
        """Figures, by identity, and the field each belongs to."""
        self._period_negated = False
        """"not seen in the last 24 hours": the time lies before the period."""

    def _negated(self, item: Item) -> bool:
        before, after = self._reading.previous_item(item, 2), self._reading.next_item(item, 0)
        if before is not None and before.marked("neg"):
            before.used = True
            return True
        if after is None and item.end < len(self._reading.words):
            particle = self._reading.words[item.end].text in TAIL_SET
            after = self._reading.next_item(item, 1) if particle else None
        if after is not None and after.marked("neg_after"):
            after.used = True
            return True
        return False

    def _put(self, name: str, op: str, value: Any, place: int) -> None:
        reading = self._reading
        if isinstance(value, tuple):
            value = list(value)
        before = len(reading.query.filters)
        reading.query.add_filter(name, op, value)
        for condition in reading.query.filters[before:]:
            self._placed.append((condition, place))

    def _choose_time(self) -> None:
        """The field a period is about: a verb of time in the question ("resolved last week"), else the default."""
        reading = self._reading
        if not reading.periods and not reading.latest and reading.marked("ask", "when") is None:
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
        if self._reading.words[item.start].korean and self._reading.periods:
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
        if len(periods) == 1 and reading.marked("compare") is not None and not reading.query.group_by:
            periods = _with_neighbour(periods[0], reading.now)
            for figure in reading.figures:  # "with the 7 days before"
                follower = reading.words[figure.end].text if figure.end < len(reading.words) else ""
                if figure.kind == "bare" and follower.rstrip("s") in ("hour", "day", "week", "month"):
                    figure.kind = "taken"
        if len(periods) >= 2:
            self.compared = periods[:2]
            for item in reading.items:
                item.used = item.used or item.marked("compare")
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


def _with_neighbour(period: Period, now: float) -> list[Period]:
    """What a period is compared with when only one is named: what followed it, or else what came before it."""
    length = period.until - period.since
    if period.open_end:
        return [
            period,
            replace(period, since=period.since - length, until=period.since, open_end=False, other=None),
        ]
    following = replace(period, since=period.until, until=min(period.until + length, now), other=None)
    return [following, replace(period, other=None)] if following.since < following.until else [period]
