"""The last part of the path: through the turnstile, run under the deadline, try again as the policy allows."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from agents.execution.admission import Admitted
from agents.execution.gates import Gates
from agents.execution.guards.verdict import Refuse
from agents.execution.outcomes import refusal
from agents.execution.retrying import RETRIED, asked_pause_s, pause_s
from agents.execution.tool import Invocation
from agents.execution.turnstile import NOTHING_LIFTED, Lifts, Pass, Turnstile
from agents.execution.within import TimedOut, cancelled_from_outside, within
from schemas.calls import ToolCalled, ToolOutput
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.shards import WHOLE, shard_of

_CLOSING_S = 2.0
_CLOCK_SLACK_S = 0.05
_ENOUGH_CALLS, _TIMES_P95 = 20, 3.0
"""So many calls seen, and so many times as long as 95 of 100 of them took: then a hurried call was slow indeed."""


class Tried(NamedTuple):
    """How it ended. `began_at` is when the tool first began, None if it never did."""

    outcome: ToolOutput | OpsError
    retries: int
    began_at: float | None
    waited_s: float = 0.0
    """Before the turnstile, over all tries."""


def _had_its_time(turnstile: Turnstile, admitted: Admitted, invocation: Invocation) -> bool:
    """Does a timeout say anything about the tool? Not where the question gave it less time than its own timeout and
    its policy do, and less than its calls are known to take."""
    if invocation.timeout_s >= admitted.timeout_s - _CLOCK_SLACK_S:
        return True
    figures = turnstile.observed.figures()
    return figures.calls >= _ENOUGH_CALLS and invocation.timeout_s >= _TIMES_P95 * figures.p95_ms / 1000


class Attempts:
    """Runs what was admitted and guarded. `clock` gives Unix seconds, `chance` 0 ≤ x < 1."""

    def __init__(self, gates: Gates, clock: Callable[[], float], chance: Callable[[], float]) -> None:
        self.gates = gates
        self._clock = clock
        self._chance = chance
        self._leftovers: set[asyncio.Task[None]] = set()

    async def of(
        self, called: ToolCalled, admitted: Admitted, invocation: Invocation, lifts: Lifts = NOTHING_LIFTED
    ) -> Tried:
        """Try, and try again; each try goes through the turnstile, and none begins after the deadline."""
        shard = WHOLE if called.shards == 1 else shard_of(called.call_id, called.shards)
        turnstile = self.gates.turnstile(admitted, shard)
        limit_s, began_at, retries, waited_s = invocation.timeout_s, None, 0, 0.0
        while True:
            now = self._clock()
            passed = turnstile.try_enter(called.tenant_id, now, lifts)
            if passed is None:
                passed = await turnstile.wait(called.tenant_id, called.deadline_at, limit_s)
                waited_s += self._clock() - now
            if isinstance(passed, Refuse):
                return Tried(refusal(passed), retries, began_at, waited_s)
            if passed.promised:
                began = turnstile.begin(passed)
                left_s = max(0.0, called.deadline_at - began)
                invocation = invocation._replace(timeout_s=min(limit_s, left_s))
            if began_at is None:
                began_at = passed.started_at
            outcome = await self._run(turnstile, passed, admitted, invocation)
            if isinstance(outcome, ToolOutput) or outcome.code not in RETRIED or not outcome.retryable:
                return Tried(outcome, retries, began_at, waited_s)
            if retries >= admitted.policy.retries:
                return Tried(outcome, retries, began_at, waited_s)
            pause = max(pause_s(retries, self._chance), asked_pause_s(outcome))
            if self._clock() + pause >= called.deadline_at:
                return Tried(outcome, retries, began_at, waited_s)
            await asyncio.sleep(pause)
            left_s = called.deadline_at - self._clock()
            if left_s <= 0:
                return Tried(outcome, retries, began_at, waited_s)
            retries += 1
            invocation = invocation._replace(timeout_s=min(limit_s, left_s))

    async def _run(
        self, turnstile: Turnstile, passed: Pass, admitted: Admitted, invocation: Invocation
    ) -> ToolOutput | OpsError:
        """One try, behind the turnstile."""
        try:
            outcome = await within(admitted.adapter.run(invocation), invocation.timeout_s)
        except asyncio.CancelledError:
            lost = cancelled_from_outside()
            turnstile.leave(passed, not lost, None if lost else ErrorCode.INTERNAL_ERROR, self._clock())
            raise
        except BaseException:
            turnstile.leave(passed, True, ErrorCode.INTERNAL_ERROR, self._clock())
            raise
        if not isinstance(outcome, TimedOut):
            code = getattr(outcome, "code", None)
            fair = code is not ErrorCode.TOOL_TIMEOUT or _had_its_time(turnstile, admitted, invocation)
            turnstile.leave(passed, fair, code, self._clock())
            return outcome
        leftover, fair = outcome.leftover, _had_its_time(turnstile, admitted, invocation)
        turnstile.leave(passed, fair, ErrorCode.TOOL_TIMEOUT, self._clock(), keeps_place=leftover is not None)
        if leftover is not None:
            # What is still being stopped keeps its place: the store behind it is still at work.
            self._leftovers.add(leftover)
            leftover.add_done_callback(self._leftovers.discard)
            leftover.add_done_callback(lambda _: turnstile.free_place())
        return ops_error(ErrorCode.TOOL_TIMEOUT, detail=outcome.detail)

    async def close(self) -> None:
        """Stop what still runs."""
        for leftover in self._leftovers:
            leftover.cancel()
        if self._leftovers:
            await asyncio.wait(self._leftovers, timeout=_CLOSING_S)
