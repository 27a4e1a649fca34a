"""The join: a pure fold of all that concerns one trace into its calls and its one answer.

Rules that the code below keeps, and their reasons:

- The first decision stands. Of several PlanMade or PlanFailed of a trace (a planner that died may decide
  twice) the first one folded counts; of several results of one call the first one counts.
- Order does not matter. How steps stand is computed from the set of results (standing.py). A result that
  comes before its plan is kept, one that comes before what its step depends on too. A result whose call id
  is not the one of its trace and step, or whose tenant is not the plan's, is ignored.
- Reading an event again repairs a lost call and nothing else. A worker writes the row, publishes the calls
  and commits the input, and may die in between: then the row names a call nobody received, and its input
  is read again. So each call remembers the event that released it (`Call.released_by`), and that event,
  folded again, gives out again those of its calls that have no result yet. Call ids are deterministic and
  a result is folded once, so a call given out twice costs at most a second run, which only follows a crash
  or a duplicate.
- After the answer only the marker is left, and nothing comes out any more.
- A trace always ends: complete, or by DeadlinePassed, or because no step left can ever run (a cyclic plan).
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from agents.aggregation.compose import compose, compose_refusal
from agents.aggregation.standing import MAX_IN_FLIGHT, Standing, groups, standing
from agents.aggregation.trace import BY_PLAN, Call, Trace, answered
from schemas.answers import AnswerComposed
from schemas.calls import DeadlinePassed, ToolCalled, ToolFailed, ToolSucceeded
from schemas.events import AggregationEvent
from schemas.ids import call_id
from schemas.plans import MAX_STEPS, PlanFailed, PlanKind, PlanMade, Step, Strategy
from schemas.questions import TOTAL_BUDGET_S

EXECUTE_BUDGET_S = 60.0
"""Budget of the execution phase, counted from the plan; a call gets no more than what is left of it."""

_SAME_INSTANT_S = 0.001
_RESULTS = (ToolSucceeded, ToolFailed)

_Result = TypeVar("_Result", ToolSucceeded, ToolFailed)


class Dispatch(NamedTuple):
    """Publish this call to the topic of its kind."""

    call: ToolCalled


class Publish(NamedTuple):
    """Publish this answer; the state beside it is the marker."""

    answer: AnswerComposed


Output = Dispatch | Publish
Folded = tuple[Trace | None, tuple[Output, ...]]


def fold(state: Trace | None, event: AggregationEvent, now: float) -> Folded:
    """Fold one event into the trace's state; `now` in Unix seconds.

    Returns the new state and what to publish. The very same `state` object comes back when nothing
    changed; None when there is nothing to keep. Never raises for anything an event can hold.
    """
    if state is not None and state.answered_at is not None:
        return state, ()
    if isinstance(event, _RESULTS):
        return _result(state, event, now)
    if isinstance(event, PlanMade):
        return _plan(state, event, now)
    if isinstance(event, DeadlinePassed):
        return _deadline(state, event, now)
    if isinstance(event, PlanFailed) and (state is None or state.plan is None):
        return answered(event.trace_id, now), (Publish(compose_refusal(event, now)),)
    return state, ()


def _plan(state: Trace | None, plan: PlanMade, now: float) -> Folded:
    if state is not None and state.plan is not None:
        return state, _again(state, state.plan, BY_PLAN)
    trace = Trace(trace_id=plan.trace_id, deadline_at=plan.deadline_at, plan=plan)
    if plan.kind is not PlanKind.PLAN:
        return _answer(trace, now)
    if state is not None:
        trace = Trace(
            trace_id=plan.trace_id,
            deadline_at=plan.deadline_at,
            plan=plan,
            succeeded=_of_plan(plan, state.succeeded),
            failed=_of_plan(plan, state.failed),
        )
    return _go_on(trace, plan, BY_PLAN, now)


def _result(state: Trace | None, event: ToolSucceeded | ToolFailed, now: float) -> Folded:
    plan = state.plan if state is not None else None
    if state is None or plan is None:
        return _keep_early(state, event, now), ()
    step_id = event.step_id
    if event.tenant_id != plan.tenant_id or not _is_call_of(state, plan, event):
        return state, ()
    if step_id in state.succeeded or step_id in state.failed:
        return state, _again(state, plan, step_id)
    return _go_on(_with_result(state, event), plan, step_id, now)


def _deadline(state: Trace | None, event: DeadlinePassed, now: float) -> Folded:
    """The deadline ends the trace with what there is; one that is not this trace's deadline yet is ignored.

    Without a plan there is no question to answer: early results whose plan never came are forgotten."""
    if state is None:
        return None, ()
    due_at = state.deadline_at
    if event.phase == "execution" and state.plan is not None:
        due_at = execution_ends_at(state.plan)
    if event.deadline_at + _SAME_INSTANT_S < due_at:
        return state, ()
    if state.plan is None:
        return None, ()
    return _answer(state, now)


def execution_ends_at(plan: PlanMade) -> float:
    """When the plan's calls have to be over: the phase's budget, or the whole deadline if that is sooner."""
    return min(plan.deadline_at, plan.planned_at + EXECUTE_BUDGET_S)


def _answer(trace: Trace, now: float) -> Folded:
    return answered(trace.trace_id, now), (Publish(compose(trace, now)),)


def _go_on(trace: Trace, plan: PlanMade, released_by: str, now: float) -> Folded:
    """Answer if all steps have ended, else give out the calls that may run now."""
    if len(trace.calls) == len(plan.steps) > len(trace.succeeded) + len(trace.failed):
        return trace, ()  # every step is under way: nothing to give out, and something still to come
    now_stands = standing(plan, trace.succeeded, trace.failed)
    if now_stands.ended(plan) or not now_stands.open:
        return _answer(trace, now)
    released = _released(trace, plan, now_stands)
    if not released:
        return trace, ()
    group_of = groups(plan)
    calls = dict(trace.calls)
    outputs = []
    for step in released:
        call = Call(call_id(trace.trace_id, step.step_id, plan.attempt), released_by, now)
        calls[step.step_id] = call
        outputs.append(_dispatch(plan, step, call, group_of[step.step_id]))
    trace = Trace(
        trace_id=trace.trace_id,
        deadline_at=trace.deadline_at,
        plan=plan,
        calls=calls,
        succeeded=trace.succeeded,
        failed=trace.failed,
    )
    return trace, tuple(outputs)


def _released(trace: Trace, plan: PlanMade, now_stands: Standing) -> list[Step]:
    """Open steps that were not given out, in the order of the plan, as many as there is room for."""
    calls = trace.calls
    ready = [step for step in now_stands.open if step.step_id not in calls]
    if not ready:
        return ready
    in_flight = sum(1 for name in calls if name not in trace.succeeded and name not in trace.failed)
    room = (1 if plan.strategy is Strategy.SERIAL else MAX_IN_FLIGHT) - in_flight
    return ready[: max(room, 0)]


def _again(state: Trace, plan: PlanMade, released_by: str) -> tuple[Dispatch, ...]:
    """The unfinished calls that this event released, once more (see the third rule above)."""
    group_of = groups(plan)
    return tuple(
        _dispatch(plan, step, call, group_of[step.step_id])
        for step in plan.steps
        if (call := state.calls.get(step.step_id)) is not None
        and call.released_by == released_by
        and step.step_id not in state.succeeded
        and step.step_id not in state.failed
    )


def _dispatch(plan: PlanMade, step: Step, call: Call, group: int) -> Dispatch:
    return Dispatch(
        ToolCalled(
            trace_id=plan.trace_id,
            tenant_id=plan.tenant_id,
            user_id=plan.user_id,
            roles=plan.roles,
            call_id=call.call_id,
            step_id=step.step_id,
            tool_id=step.tool_id,
            tool_type=step.tool_type,
            kind=step.kind,
            params=step.params,
            timeout_s=step.timeout_s,
            deadline_at=execution_ends_at(plan),
            called_at=call.called_at,
            max_rows=plan.max_rows,
            group=group,
        )
    )


def _is_call_of(state: Trace, plan: PlanMade, event: ToolSucceeded | ToolFailed) -> bool:
    """Whether the result is of a call of this plan, given out by this state or before a crash that lost
    it."""
    call = state.calls.get(event.step_id)
    if call is not None:
        return call.call_id == event.call_id
    return any(step.step_id == event.step_id for step in plan.steps) and event.call_id == call_id(
        state.trace_id, event.step_id, plan.attempt
    )


def _with_result(state: Trace, event: ToolSucceeded | ToolFailed) -> Trace:
    succeeded, failed = state.succeeded, state.failed
    if isinstance(event, ToolSucceeded):
        succeeded = {**succeeded, event.step_id: event}
    else:
        failed = {**failed, event.step_id: event}
    return Trace(
        trace_id=state.trace_id,
        deadline_at=state.deadline_at,
        plan=state.plan,
        calls=state.calls,
        succeeded=succeeded,
        failed=failed,
    )


def _keep_early(state: Trace | None, event: ToolSucceeded | ToolFailed, now: float) -> Trace | None:
    """Keep a result whose plan is yet to come, for as long as a question may take and no more than a plan can
    have. A first plan is attempt 0, so a call id that is not of this trace is known without it."""
    if event.call_id != call_id(event.trace_id, event.step_id, 0):
        return state
    if state is None:
        state = Trace(trace_id=event.trace_id, deadline_at=now + TOTAL_BUDGET_S)
    known = {**state.succeeded, **state.failed}
    return state if event.step_id in known or len(known) >= MAX_STEPS else _with_result(state, event)


def _of_plan(plan: PlanMade, early: Mapping[str, _Result]) -> dict[str, _Result]:
    """Of the results that came early, those of calls that this plan has."""
    steps = {step.step_id for step in plan.steps}
    return {
        step_id: event
        for step_id, event in early.items()
        if step_id in steps
        and event.tenant_id == plan.tenant_id
        and event.call_id == call_id(plan.trace_id, step_id, plan.attempt)
    }
