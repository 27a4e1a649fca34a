"""The join: a pure fold of all that concerns one trace into its calls and its one answer.

Rules that the code below keeps, and their reasons:

- The first decision stands. Of several PlanMade or PlanFailed of a trace (a planner that died may decide
  twice) the first one folded counts; of several results of one call the first one counts. Another plan (a
  later attempt) takes the place of an earlier one; what its steps share with that one, calls and results, stays.
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

A step's own tool that failed for good gives way to its fallback (standing.py, turns.py). When nothing of the plan
runs any more and a step has failed, another plan may be asked for (replans.py). When all is over, a model may be
asked for the text (composing.py). Plans without any of this pay nothing for it: `Trace.detours` stays None.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from agents.aggregation import replans
from agents.aggregation.budget import execution_ends_at
from agents.aggregation.changed import Role, with_asked, with_calls, with_composed, with_result
from agents.aggregation.compose import compose, compose_refusal
from agents.aggregation.composing import composer_call, composing, may_compose
from agents.aggregation.standing import Standing, groups, halted_by, standing
from agents.aggregation.trace import Asked, Call, Detours, Trace, answered, by_plan
from agents.aggregation.turns import Turn, broken, called, params_of, running, turns
from agents.references import Unresolved
from schemas.answers import AnswerComposed
from schemas.calls import DeadlinePassed, ToolCalled, ToolFailed, ToolSucceeded
from schemas.events import AggregationEvent
from schemas.ids import call_id, stand_in_call_id
from schemas.plans import MAX_STEPS, PlanKind, PlanMade, ReplanRequested
from schemas.questions import TOTAL_BUDGET_S

BY_DEADLINE: Final = "@deadline"
_SAME_INSTANT_S = 0.001
_RESULTS = (ToolSucceeded, ToolFailed)


class Dispatch(NamedTuple):
    """Publish this call to the topic of its kind."""

    call: ToolCalled


class Ask(NamedTuple):
    """Publish this request for another plan to `ops.replans`."""

    request: ReplanRequested


class Publish(NamedTuple):
    """Publish this answer; the state beside it is the marker."""

    answer: AnswerComposed


Output = Dispatch | Ask | Publish
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
    if state is None or state.plan is None:  # it is PlanFailed
        return answered(event.trace_id, now), (Publish(compose_refusal(event, now)),)
    return state, ()


def _plan(state: Trace | None, plan: PlanMade, now: float) -> Folded:
    before = state.plan if state is not None else None
    if before is not None:
        assert state is not None
        if plan.attempt > before.attempt and plan.tenant_id == before.tenant_id and not _is_over(state):
            return _go_on(replans.adopted(state, plan), plan, by_plan(plan.attempt), now)
        return state, _again(state, before, by_plan(plan.attempt))
    if plan.kind is not PlanKind.PLAN:
        return _answer(Trace(trace_id=plan.trace_id, deadline_at=plan.deadline_at, plan=plan), now)
    if state is not None:
        trace = replans.adopted(state, plan)
    else:
        trace = Trace(trace_id=plan.trace_id, deadline_at=execution_ends_at(plan), plan=plan)
    return _go_on(trace, plan, by_plan(plan.attempt), now)


def _result(state: Trace | None, event: ToolSucceeded | ToolFailed, now: float) -> Folded:
    plan = state.plan if state is not None else None
    if state is None or plan is None:
        return _keep_early(state, event, now), ()
    if event.tenant_id != plan.tenant_id:
        return state, ()
    composer, detours = state.detours and state.detours.composing, state.detours
    if composer and event.call_id == composer.call_id:
        return _answer(with_composed(state, event), now)
    role, step_id = _role_of(state, plan, event), event.step_id
    if role == "own":
        if step_id in state.succeeded or step_id in state.failed:
            return state, _again(state, plan, step_id)
    elif role == "stand_in":
        if detours is not None and (step_id in detours.stood_in or step_id in detours.fell):
            return state, _again(state, plan, _by_stand_in(step_id))
    else:
        return state, ()
    if composer:
        return state, ()  # the deadline has cut this step: the text is being written without it
    released_by = step_id if role == "own" else _by_stand_in(step_id)
    return _go_on(with_result(state, event, role), plan, released_by, now)


def _by_stand_in(step_id: str) -> str:
    """`Call.released_by` of what the result of a step's stand-in set free."""
    return f"{step_id}@"


def _deadline(state: Trace | None, event: DeadlinePassed, now: float) -> Folded:
    """The deadline of the phase ends it with what there is; one that is not this phase's yet is ignored.

    Without a plan there is no question to answer: early results whose plan never came are forgotten."""
    if state is None:
        return None, ()
    if event.deadline_at + _SAME_INSTANT_S < state.deadline_at:
        return state, () if state.plan is None else _again(state, state.plan, BY_DEADLINE)
    if state.plan is None:
        return None, ()
    if _is_over(state):
        return _answer(state, now)
    return _finish(state, state.plan, BY_DEADLINE, now)


def _is_over(trace: Trace) -> bool:
    """Whether nothing but the text is still to come."""
    return trace.detours is not None and trace.detours.composing is not None


def _finish(trace: Trace, plan: PlanMade, released_by: str, now: float) -> Folded:
    """All is over: have the text written, or answer."""
    composer = plan.composer
    if composer is None or not may_compose(trace, plan, now):
        return _answer(trace, now)
    trace = composing(trace, plan, composer, released_by, now)
    return trace, _again(trace, plan, released_by, composer_only=True)


def _answer(trace: Trace, now: float) -> Folded:
    return answered(trace.trace_id, now), (Publish(compose(trace, now)),)


def _go_on(trace: Trace, plan: PlanMade, released_by: str, now: float) -> Folded:
    """Answer if all steps have ended, else give out the calls that may run now."""
    if not trace.failed and len(trace.calls) == len(plan.steps) > len(trace.succeeded):
        return trace, ()  # every step is under way: nothing to give out, and something still to come
    outputs: list[Output] = []
    while True:
        stands = standing(plan, trace)
        if stands.failed and plan.fail_fast:
            return _finish(trace, plan, released_by, now)
        if not stands.open or (halted_by(plan, stands) is not None and not running(trace, stands)):
            return _at_rest(trace, plan, stands, released_by, now)
        if halted_by(plan, stands) is not None:
            return trace, tuple(outputs)
        ready = turns(trace, plan, stands)
        if not ready:
            return trace, tuple(outputs)
        trace, given, complete = _give_out(trace, plan, ready, released_by, now)
        outputs += given
        if complete:
            return trace, tuple(outputs)


def _give_out(
    trace: Trace, plan: PlanMade, ready: list[Turn], released_by: str, now: float
) -> tuple[Trace, list[Output], bool]:
    """Give out calls; False where one could not be made, so that how the steps stand has changed again."""
    group_of = groups(plan)
    own: dict[str, Call] = {}
    stand_ins: dict[str, Call] = {}
    failures: dict[str, ToolFailed] = {}
    outputs: list[Output] = []
    for turn in ready:
        step_id = turn.step.step_id
        params = params_of(trace, turn)
        if isinstance(params, Unresolved):
            failures[step_id] = broken(plan, turn, params, group_of[step_id], now)
            continue
        call = Call(turn.call_id(trace.trace_id), released_by, now)
        (stand_ins if turn.stands_in else own)[step_id] = call
        outputs.append(Dispatch(called(plan, turn, call, params, group_of[step_id])))
    return with_calls(trace, own, stand_ins, failures), outputs, not failures


def _at_rest(trace: Trace, plan: PlanMade, stands: Standing, released_by: str, now: float) -> Folded:
    """Nothing runs any more: ask for another plan, wait for one that was asked for, or finish."""
    asked = trace.detours.asked if trace.detours is not None else None
    if asked is not None and asked.attempt > plan.attempt:
        return trace, ()
    if not replans.wants_another(trace, plan, stands, now):
        return _finish(trace, plan, released_by, now)
    asked = Asked(plan.attempt + 1, released_by, now)
    return with_asked(trace, asked), (Ask(replans.request(trace, plan, stands, asked)),)


def _again(
    state: Trace, plan: PlanMade, released_by: str, *, composer_only: bool = False
) -> tuple[Output, ...]:
    """What this event released and is unfinished, once more (see the third rule above)."""
    again: list[Output] = []
    detours = state.detours
    if not composer_only:
        group_of = groups(plan)
        for turn, call in _unfinished(state, plan):
            params = params_of(state, turn) if call.released_by == released_by else None
            if isinstance(params, dict):
                again.append(Dispatch(called(plan, turn, call, params, group_of[turn.step.step_id])))
    if detours is None:
        return tuple(again)
    asked, composer = detours.asked, detours.composing
    if asked is not None and asked.attempt > plan.attempt and asked.released_by == released_by:
        again.append(Ask(replans.request(state, plan, standing(plan, state), asked)))
    if composer is not None and plan.composer is not None and composer.released_by == released_by:
        again.append(Dispatch(composer_call(state, plan, plan.composer, composer)))
    return tuple(again)


def _unfinished(state: Trace, plan: PlanMade) -> Iterator[tuple[Turn, Call]]:
    """Calls given out that have no result."""
    detours = state.detours
    for step in plan.steps:
        step_id = step.step_id
        call = state.calls.get(step_id)
        if call is not None and step_id not in state.succeeded and step_id not in state.failed:
            yield Turn(step, False), call
        if detours is not None and step_id not in detours.stood_in and step_id not in detours.fell:
            call = detours.calls.get(step_id)
            if call is not None:
                yield Turn(step, True), call


def _role_of(state: Trace, plan: PlanMade, event: ToolSucceeded | ToolFailed) -> Role | None:
    """Whose result it is, of a call given out by this state or before a crash that lost it; None: of no call of this
    plan."""
    step_id, call_id_ = event.step_id, event.call_id
    call = state.calls.get(step_id)
    if call is not None and call.call_id == call_id_:
        return "own"
    for step in plan.steps:
        if step.step_id == step_id:
            if call is None and call_id_ == call_id(state.trace_id, step_id, step.attempt):
                return "own"
            if step.fallback is not None and call_id_ == stand_in_call_id(
                state.trace_id, step_id, step.attempt
            ):
                return "stand_in"
            return None
    return None


def _keep_early(state: Trace | None, event: ToolSucceeded | ToolFailed, now: float) -> Trace | None:
    """Keep a result whose plan is yet to come, for as long as a question may take and no more than a plan can
    have. A first plan is attempt 0, so a call id that is not of this trace is known without it."""
    role: Role
    if event.call_id == call_id(event.trace_id, event.step_id, 0):
        role = "own"
    elif event.call_id == stand_in_call_id(event.trace_id, event.step_id, 0):
        role = "stand_in"
    else:
        return state
    if state is None:
        state = Trace(trace_id=event.trace_id, deadline_at=now + TOTAL_BUDGET_S)
    if role == "own":
        known = {**state.succeeded, **state.failed}
    else:
        detours = state.detours or Detours()
        known = {**detours.stood_in, **detours.fell}
    return state if event.step_id in known or len(known) >= MAX_STEPS else with_result(state, event, role)
