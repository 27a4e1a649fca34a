"""What another policy would have done to recorded calls: they go again, in their order and at their moments, through
the same turnstile, timeouts and retries as on the road, on a clock that jumps. Only the tools are played.

Each call is replayed under the policy it met and under the changed one; the difference is the policy's. What cannot be
known is estimated as `recorded.py` says, and two things stay out: another policy would have changed when later steps
of a question were called, and what was begun in the minute before the first call is not known.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from agents.execution.admission import Admission, Admitted
from agents.execution.attempting import Attempts
from agents.execution.gates import Gates
from agents.execution.guards.by_engine import GUARDS
from agents.execution.guards.verdict import Bounds, Refuse
from agents.execution.recorded import BEFORE_THE_TURNSTILE, RecordedCall, Script, scripts_of
from agents.execution.tool import Invocation, Parameters
from agents.execution.turnstile import NOTHING_LIFTED, Lifts
from agents.execution.virtual_time import VirtualLoop, run_in_virtual_time
from registry.assets import TemplateAsset, ToolAsset
from registry.defaults import shards_of
from registry.overrides import OverrideAsset
from registry.registry import Registry
from registry.statements import argument_names
from schemas.calls import Shape, ToolCalled, ToolOutput
from schemas.errors import ErrorCode, OpsError, ops_error

_HALFWAY = 0.5
"""Jitter of retries: its mean, so that two replays are alike."""

PolicyVersions = Callable[[ToolAsset, int], Registry]
"""The registry in which a tool has its policy in this version; the present one where that is not known."""


class Ending(NamedTuple):
    """How a call ends in a replay."""

    let_in: bool
    """It reached the tool at least once."""
    code: ErrorCode | None
    waited_s: float = 0.0
    retries: int = 0
    cut: bool = False
    """More rows than may pass."""
    denied: bool = False
    """Its statement asks for tables that may not be asked."""
    remembered: bool = False
    rows_unknown: bool = False
    """More rows may pass than the record holds, and there were more."""
    tables_unknown: bool = False
    """It reached tables that the record does not name."""


class Replayed(NamedTuple):
    """One call under both policies."""

    call: RecordedCall
    before: Ending
    after: Ending
    estimated: bool
    """The call never ran, so its time and end are estimates."""


class _Played:
    """The tool that does what the record says."""

    parameters = Parameters
    statement_field = None

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self.tool_type = "recorded"
        self._scripts = scripts
        self._tries: dict[str, int] = {}

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        call_id = invocation.params["call_id"]
        number = self._tries.get(call_id, 0)
        self._tries[call_id] = number + 1
        does = self._scripts[call_id].of(number)
        if does.seconds is None:
            await asyncio.get_running_loop().create_future()
        elif does.seconds > 0:
            await asyncio.sleep(does.seconds)
        return ToolOutput(shape=Shape.FACTS) if does.code is None else ops_error(does.code)

    async def close(self) -> None:
        return


class _World:
    """One registry, and what it decides of each call before the turnstile."""

    def __init__(self, registry: Registry, played: _Played) -> None:
        self.registry = registry
        tools = {tool.tool_type: played for tool in registry.tools.values()}
        self._admission = Admission(registry, tools, 1_000_000)
        self._denials: dict[tuple[str, str], bool] = {}

    def admitted(self, call: RecordedCall) -> Admitted | Refuse:
        tool = self.registry.tool(call.tool_id)
        roles = tool.roles if tool is not None else ()
        return self._admission.of(call.tool_id, call.tenant_id, roles)

    @cached_property
    def lifts(self) -> Mapping[str, Lifts]:
        """What each override lifts, by its recorded name."""
        return {
            asset.name: Lifts("rate_limit" in asset.lifts, "breaker" in asset.lifts)
            for asset in (entry.asset for entry in self.registry.entries)
            if isinstance(asset, OverrideAsset)
        }

    def denies(self, admitted: Admitted, template: TemplateAsset) -> bool:
        """Does the guard refuse the template's statement under this policy?"""
        key = (admitted.tool.id, template.id)
        if key not in self._denials:
            guard = GUARDS.get(admitted.source.engine) if admitted.source is not None else None
            bound = dict.fromkeys(argument_names(template.parameters), "Nullable(String)")
            verdict = guard(template.statement, admitted.bounds, bound) if guard is not None else None
            self._denials[key] = isinstance(verdict, Refuse)
        return self._denials[key]


class Replay:
    """Recorded calls under two registries. `versions` finds the one in which a call's recorded policy held."""

    def __init__(
        self,
        before: Registry,
        after: Registry,
        calls: Sequence[RecordedCall],
        versions: PolicyVersions | None = None,
    ) -> None:
        self._before = before
        self._after = after
        self._calls = sorted(calls, key=lambda call: call.came_at)
        self._versions = versions or (lambda tool, version: before)
        self._scripts = scripts_of(
            self._calls, {tool.id: tool.cost_ms / 1000 for tool in before.tools.values()}
        )

    def run(self) -> list[Replayed]:
        """Each call in the order in which they came."""
        before = self._under(self._recorded)
        after = self._under(lambda call: self._after)
        return [
            Replayed(
                call,
                before[call.call_id],
                after[call.call_id],
                self._scripts[call.call_id].estimated and call.code not in BEFORE_THE_TURNSTILE,
            )
            for call in self._calls
        ]

    def _recorded(self, call: RecordedCall) -> Registry:
        tool = self._before.tool(call.tool_id)
        return self._before if tool is None else self._versions(tool, call.policy_version)

    def _under(self, registry_of: Callable[[RecordedCall], Registry]) -> dict[str, Ending]:
        """All calls from the first to the last, in one virtual stretch of time."""
        if not self._calls:
            return {}
        loop = VirtualLoop(self._calls[0].came_at)
        played = _Played(self._scripts)
        worlds: dict[int, _World] = {}
        base = _World(self._before, played)
        attempts = Attempts(Gates(loop.time), loop.time, lambda: _HALFWAY)
        endings: dict[str, Ending] = {}

        def world(call: RecordedCall) -> _World:
            registry = registry_of(call)
            if id(registry) not in worlds:
                worlds[id(registry)] = _World(registry, played)
            return worlds[id(registry)]

        async def one(call: RecordedCall, here: _World) -> None:
            endings[call.call_id] = await _ending(call, here, base, attempts)

        async def all_of_them() -> None:
            under_way: set[asyncio.Task[None]] = set()
            for call in self._calls:
                if (pause_s := call.came_at - loop.time()) > 0:
                    await asyncio.sleep(pause_s)
                task = loop.create_task(one(call, world(call)))
                under_way.add(task)
                task.add_done_callback(under_way.discard)
            while under_way:
                await asyncio.gather(*under_way)
            await attempts.close()

        run_in_virtual_time(loop, all_of_them())
        return endings


async def _ending(call: RecordedCall, here: _World, base: _World, attempts: Attempts) -> Ending:
    """One call, from what is known of it before the turnstile to its end."""
    if call.code in BEFORE_THE_TURNSTILE:
        return Ending(False, call.code)
    admitted = here.admitted(call)
    if isinstance(admitted, Refuse):
        return Ending(False, admitted.code)
    denied, unknown = _tables(call, admitted, here, base)
    if denied:
        return Ending(False, ErrorCode.SQL_BLOCKED, denied=True)
    cut, rows_unknown = _rows(call, admitted.row_cap)
    if call.cached and admitted.policy.cache_ttl_s > 0:
        return Ending(
            False, None, cut=cut, remembered=True, rows_unknown=rows_unknown, tables_unknown=unknown
        )
    limit_s = min(admitted.timeout_s, call.ends_by - call.came_at)
    invocation = Invocation(
        call.tenant_id,
        admitted.tool,
        admitted.source,
        None,
        {"call_id": call.call_id},
        {},
        "",
        admitted.row_cap,
        limit_s,
    )
    tried = await attempts.of(_called(call, admitted), admitted, invocation, _lifts(call, base))
    code = None if isinstance(tried.outcome, ToolOutput) else tried.outcome.code
    worked = code is None
    return Ending(
        tried.began_at is not None,
        code,
        tried.waited_s,
        tried.retries,
        cut and worked,
        False,
        False,
        rows_unknown and worked,
        unknown,
    )


def _tables(call: RecordedCall, admitted: Admitted, here: _World, base: _World) -> tuple[bool, bool]:
    """Is the call's statement refused here, where it was allowed; or can that not be told?"""
    if here.registry is base.registry:
        return False, False
    known = base.admitted(call)
    same = isinstance(known, Admitted) and _reach(known.bounds) == _reach(admitted.bounds)
    if same or not isinstance(known, Admitted):
        return False, False
    template = base.registry.template(call.query.partition("(")[0])
    if template is None or not template.statement:
        return False, True
    return here.denies(admitted, template) and not base.denies(known, template), False


def _reach(bounds: Bounds) -> tuple[object, ...]:
    return (bounds.tables, bounds.tenant_column)


def _rows(call: RecordedCall, row_cap: int) -> tuple[bool, bool]:
    """Is the result cut at this cap; or was it cut lower than that, so that nobody knows?"""
    if call.row_count > row_cap:
        return True, False
    at_cap = call.truncated and call.row_count == row_cap
    return at_cap, call.truncated and not at_cap


def _lifts(call: RecordedCall, base: _World) -> Lifts:
    """What was lifted for the call; an override nobody knows any more lifted both blocks of the turnstile."""
    if not call.lifted:
        return NOTHING_LIFTED
    found = [base.lifts.get(name, Lifts(True, True)) for name in call.lifted]
    return Lifts(any(each.rate for each in found), any(each.breaker for each in found))


def _called(call: RecordedCall, admitted: Admitted) -> ToolCalled:
    return ToolCalled(
        trace_id="",
        tenant_id=call.tenant_id,
        user_id="",
        roles=(),
        call_id=call.call_id,
        step_id="",
        tool_id=call.tool_id,
        tool_type=admitted.tool.tool_type,
        kind=admitted.tool.kind,
        params={},
        timeout_s=admitted.timeout_s,
        deadline_at=call.ends_by,
        called_at=call.came_at,
        shards=shards_of(admitted.tool, admitted.policy),
    )
