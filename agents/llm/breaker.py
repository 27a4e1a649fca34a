"""A breaker of the language model's own: an endpoint that failed repeatedly is left alone for a while."""

from typing import Literal

State = Literal["closed", "open", "half_open"]

_CLOSING_SUCCESSES = 2


class LlmBreaker:
    """Closed → open after `failures` in a row → half open after `reset_s` with one probe at a time → closed after two
    successes, open again on a failure. Time is an argument, in seconds of any one clock. A call that was let in must be
    told of by `succeeded`, `failed` or `forgotten`."""

    def __init__(self, *, failures: int = 5, reset_s: float = 60.0) -> None:
        self._limit = failures
        self._reset_s = reset_s
        self._failures = 0
        self._successes = 0
        self._opened_at: float | None = None
        self._probing = False

    def state(self, now: float) -> State:
        if self._opened_at is None:
            return "closed"
        return "open" if now < self._opened_at + self._reset_s else "half_open"

    def enter(self, now: float) -> float | None:
        """None lets the call in; else the seconds until it may be tried again."""
        if self._opened_at is None:
            return None
        left_s = self._opened_at + self._reset_s - now
        if left_s > 0:
            return left_s
        if self._probing:
            return 1.0
        self._probing = True
        return None

    def succeeded(self) -> None:
        self._failures = 0
        self._probing = False
        if self._opened_at is not None:
            self._successes += 1
            if self._successes >= _CLOSING_SUCCESSES:
                self._opened_at, self._successes = None, 0

    def failed(self, now: float) -> None:
        self._probing = False
        self._successes = 0
        self._failures += 1
        if self._opened_at is not None or self._failures >= self._limit:
            self._opened_at, self._failures = now, 0

    def forgotten(self) -> None:
        """The call says nothing about the endpoint: it was refused, or nobody waited for its end."""
        self._probing = False
