"""Starts allowed before the next note of them is acknowledged: what lets a limit outlive the worker that holds it.

A note says which starts there were and how many more there may be until the next note. Whoever takes over counts all
of the latter as happened. So the limit holds over a kill at any moment, and few calls ever wait for the broker
(docs/adr/0011-limits-outlive-their-worker.md).
"""

from collections.abc import Callable

from agents.execution.limits import Limits

MOST = 5_000


def credit_of(limits: Limits) -> int:
    """Half a second's calls, at most a tenth of a minute's: a takeover costs that much of the limit, once."""
    return max(1, min(limits.per_second // 2, limits.per_minute // 10, MOST))


class Credit:
    """Of one turnstile. `ask` requests that a note be written; its writer calls `noted` and `acknowledged`."""

    __slots__ = ("_again", "_ask", "_left", "_promised", "_since", "_writing", "amount")

    def __init__(self, limits: Limits, ask: Callable[[], None]) -> None:
        self.amount = credit_of(limits)
        self._ask = ask
        self._left = 0
        self._promised = 0
        self._since = 0
        self._writing = self._again = False

    def limits(self, limits: Limits) -> None:
        """Other limits: the next note says how much they allow."""
        self.amount = credit_of(limits)
        self.touch()

    def has(self) -> bool:
        """May one more be let in?"""
        if self._left > self._promised:
            return True
        if not self._writing:
            self._request()
        return False

    def promise(self) -> None:
        """One was let in and begins a little later."""
        self._promised += 1

    def unpromise(self) -> None:
        self._promised -= 1

    def spend(self) -> None:
        """One has begun."""
        self._left -= 1
        self._since += 1
        if self._left * 2 <= self.amount and not self._writing:
            self._request()

    def touch(self) -> None:
        """Something else that is noted has changed."""
        if self._writing:
            self._again = True
        else:
            self._request()

    def _request(self) -> None:
        self._writing = True
        self._ask()

    def noted(self) -> int:
        """A note of this moment is being sent; how much credit it grants."""
        self._since = 0
        return self.amount

    def acknowledged(self, granted: int) -> None:
        """The note is there: what began since it was made came out of its credit."""
        self._left = granted - self._since
        self._writing = False
        if self._again or self._left * 2 <= self.amount:
            self._again = False
            self._request()

    def refused(self) -> None:
        """The note was not written: the partition is somebody else's now. Nothing more is let in."""
        self._left = 0
        self._writing = self._again = False
