"""Which calls may be given out now, and what each carries. Pure."""

from collections import Counter
from typing import Final, NamedTuple

from agents.aggregation.budget import execution_ends_at
from agents.aggregation.standing import MAX_IN_FLIGHT, Standing
from agents.aggregation.trace import Call, Trace
from agents.references import Unresolved, resolved
from schemas.calls import Shape, ToolCalled, ToolFailed, ToolOutput
from schemas.errors import ErrorCode, ops_error
from schemas.ids import call_id, stand_in_call_id
from schemas.plans import PlanMade, Step, Strategy
from schemas.word import Instant, Json

_NOTHING: Final = ToolOutput(shape=Shape.TABLE)
"""What a path finds in a step that worked and found nothing."""


class Turn(NamedTuple):
    """A step whose call may be given out: of its own tool, or of the fallback that stands in for it."""

    step: Step
    stands_in: bool

    @property
    def tool_id(self) -> str:
        fallback = self.step.fallback
        return fallback.tool_id if self.stands_in and fallback is not None else self.step.tool_id

    @property
    def serial(self) -> bool:
        fallback = self.step.fallback
        return fallback.serial if self.stands_in and fallback is not None else self.step.serial

    def call_id(self, trace_id: str) -> str:
        derive = stand_in_call_id if self.stands_in else call_id
        return derive(trace_id, self.step.step_id, self.step.attempt)


def turns(trace: Trace, plan: PlanMade, stands: Standing) -> list[Turn]:
    """Open steps that were not given out, in the order of the plan, as many as there is room for; of a serial tool
    one at a time."""
    ready: list[Turn] = []
    under_way: list[Turn] = []
    serial, calls, failed = False, trace.calls, trace.failed
    for step in stands.open:
        turn = Turn(step, step.step_id in failed)
        if given_out(trace, turn) if turn.stands_in else step.step_id in calls:
            under_way.append(turn)
            continue
        ready.append(turn)
        serial = serial or step.serial or (turn.stands_in and turn.serial)
    room = (1 if plan.strategy is Strategy.SERIAL else MAX_IN_FLIGHT) - len(under_way)
    if not serial:
        return ready[: max(room, 0)]
    taken = Counter(turn.tool_id for turn in under_way)
    chosen: list[Turn] = []
    for turn in ready:
        if len(chosen) < room and not (turn.serial and taken[turn.tool_id]):
            taken[turn.tool_id] += 1
            chosen.append(turn)
    return chosen


def given_out(trace: Trace, turn: Turn) -> Call | None:
    """The turn's call, if it was given out."""
    if not turn.stands_in:
        return trace.calls.get(turn.step.step_id)
    return trace.detours.calls.get(turn.step.step_id) if trace.detours is not None else None


def running(trace: Trace, stands: Standing) -> bool:
    """Whether a call of an open step is under way."""
    return any(given_out(trace, Turn(step, step.step_id in trace.failed)) for step in stands.open)


def params_of(trace: Trace, turn: Turn) -> dict[str, Json] | Unresolved:
    """The call's parameters, references to earlier results replaced by what they lead to."""
    step = turn.step
    params = step.fallback.params if turn.stands_in and step.fallback is not None else step.params
    if not step.depends_on:
        return params  # whoever refers to a step depends on it
    found = resolved(params, lambda step_id: output_of(trace, step_id))
    return found if isinstance(found, dict | Unresolved) else Unresolved(step.step_id, "", "no parameters")


def output_of(trace: Trace, step_id: str) -> ToolOutput | None:
    """What a step found, by its own tool or by the one that stood in."""
    event = trace.succeeded.get(step_id)
    if event is None and trace.detours is not None:
        event = trace.detours.stood_in.get(step_id)
    if event is not None:
        return event.output
    return _NOTHING if step_id in trace.failed else None


def called(plan: PlanMade, turn: Turn, call: Call, params: dict[str, Json], group: int) -> ToolCalled:
    """The call as it travels."""
    step = turn.step
    runs = step if not turn.stands_in or step.fallback is None else step.fallback
    return ToolCalled(
        trace_id=plan.trace_id,
        tenant_id=plan.tenant_id,
        user_id=plan.user_id,
        roles=plan.roles,
        call_id=call.call_id,
        step_id=step.step_id,
        tool_id=runs.tool_id,
        tool_type=runs.tool_type,
        kind=runs.kind,
        params=params,
        timeout_s=runs.timeout_s,
        deadline_at=execution_ends_at(plan),
        called_at=call.called_at,
        max_rows=plan.max_rows,
        group=group,
        attempt=step.attempt,
        stands_in_for=step.tool_id if turn.stands_in else None,
        no_cache=plan.no_cache,
        shards=runs.shards,
    )


def broken(plan: PlanMade, turn: Turn, fault: Unresolved, group: int, now: Instant) -> ToolFailed:
    """The failure of a step whose parameters lead nowhere: its tool is never asked."""
    step = turn.step
    error = ops_error(
        ErrorCode.INVALID_PARAMS,
        f"The parameters of step '{step.step_id}' could not be filled. {fault.message}",
        suggestion="compare the path with what that step gives",
        details={"step_id": fault.step_id, "path": fault.path},
    )
    return ToolFailed(
        trace_id=plan.trace_id,
        tenant_id=plan.tenant_id,
        call_id=call_id(plan.trace_id, step.step_id, step.attempt),
        step_id=step.step_id,
        tool_id=turn.tool_id,
        tool_type=step.tool_type,
        group=group,
        started_at=now,
        ended_at=now,
        error=error,
    )
