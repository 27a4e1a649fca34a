"""What became of each step: its tool result for the answer, and what stands over all of them."""

from dataclasses import replace
from typing import Final, NamedTuple

from agents.aggregation.budget import execution_ends_at
from agents.aggregation.clean import line
from agents.aggregation.standing import (
    Standing,
    found_nothing,
    groups,
    halted_by,
    may_stand_in,
    standing,
)
from agents.aggregation.substitutes import fallback_details, replacements
from agents.aggregation.trace import Call, Detours, Trace
from agents.aggregation.turns import Turn, given_out
from schemas.answers import FallbackDetails, Status, ToolResult
from schemas.calls import ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, OpsError, PublicError, ops_error
from schemas.ids import call_id, stand_in_call_id
from schemas.plans import PlanMade, Step
from schemas.word import Instant, Json

MESSAGE_CHARACTERS: Final = 200
_SAME_MOMENT_S: Final = 0.05


class Outcome(NamedTuple):
    """One step, its tool result and, where it succeeded with one, its output. `before`: the failure of the step's own
    tool, where another stood in for it."""

    step: Step
    result: ToolResult
    output: ToolOutput | None = None
    read_at: Instant = 0.0
    before: ToolResult | None = None


class Outcomes(NamedTuple):
    """All steps in the order of the plan. `timed_out`: the deadline cut steps that were still open."""

    steps: tuple[Outcome, ...]
    status: Status
    timed_out: bool
    fallbacks: tuple[FallbackDetails, ...] = ()


def outcomes_of(trace: Trace, plan: PlanMade, now: Instant) -> Outcomes:
    """Settle every step. An open one ran out of time (`TOOL_TIMEOUT`), or was not begun because an earlier failure
    ended the question; what waits for it is skipped."""
    stands = standing(plan, trace)
    cut: set[str] = set()
    stopped: dict[str, str] = {}
    if stands.open:
        stands, cut, stopped = _ended(trace, plan, stands)
    group_of = groups(plan)
    fallbacks: list[FallbackDetails] = []
    outcomes = []
    good = 0
    for step in plan.steps:
        step_id = step.step_id
        success = trace.succeeded.get(step_id)
        if step_id in trace.failed and may_stand_in(step, trace.failed[step_id]):
            outcome = _stood_in(trace, plan, step, stands, step_id in cut, group_of[step_id], now)
            if outcome.result.success:
                fallbacks.append(fallback_details(step, trace.failed[step_id], outcome.result.tool_id))
        elif step_id not in stands.met:
            result = _unmet(trace, plan, step, stands, cut, group_of[step_id], now)
            outcome = Outcome(step, result)
        elif success is None:
            outcome = Outcome(step, _nothing(trace.failed[step_id]))
        else:
            outcome = _succeeded(step, success)
        if stopped:
            halt = stopped.get(step_id) or stopped.get(outcome.result.cause or "")
            if halt is not None:
                outcome = Outcome(step, skipped(trace, plan, step, halt, group_of[step_id]))
        good += outcome.result.success
        outcomes.append(outcome)
    if plan.replan_records:
        fallbacks += replacements(plan, outcomes)
    if good == 0:
        status = Status.FAILED
    elif good < len(plan.steps):
        status = Status.PARTIAL_SUCCESS
    else:
        status = Status.DEGRADED if fallbacks else Status.SUCCESS
    timed_out = bool(cut)
    if trace.failed and not cut:
        timed_out = any(ended_by_deadline(plan, event) for event in trace.failed.values())
    return Outcomes(tuple(outcomes), status, timed_out, tuple(fallbacks))


def _ended(trace: Trace, plan: PlanMade, stands: Standing) -> tuple[Standing, set[str], dict[str, str]]:
    """How the plan stands when nothing more will come: what the deadline cut, and what was not begun (with the step
    whose failure ended the question)."""
    halt = halted_by(plan, stands)
    if plan.fail_fast and stands.failed:
        halt = next(step.step_id for step in plan.steps if step.step_id in stands.failed)
    stopped: dict[str, str] = {}
    if halt is not None:
        for step in stands.open:
            turn = Turn(step, step.step_id in trace.failed)
            if plan.fail_fast or given_out(trace, turn) is None:
                stopped[step.step_id] = halt
    over = {step.step_id for step in stands.open}
    return standing(plan, trace, over), over - stopped.keys(), stopped


def _stood_in(
    trace: Trace, plan: PlanMade, step: Step, stands: Standing, cut: bool, group: int, now: Instant
) -> Outcome:
    """The outcome of a step whose own tool gave way to its fallback."""
    step_id, detours = step.step_id, trace.detours or Detours()
    before = _told(trace.failed[step_id], success=False)
    success, failed = detours.stood_in.get(step_id), detours.fell.get(step_id)
    fallback = step.fallback
    assert fallback is not None  # the caller asked whether it may stand in
    if success is not None:
        outcome = _succeeded(step, success)
    elif failed is not None:
        outcome = Outcome(step, _told(failed, success=step_id in stands.met))
    else:
        call = detours.calls.get(step_id)
        late = _late(plan, step, call, stand_in_call_id(trace.trace_id, step_id, step.attempt), group, now)
        outcome = Outcome(step, replace(late, tool_id=fallback.tool_id))
        if not cut:
            return Outcome(step, before)
    return outcome._replace(result=replace(outcome.result, stands_in_for=step.tool_id), before=before)


def _succeeded(step: Step, event: ToolSucceeded) -> Outcome:
    result = ToolResult(
        step_id=step.step_id,
        tool_id=event.tool_id,
        call_id=event.call_id,
        success=True,
        status="success",
        duration_ms=(event.ended_at - event.started_at) * 1000,
        retries=event.retries,
        group=event.group,
        attempt=step.attempt,
    )
    return Outcome(step, result, event.output, event.output.read_at or event.ended_at)


def _nothing(event: ToolFailed) -> ToolResult:
    return _told(event, success=True)


def _told(event: ToolFailed, *, success: bool) -> ToolResult:
    error = public(event.error)
    timeout = error.code is ErrorCode.TOOL_TIMEOUT
    return ToolResult(
        step_id=event.step_id,
        tool_id=event.tool_id,
        call_id=event.call_id,
        success=success,
        status="success" if success else "timeout" if timeout else "error",
        duration_ms=(event.ended_at - event.started_at) * 1000,
        retries=event.retries,
        group=event.group,
        error=error.message,
        error_code=error.code,
        error_details=error,
    )


def _unmet(
    trace: Trace, plan: PlanMade, step: Step, stands: Standing, cut: set[str], group: int, now: Instant
) -> ToolResult:
    """The result of a step that failed, was cut by the deadline or never ran."""
    step_id = step.step_id
    event = trace.failed.get(step_id)
    if event is not None and step_id in stands.failed:
        told = _told(event, success=False)
        if not ended_by_deadline(plan, event) or told.error_details is None:
            return told
        return replace(
            told, error_details=replace(told.error_details, details=_phase_over(plan, event.ended_at))
        )
    call = trace.calls.get(step_id)
    if step_id in cut:
        return _late(plan, step, call, call_id(trace.trace_id, step_id, step.attempt), group, now)
    cause = stands.skipped.get(step_id, step.depends_on[0] if step.depends_on else None)
    return skipped(trace, plan, step, cause, group)


def skipped(trace: Trace, plan: PlanMade, step: Step, cause: str | None, group: int) -> ToolResult:
    """The result of a step that was not begun, or not waited for, because another one failed."""
    call = trace.calls.get(step.step_id)
    return ToolResult(
        step_id=step.step_id,
        tool_id=step.tool_id,
        call_id=call.call_id if call else call_id(trace.trace_id, step.step_id, step.attempt),
        success=False,
        status="skipped",
        duration_ms=0.0,
        group=group,
        error=f"Skipped, because step {cause} did not succeed.",
        cause=cause,
        attempt=step.attempt,
    )


def ended_by_deadline(plan: PlanMade, event: ToolFailed) -> bool:
    """Whether a call ran out of time because its phase did: its worker and the sweep race for saying so."""
    late_at = execution_ends_at(plan) - _SAME_MOMENT_S
    return event.error.code is ErrorCode.TOOL_TIMEOUT and event.ended_at >= late_at


def _phase_over(plan: PlanMade, now: Instant) -> dict[str, Json]:
    """How long the execution phase took and what it was given."""
    elapsed_ms, timeout_ms = (
        round((until - plan.planned_at) * 1000, 1) for until in (now, execution_ends_at(plan))
    )
    return {"phase": "execution", "elapsed_ms": elapsed_ms, "timeout_ms": timeout_ms}


def _late(
    plan: PlanMade, step: Step, call: Call | None, derived_id: str, group: int, now: Instant
) -> ToolResult:
    """The result of a call that the end of the execution phase cut."""
    error = ops_error(
        ErrorCode.TOOL_TIMEOUT,
        suggestion="Ask again, or give the question more time.",
        details=_phase_over(plan, now),
    ).public()
    return ToolResult(
        step_id=step.step_id,
        tool_id=step.tool_id,
        call_id=call.call_id if call else derived_id,
        success=False,
        status="timeout",
        duration_ms=max(0.0, now - call.called_at) * 1000 if call else 0.0,
        group=group,
        error=error.message,
        error_code=error.code,
        error_details=error,
        attempt=step.attempt,
    )


def public(error: OpsError) -> PublicError:
    """What a user may read of it, in safe words."""
    told = error.public()
    message = line(told.message, MESSAGE_CHARACTERS)
    suggestion = line(told.suggestion, MESSAGE_CHARACTERS) if told.suggestion else None
    if message == told.message and suggestion == told.suggestion:
        return told
    return PublicError(
        code=told.code,
        category=told.category,
        severity=told.severity,
        message=message,
        retryable=told.retryable,
        suggestion=suggestion,
        details=told.details,
    )


def empty(result: ToolResult) -> bool:
    """Whether the step worked and there was nothing to find."""
    return result.success and result.error_code is ErrorCode.DATA_NOT_FOUND


__all__ = ["Outcome", "Outcomes", "empty", "found_nothing", "outcomes_of", "public"]
