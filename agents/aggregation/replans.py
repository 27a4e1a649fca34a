"""When the join asks for another plan, and what of a trace stays when one has come. Pure."""

from collections.abc import Mapping
from typing import Final, TypeVar

from agents.aggregation.budget import execution_ends_at
from agents.aggregation.standing import Standing
from agents.aggregation.trace import Asked, Call, Detours, Trace
from schemas.calls import ToolFailed, ToolSucceeded
from schemas.errors import REPLANNABLE, Category, ErrorCode, OpsError, Severity
from schemas.ids import call_id, stand_in_call_id
from schemas.plans import (
    MAX_REPLANS,
    Gravity,
    PlanMade,
    ReplanRequested,
    Step,
    StepFailure,
    Trigger,
)
from schemas.word import Instant

ENOUGH_S: Final = 0.1
"""With less than this left of the execution phase another plan could not run anything."""

_GRAVITY: Final[dict[Severity, Gravity]] = {
    Severity.INFO: "low",
    Severity.WARNING: "medium",
    Severity.ERROR: "high",
    Severity.CRITICAL: "critical",
}
_BY_GRAVITY: Final[tuple[Gravity, ...]] = ("low", "medium", "high", "critical")

_Result = TypeVar("_Result", ToolSucceeded, ToolFailed)


def wants_another(trace: Trace, plan: PlanMade, stands: Standing, now: Instant) -> bool:
    """Whether to ask for another plan now that nothing of this one runs any more.

    It is asked for only then, so that one request names all that failed, and so that what comes of it does not
    depend on the order of the results."""
    if plan.attempt >= min(plan.max_replans, MAX_REPLANS) or plan.fail_fast or not stands.failed:
        return False
    if plan.patch is not None and not plan.patch.changes:
        return False  # there was no other way the last time
    if execution_ends_at(plan) - now < ENOUGH_S:
        return False
    return any(_error(trace, step).code in REPLANNABLE for step in _failed(plan, stands))


def request(trace: Trace, plan: PlanMade, stands: Standing, asked: Asked) -> ReplanRequested:
    """What is asked of the planner; the same each time it is made of the same trace."""
    failures, errors = [], []
    for step in _failed(plan, stands):
        error = _error(trace, step)
        if error.code in REPLANNABLE:
            failures.append(StepFailure(step_id=step.step_id, tool_ids=_tried(trace, step), code=error.code))
            errors.append((step, error))
    step, gravest = max(errors, key=lambda one: _BY_GRAVITY.index(_GRAVITY[one[1].severity]))
    before = [tool for record in plan.replan_records for one in record.failures for tool in one.tool_ids]
    return ReplanRequested(
        trace_id=plan.trace_id,
        tenant_id=plan.tenant_id,
        attempt=asked.attempt,
        trigger=_trigger(gravest),
        severity=_GRAVITY[gravest.severity],
        reason=f"step '{step.step_id}' failed with {gravest.code.value}",
        requested_at=asked.requested_at,
        plan=plan,
        failures=tuple(failures),
        succeeded=tuple(step.step_id for step in plan.steps if step.step_id in stands.met),
        avoid=tuple(dict.fromkeys([*before, *[tool for one in failures for tool in one.tool_ids]])),
    )


def adopted(trace: Trace, plan: PlanMade) -> Trace:
    """The trace under another plan: of its calls and results stay those that this plan has too."""
    detours = trace.detours or Detours()
    own = {step.step_id: call_id(plan.trace_id, step.step_id, step.attempt) for step in plan.steps}
    other = {step.step_id: stand_in_call_id(plan.trace_id, step.step_id, step.attempt) for step in plan.steps}
    return Trace(
        trace_id=trace.trace_id,
        deadline_at=execution_ends_at(plan),
        plan=plan,
        calls=_calls(trace.calls, own),
        succeeded=_results(trace.succeeded, own, plan.tenant_id),
        failed=_results(trace.failed, own, plan.tenant_id),
        detours=_some(
            Detours(
                calls=_calls(detours.calls, other),
                stood_in=_results(detours.stood_in, other, plan.tenant_id),
                fell=_results(detours.fell, other, plan.tenant_id),
            )
        ),
    )


def _some(detours: Detours) -> Detours | None:
    return detours if detours.calls or detours.stood_in or detours.fell else None


def _calls(calls: Mapping[str, Call], ids: Mapping[str, str]) -> dict[str, Call]:
    return {step_id: call for step_id, call in calls.items() if ids.get(step_id) == call.call_id}


def _results(results: Mapping[str, _Result], ids: Mapping[str, str], tenant_id: str) -> dict[str, _Result]:
    return {
        step_id: event
        for step_id, event in results.items()
        if ids.get(step_id) == event.call_id and event.tenant_id == tenant_id
    }


def _failed(plan: PlanMade, stands: Standing) -> list[Step]:
    return [step for step in plan.steps if step.step_id in stands.failed]


def _error(trace: Trace, step: Step) -> OpsError:
    """What the step failed of in the end."""
    if trace.detours is not None and step.step_id in trace.detours.fell:
        return trace.detours.fell[step.step_id].error
    return trace.failed[step.step_id].error


def _tried(trace: Trace, step: Step) -> tuple[str, ...]:
    if trace.detours is not None and step.step_id in trace.detours.fell and step.fallback is not None:
        return step.tool_id, step.fallback.tool_id
    return (step.tool_id,)


def _trigger(error: OpsError) -> Trigger:
    if error.code is ErrorCode.TOOL_TIMEOUT:
        return "timeout"
    refused = error.category in (Category.POLICY, Category.SECURITY)
    return "policy_violation" if refused else "error"
