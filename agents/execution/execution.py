"""The one path from `ToolCalled` to a tool. Nothing runs but through here.

In order: tenant → role → asset state → policy → parameters → the tool's own guard → stateful gates (rate limit,
breaker) → bulkhead → run under the deadline → retries → bound rows and bytes → clean the error.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping

from agents.execution.admission import Admission, Admitted
from agents.execution.asking import Asking
from agents.execution.bounds import bounded
from agents.execution.bulkhead import Bulkhead
from agents.execution.cleaning import cleaned
from agents.execution.gates import Gate
from agents.execution.guards.verdict import Refuse
from agents.execution.outcomes import failed, refusal, succeeded
from agents.execution.retrying import RETRIED, asked_pause_s, pause_s
from agents.execution.tool import Invocation, Tool
from agents.execution.within import TimedOut, cancelled_from_outside, within
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, OpsError, ops_error

MAX_OUTPUT_BYTES = 1_000_000
"""What one result may weigh on the road, whatever its tool allows: it travels in one event."""

_CLOSING_S = 2.0


class Execution:
    """Runs calls side by side. One object per process: its bulkheads count what runs here."""

    def __init__(
        self,
        registry: Registry,
        tools: Mapping[str, Tool],
        clock: Callable[[], float] = time.time,
        *,
        gates: tuple[Gate, ...] = (),
        chance: Callable[[], float] = random.random,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
    ) -> None:
        self._tools = tools
        self._clock = clock
        self._gates = gates
        self._chance = chance
        self._admission = Admission(registry, tools, max_output_bytes)
        self._asking = Asking(registry)
        self._bulkheads: dict[str, Bulkhead] = {}
        self._leftovers: set[asyncio.Task[None]] = set()

    async def run(self, called: ToolCalled) -> ToolSucceeded | ToolFailed:
        """Run one call and say how it went. Raises for nothing a call can contain; a cancellation from outside
        passes through. A call whose tool never waits ends without waiting."""
        started_at = self._clock()
        admitted: Admitted | Refuse | None = None
        try:
            admitted = self._admission.of(called.tool_id, called.tenant_id, called.roles)
            if isinstance(admitted, Refuse):
                return failed(called, None, refusal(admitted), started_at, self._clock())
            limit_s = min(admitted.timeout_s, called.timeout_s)
            left_s = called.deadline_at - started_at
            if left_s <= 0:
                return failed(called, admitted, _late("before the call began"), started_at, self._clock())
            invocation = self._asking.invocation(called, admitted, left_s if left_s < limit_s else limit_s)
            if isinstance(invocation, Refuse):
                return failed(called, admitted, refusal(invocation), started_at, self._clock())
            outcome, retries = await self._attempts(called, admitted, invocation)
            if isinstance(outcome, ToolOutput):
                outcome = bounded(outcome, invocation.row_cap, admitted.max_bytes)
            if isinstance(outcome, ToolOutput):
                return succeeded(called, admitted, outcome, started_at, self._clock(), retries)
            error = cleaned(outcome, admitted.source)
            return failed(called, admitted, error, started_at, self._clock(), retries)
        except asyncio.CancelledError:
            if cancelled_from_outside():
                raise
            bug = ops_error(ErrorCode.INTERNAL_ERROR, detail="the adapter was cancelled by nobody")
        except Exception as error:  # noqa: BLE001  # border: a bug in an adapter is a result, not a dead worker
            bug = ops_error(ErrorCode.INTERNAL_ERROR, detail=f"{type(error).__name__}: {error}"[:4_000])
        let_in = admitted if isinstance(admitted, Admitted) else None
        return failed(called, let_in, bug, started_at, self._clock())

    async def close(self) -> None:
        """Stop what still runs and close the adapters."""
        for leftover in self._leftovers:
            leftover.cancel()
        if self._leftovers:
            await asyncio.wait(self._leftovers, timeout=_CLOSING_S)
        for tool in {id(tool): tool for tool in self._tools.values()}.values():
            await tool.close()

    async def _attempts(
        self, called: ToolCalled, admitted: Admitted, invocation: Invocation
    ) -> tuple[ToolOutput | OpsError, int]:
        """Try, and try again as the policy allows; the last outcome and the number of retries."""
        run = self._in_bulkhead if not self._gates else self._through_gates
        retries = 0
        while True:
            outcome = await run(called, admitted, invocation)
            if isinstance(outcome, ToolOutput) or outcome.code not in RETRIED or not outcome.retryable:
                return outcome, retries
            if retries >= admitted.policy.retries:
                return outcome, retries
            pause = max(pause_s(retries, self._chance), asked_pause_s(outcome))
            if self._clock() + pause >= called.deadline_at:
                return outcome, retries
            await asyncio.sleep(pause)
            left_s = called.deadline_at - self._clock()
            if left_s <= 0:
                return outcome, retries
            retries += 1
            limit_s = min(admitted.timeout_s, called.timeout_s)
            invocation = invocation._replace(timeout_s=min(limit_s, left_s))

    async def _through_gates(
        self, called: ToolCalled, admitted: Admitted, invocation: Invocation
    ) -> ToolOutput | OpsError:
        """One try, behind the stateful gates."""
        entered: list[Gate] = []
        ran, code = False, None
        try:
            for gate in self._gates:
                refused = gate.enter(admitted, called, self._clock())
                if refused is not None:
                    return refusal(refused)
                entered.append(gate)
            ran = True
            outcome = await self._in_bulkhead(called, admitted, invocation)
            code = outcome.code if isinstance(outcome, OpsError) else None
            return outcome
        finally:
            for gate in entered:
                gate.leave(admitted, called, ran, code, self._clock())

    async def _in_bulkhead(
        self, called: ToolCalled, admitted: Admitted, invocation: Invocation
    ) -> ToolOutput | OpsError:
        bulkhead = self._bulkheads.get(admitted.tool.id)
        if bulkhead is None:
            bulkhead = self._bulkheads[admitted.tool.id] = Bulkhead(_places(admitted))
        if not bulkhead.try_enter():
            asked_at = self._clock()
            if not await bulkhead.wait(invocation.timeout_s):
                return _timeout("The tool was busy until the time ran out.")
            waited_s = self._clock() - asked_at
            invocation = invocation._replace(timeout_s=max(0.0, invocation.timeout_s - waited_s))
        leftover: asyncio.Task[None] | None = None
        try:
            outcome = await within(admitted.adapter.run(invocation), invocation.timeout_s)
            if not isinstance(outcome, TimedOut):
                return outcome
            leftover = outcome.leftover
            return _timeout(detail=outcome.detail)
        finally:
            if leftover is None:
                bulkhead.leave()
            else:
                # What is still being stopped keeps its place: the store behind it is still at work.
                self._leftovers.add(leftover)
                leftover.add_done_callback(self._leftovers.discard)
                leftover.add_done_callback(lambda _: bulkhead.leave())


def _places(admitted: Admitted) -> int:
    return 1 if admitted.tool.execution_mode == "serial" else admitted.tool.max_concurrent_calls


def _timeout(message: str | None = None, detail: str | None = None) -> OpsError:
    return ops_error(ErrorCode.TOOL_TIMEOUT, message, detail=detail)


def _late(when: str) -> OpsError:
    return ops_error(ErrorCode.TOOL_TIMEOUT, f"The deadline passed {when}.")
