"""The one path from `ToolCalled` to a tool. Nothing runs but through here.

In order: tenant → role → asset state → policy → parameters → the tool's own guard → what is remembered → the turnstile
(rate limit, breaker, bulkhead at once) → run under the deadline → retries → bound rows and bytes → clean the error.
"""

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

from agents.execution.admission import Admission, Admitted
from agents.execution.asking import Asking
from agents.execution.attempting import Attempts, Tried
from agents.execution.claiming import Claiming
from agents.execution.cleaning import cleaned
from agents.execution.gates import Gates
from agents.execution.guards.verdict import Refuse
from agents.execution.outcomes import failed, refusal, succeeded
from agents.execution.remembered import Remembered, key_of, remembers
from agents.execution.tool import Invocation, Tool
from agents.execution.turnstile import NOTHING_LIFTED, Lifts
from agents.execution.within import cancelled_from_outside
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.claims import MAX_CLAIM_BYTES, ClaimStore

MAX_OUTPUT_BYTES = 1_000_000
"""What one result may weigh on the road, whatever its tool allows: it travels in one event."""


CLAIM_OVER_BYTES = 256 * 1024
"""Larger results are kept whole in the claim store, if there is one, and travel as their first rows."""


class Worked(NamedTuple):
    """What came of an admitted call."""

    tried: Tried
    cached: bool = False
    lifted: tuple[str, ...] = ()


class Execution:
    """Runs calls side by side, each through its tool's turnstile in `gates`; without one, through gates of its own."""

    def __init__(
        self,
        registry: Registry,
        tools: Mapping[str, Tool],
        clock: Callable[[], float] = time.time,
        *,
        gates: Gates | None = None,
        chance: Callable[[], float] = random.random,
        max_output_bytes: int = MAX_OUTPUT_BYTES,
        claims: ClaimStore | None = None,
        claim_over_bytes: int = CLAIM_OVER_BYTES,
    ) -> None:
        """`claims`: where results larger than `claim_over_bytes` are kept whole; without it they are cut."""
        self._clock = clock
        self._attempts = Attempts(gates or Gates(clock), clock, chance)
        self._claiming = Claiming(claims, over_bytes=claim_over_bytes, travels_bytes=max_output_bytes)
        self._max_output_bytes = max_output_bytes if claims is None else MAX_CLAIM_BYTES
        self._remembered = Remembered()
        self._all_tools: dict[int, Tool] = {}
        self.adopt(registry, tools)

    def adopt(self, registry: Registry, tools: Mapping[str, Tool]) -> None:
        """Go on with another snapshot: calls under way end as they began, all others meet the new assets."""
        self._registry = registry
        self._all_tools.update((id(tool), tool) for tool in tools.values())
        self._admission = Admission(registry, tools, self._max_output_bytes)
        self._asking = Asking(registry)

    @property
    def gates(self) -> Gates:
        """The turnstiles of the tools."""
        return self._attempts.gates

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
            invocation = self._asking.invocation(
                called, admitted, left_s if left_s < limit_s else limit_s, started_at
            )
            if isinstance(invocation, Refuse):
                return failed(called, admitted, refusal(invocation), started_at, self._clock())
            tried, cached, lifted = await self._worked(called, admitted, invocation)
            outcome, retries, began_at, waited_s = tried
            began_at = started_at if began_at is None else began_at
            if isinstance(outcome, ToolOutput):
                return succeeded(
                    called,
                    admitted,
                    outcome,
                    began_at,
                    self._clock(),
                    retries,
                    lifted,
                    cached=cached,
                    waited_s=waited_s,
                )
            error = cleaned(outcome, admitted.source)
            return failed(called, admitted, error, began_at, self._clock(), retries, lifted, waited_s)
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
        await self._attempts.close()
        for tool in self._all_tools.values():
            await tool.close()

    async def _worked(self, called: ToolCalled, admitted: Admitted, invocation: Invocation) -> Worked:
        """Remembered, shared with the same call that runs already, or run; then bounded."""
        lifts, lifted, overrides = NOTHING_LIFTED, invocation.lifted, self._registry.overrides
        if overrides:
            lifts, names = self._lifts(called, self._clock())
            lifted = names + lifted
        if called.no_cache or lifted or not remembers(admitted):
            return Worked(await self._tried(called, admitted, invocation, lifts), False, lifted)
        now, key = self._clock(), key_of(admitted, invocation)
        known = self._remembered.fresh(key, admitted.policy.cache_ttl_s, now)
        if known is not None:
            return Worked(Tried(known, 0, now), True, lifted)
        run = partial(self._tried, called, admitted, invocation, lifts)
        return Worked(*await self._remembered.shared(key, called.deadline_at - now, now, run), lifted)

    async def _tried(
        self, called: ToolCalled, admitted: Admitted, invocation: Invocation, lifts: Lifts
    ) -> Tried:
        """Run it, and bound what it gave."""
        tried = await self._attempts.of(called, admitted, invocation, lifts)
        output, row_cap, max_bytes = tried.outcome, invocation.row_cap, admitted.max_bytes
        if not isinstance(output, ToolOutput):
            return tried
        kept = await self._claiming.bounded(output, row_cap, max_bytes, called.tenant_id)
        return tried if kept is output else Tried(kept, tried.retries, tried.began_at, tried.waited_s)

    def _lifts(self, called: ToolCalled, now: float) -> tuple[Lifts, tuple[str, ...]]:
        """The turnstile's blocks that are lifted for this call, and by which overrides."""
        overrides = self._registry.overrides
        rate = overrides.of("rate_limit", called.tool_id, called.tenant_id, now)
        breaker = overrides.of("breaker", called.tool_id, called.tenant_id, now)
        names = dict.fromkeys(each.name for each in (rate, breaker) if each is not None)
        return Lifts(rate is not None, breaker is not None), tuple(names)


def _late(when: str) -> OpsError:
    return ops_error(ErrorCode.TOOL_TIMEOUT, f"The deadline passed {when}.")
