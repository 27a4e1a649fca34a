"""Answers of late, as they were on the topic, in bounded memory."""

from collections import OrderedDict
from typing import Any

MAX_BYTES = 64 * 1024 * 1024


class RecentAnswers:
    """Holds every answer since `complete_since`; the oldest go when there are too many bytes."""

    def __init__(self, now: float, max_bytes: int = MAX_BYTES) -> None:
        self._answers: OrderedDict[bytes, bytes] = OrderedDict()
        self._bytes = 0
        self._max_bytes = max_bytes
        self._written_at: dict[bytes, float] = {}
        self.complete_since = now
        """Unix seconds: what is not here and is younger than this does not exist."""

    def take(self, record: Any) -> None:
        """One record of the answers' topic."""
        key, value = record.key, record.value
        if key is None or value is None or key in self._answers:
            return
        self._answers[key] = value
        self._written_at[key] = record.timestamp / 1_000
        self._bytes += len(value)
        while self._bytes > self._max_bytes:
            oldest, gone = self._answers.popitem(last=False)
            self._bytes -= len(gone)
            self.complete_since = max(self.complete_since, self._written_at.pop(oldest))

    def get(self, trace: str) -> bytes | None:
        """The answer's bytes."""
        return self._answers.get(trace.encode())

    def __len__(self) -> int:
        return len(self._answers)
