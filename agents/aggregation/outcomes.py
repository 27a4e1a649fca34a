"""What became of each step: its tool result for the answer, and what stands over all of them."""

from typing import Final, NamedTuple

from agents.aggregation.clean import line
from agents.aggregation.standing import Standing, found_nothing, groups, standing
from agents.aggregation.trace import Trace
from schemas.answers import FallbackDetails, Status, ToolResult
from schemas.calls import ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, OpsError, PublicError, ops_error
from schemas.ids import call_id
from schemas.plans import PlanMade, Step
from schemas.word import Instant

MESSAGE_CHARACTERS: Final = 200


class Outcome(NamedTuple):
    """One step, its tool result and, where it succeeded with one, its output."""

    step: Step
    result: ToolResult
    output: ToolOutput | None = None
    read_at: Instant = 0.0


class Outcomes(NamedTuple):
    """All steps in the order of the plan. `timed_out`: the deadline cut steps that were still open."""

    steps: tuple[Outcome, ...]
    status: Status
    timed_out: bool
    fallback: FallbackDetails | None


def outcomes_of(trace: Trace, plan: PlanMade, now: Instant) -> Outcomes:
    """Settle every step. An open one ran out of time (`TOOL_TIMEOUT`); what waits for it is skipped."""
    stands = standing(plan, trace.succeeded, trace.failed)
    cut = {step.step_id for step in stands.open}
    if cut:
        stands = _with_timeouts(trace, plan, cut)
    group_of = groups(plan)
    fallback = None
    outcomes = []
    good = 0
    for step in plan.steps:
        success = trace.succeeded.get(step.step_id)
        if step.step_id not in stands.met:
            outcomes.append(
                Outcome(step, _unmet(trace, plan, step, stands, cut, group_of[step.step_id], now))
            )
        elif success is None:
            outcomes.append(Outcome(step, _nothing(trace.failed[step.step_id])))
            good += 1
        else:
            outcomes.append(_succeeded(step, success))
            good += 1
            if success.tool_id != step.tool_id and fallback is None:
                fallback = FallbackDetails(
                    reason="primary_failed", tool_attempted=step.tool_id, tool_used_fallback=success.tool_id
                )
    if good == 0:
        status = Status.FAILED
    elif good < len(plan.steps):
        status = Status.PARTIAL_SUCCESS
    else:
        status = Status.SUCCESS if fallback is None else Status.DEGRADED
    return Outcomes(tuple(outcomes), status, bool(cut), fallback)


def _with_timeouts(trace: Trace, plan: PlanMade, cut: set[str]) -> Standing:
    """How the plan stands if the open steps count as failed; the error itself is made where it is told."""
    lost = dict(trace.failed)
    for step in plan.steps:
        if step.step_id in cut:
            lost[step.step_id] = ToolFailed(
                trace_id=plan.trace_id,
                tenant_id=plan.tenant_id,
                call_id="",
                step_id=step.step_id,
                tool_id=step.tool_id,
                tool_type=step.tool_type,
                group=0,
                started_at=0.0,
                ended_at=0.0,
                error=_TIMEOUT,
            )
    return standing(plan, trace.succeeded, lost)


_TIMEOUT: Final = ops_error(ErrorCode.TOOL_TIMEOUT, suggestion="Ask again, or give the question more time.")


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
    event = trace.failed.get(step.step_id)
    if event is not None and step.step_id in stands.failed:
        return _told(event, success=False)
    call = trace.calls.get(step.step_id)
    if step.step_id in cut:
        error = _TIMEOUT.public()
        return ToolResult(
            step_id=step.step_id,
            tool_id=step.tool_id,
            call_id=call.call_id if call else call_id(trace.trace_id, step.step_id, plan.attempt),
            success=False,
            status="timeout",
            duration_ms=max(0.0, now - call.called_at) * 1000 if call else 0.0,
            group=group,
            error=error.message,
            error_code=error.code,
            error_details=error,
        )
    cause = stands.skipped.get(step.step_id, step.depends_on[0] if step.depends_on else None)
    return ToolResult(
        step_id=step.step_id,
        tool_id=step.tool_id,
        call_id=call.call_id if call else call_id(trace.trace_id, step.step_id, plan.attempt),
        success=False,
        status="skipped",
        duration_ms=0.0,
        group=group,
        error=f"Skipped, because step {cause} did not succeed.",
        cause=cause,
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
    )


def empty(result: ToolResult) -> bool:
    """Whether the step worked and there was nothing to find."""
    return result.success and result.error_code is ErrorCode.DATA_NOT_FOUND


__all__ = ["Outcome", "Outcomes", "empty", "found_nothing", "outcomes_of", "public"]
