"""Stateful gates on the path: where a rate limit or a breaker stands, between the guard and the bulkhead."""

from typing import Protocol

from agents.execution.admission import Admitted
from agents.execution.guards.verdict import Refuse
from schemas.calls import ToolCalled
from schemas.errors import ErrorCode


class Gate(Protocol):
    """Asked before every attempt, told of its end. Gates are asked in order; who let a call in is always told."""

    def enter(self, admitted: Admitted, called: ToolCalled, now: float) -> Refuse | None:
        """None lets the attempt go on."""
        ...

    def leave(
        self, admitted: Admitted, called: ToolCalled, ran: bool, code: ErrorCode | None, now: float
    ) -> None:
        """The attempt is over: whether it ran at all, and the code it failed with."""
        ...
