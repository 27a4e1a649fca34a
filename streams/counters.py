"""What a worker counted: published as metric points at intervals, so that nothing is ignored unseen."""

from collections import Counter

from schemas.telemetry import MetricPoint

TOMBSTONES = "tombstones_ignored"
QUESTIONS = "questions_read"
DEAD_LETTERS = "dead_letters_written"
ANSWERS = "answers_published"
CALLS = "tool_calls_run"
LATE_EVENTS = "events_after_answer"


class Counters:
    """Counts since the last report, by name and reason."""

    def __init__(self, worker_id: str) -> None:
        self._worker_id = worker_id
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, count: int = 1, *, reason: str = "") -> None:
        self._counts[name, reason] += count

    def report(self, now: float) -> list[MetricPoint]:
        """The points since the last report; the counts begin anew."""
        counts, self._counts = self._counts, Counter()
        return [
            MetricPoint(
                name=name,
                value=float(count),
                at=now,
                tags={"worker": self._worker_id, **({"reason": reason} if reason else {})},
            )
            for (name, reason), count in sorted(counts.items())
        ]
