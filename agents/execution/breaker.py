"""The circuit breaker of one tool. Pure but for memory: time is an argument, in Unix seconds.

closed → open after N consecutive failures → half-open after the reset time, with exactly `probes` calls in flight →
closed after `successes` good ones, open again on a failure. A success resets the count. What neither worked nor
failed (a refusal, a 4xx, a call that never ran) changes nothing. A probe that hangs for `probe_timeout_s` has failed.
"""

from enum import Enum
from typing import NamedTuple

from schemas.errors import ErrorCode
from schemas.health import BreakerState


class Verdict(Enum):
    """What a call says about its tool."""

    WORKED = "worked"
    FAILED = "failed"
    NEITHER = "neither"


_FAILURES = frozenset({ErrorCode.TOOL_TIMEOUT, ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.INTERNAL_ERROR})
_WORKED = frozenset({None, ErrorCode.DATA_NOT_FOUND, ErrorCode.MAX_ROWS_EXCEEDED})


def verdict_of(code: ErrorCode | None) -> Verdict:
    """Finding nothing is good work; refusals and 4xx are the caller's fault."""
    if code is None or code in _WORKED:
        return Verdict.WORKED
    return Verdict.FAILED if code in _FAILURES else Verdict.NEITHER


class BreakerTerms(NamedTuple):
    failures: int = 5
    reset_s: float = 60.0
    probes: int = 1
    successes: int = 2
    probe_timeout_s: float = 60.0


class BreakerNote(NamedTuple):
    """What must outlive a worker."""

    state: BreakerState
    changed_at: float
    failures: int


class Breaker:
    """See the module. `enter` gives a token that `leave` takes back; it is 0 outside half-open."""

    __slots__ = ("_good", "_probes", "_token", "changed_at", "failures", "state", "terms")

    def __init__(self, terms: BreakerTerms) -> None:
        self.terms = terms
        self.state: BreakerState = "closed"
        self.changed_at = 0.0
        self.failures = 0
        """Consecutive ones, while closed."""
        self._good = 0
        self._token = 0
        self._probes: dict[int, float] = {}

    def look(self, now: float) -> BreakerState:
        """The state at this moment: rest ends by itself, and probes that hang are given up."""
        if self.state == "open" and now >= self.retry_at:
            self._become("half_open", self.retry_at)
        elif self.state == "half_open" and self._probes:
            hung = [until for until in self._probes.values() if until <= now]
            if hung:
                self._become("open", now)
        return self.state

    @property
    def retry_at(self) -> float:
        """When the rest of an open breaker ends."""
        return self.changed_at + self.terms.reset_s

    def admits(self, now: float) -> bool:
        """Would a call be let in now?"""
        state = self.state if self.state == "closed" else self.look(now)
        return state == "closed" or (state == "half_open" and len(self._probes) < self.terms.probes)

    def back_at(self, now: float) -> float:
        """When to come back, for a call that is not let in."""
        if self.look(now) == "open":
            return self.retry_at
        return min(self._probes.values(), default=now)

    def enter(self, now: float) -> int:
        """Let a call in that `admits` would let in."""
        if self.state == "closed":
            return 0
        self._token += 1
        self._probes[self._token] = now + self.terms.probe_timeout_s
        return self._token

    def leave(self, token: int, verdict: Verdict, now: float) -> None:
        """A call has ended. Calls let in before the breaker opened say nothing about it any more."""
        if token:
            self.look(now)
            if self._probes.pop(token, None) is None or self.state != "half_open":
                return
            if verdict is Verdict.FAILED:
                self._become("open", now)
            elif verdict is Verdict.WORKED:
                self._good += 1
                if self._good >= self.terms.successes:
                    self._become("closed", now)
        elif self.state == "closed":
            if verdict is Verdict.WORKED:
                self.failures = 0
            elif verdict is Verdict.FAILED:
                self.failures += 1
                if self.failures >= self.terms.failures:
                    self._become("open", now)

    def _become(self, state: BreakerState, at: float) -> None:
        self.state, self.changed_at = state, at
        self.failures = self._good = 0
        self._probes.clear()

    def note(self) -> BreakerNote:
        """What must outlive this worker; probes in flight do not."""
        return BreakerNote(self.state, self.changed_at, self.failures)

    def load(self, note: BreakerNote) -> None:
        """Go on where another worker ended."""
        self._become(note.state, note.changed_at)
        self.failures = note.failures
