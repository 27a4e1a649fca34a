"""A period as filters over a time field."""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any


@dataclass(frozen=True, slots=True)
class Period:
    """From ≤ t < to, in Unix seconds, and the words it was read from; `dates` if the field holds days."""

    since: float
    until: float
    words: str
    zone: tzinfo = UTC
    dates: bool = False
    open_end: bool = False
    """It runs up to the moment of asking."""
    other: "Period | None" = None
    """What some mean by the same words: "last week" is also the seven days up to now."""

    def filters(self, name: str) -> list[dict[str, Any]]:
        """The conditions on a field. A day is compared as a day of the asker's zone."""
        found = []
        if self.since > 0:
            found.append({"field": name, "op": "gte", "value": self._edge(self.since, last=False)})
        if self.dates:
            if not self.open_end:
                found.append({"field": name, "op": "lt", "value": self._edge(self.until, last=True)})
        else:
            found.append({"field": name, "op": "lt", "value": self._edge(self.until, last=True)})
        return found

    def _edge(self, at: float, *, last: bool) -> str:
        if not self.dates:
            return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
        moment = datetime.fromtimestamp(at, self.zone)
        if last and (moment.hour or moment.minute or moment.second):
            # A period that ends within a day takes that day in.
            moment = datetime.fromtimestamp(at + 86_400.0, self.zone)
        return moment.date().isoformat()
