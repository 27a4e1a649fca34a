"""What was seen of a tool's last calls: how long they took and how many failed."""

from collections import deque
from typing import NamedTuple

KEPT = 200


class Figures(NamedTuple):
    """Of the last calls, at most `KEPT`."""

    calls: int
    failure_rate: float
    p50_ms: float
    p95_ms: float


class Observed:
    """The last calls of one tool."""

    __slots__ = ("_calls", "total")

    def __init__(self) -> None:
        self.total = 0
        """Calls ever seen here."""
        self._calls: deque[tuple[float, bool]] = deque(maxlen=KEPT)

    def add(self, duration_s: float, failed: bool) -> None:
        self.total += 1
        self._calls.append((duration_s, failed))

    def figures(self) -> Figures:
        """Durations are those of the calls that did not fail, for a call that was cut off took as long as it might;
        nearest rank."""
        calls = len(self._calls)
        if not calls:
            return Figures(0, 0.0, 0.0, 0.0)
        failures = sum(failed for _, failed in self._calls)
        durations_s = sorted(took for took, failed in self._calls if not failed) or [
            max(took for took, _ in self._calls)
        ]
        last = len(durations_s) - 1
        p50_s, p95_s = durations_s[round(last * 0.5)], durations_s[round(last * 0.95)]
        return Figures(calls, failures / calls, round(p50_s * 1000, 3), round(p95_s * 1000, 3))
