"""The next state of a trace: the same but for one thing. Mappings are copied, never changed in place."""

from collections.abc import Mapping
from typing import Final, Literal

from agents.aggregation.trace import Asked, Call, Detours, Trace
from schemas.calls import ToolFailed, ToolSucceeded

Role = Literal["own", "stand_in"]
"""Whose result it is: of the step's own tool, or of what stands in for it."""

_NONE: Final = Detours()


def with_result(trace: Trace, event: ToolSucceeded | ToolFailed, role: Role) -> Trace:
    """The trace with a step's result."""
    step_id = event.step_id
    if role == "own":
        succeeded, failed = trace.succeeded, trace.failed
        if isinstance(event, ToolSucceeded):
            succeeded = {**succeeded, step_id: event}
        else:
            failed = {**failed, step_id: event}
        return Trace(
            trace_id=trace.trace_id,
            deadline_at=trace.deadline_at,
            plan=trace.plan,
            calls=trace.calls,
            succeeded=succeeded,
            failed=failed,
            detours=trace.detours,
        )
    before = trace.detours or _NONE
    if isinstance(event, ToolSucceeded):
        return with_detours(trace, detours(before, stood_in={**before.stood_in, step_id: event}))
    return with_detours(trace, detours(before, fell={**before.fell, step_id: event}))


def with_calls(
    trace: Trace, own: Mapping[str, Call], stand_ins: Mapping[str, Call], broken: Mapping[str, ToolFailed]
) -> Trace:
    """The trace with calls given out, and with failures of steps whose call could not be made."""
    before = trace.detours
    if stand_ins or (broken and any(step_id in trace.failed for step_id in broken)):
        fell = {step_id: event for step_id, event in broken.items() if step_id in trace.failed}
        known = before or _NONE
        before = detours(known, calls={**known.calls, **stand_ins}, fell={**known.fell, **fell})
    failed = trace.failed
    if broken:
        failed = {**broken, **failed}
    return Trace(
        trace_id=trace.trace_id,
        deadline_at=trace.deadline_at,
        plan=trace.plan,
        calls={**trace.calls, **own},
        succeeded=trace.succeeded,
        failed=failed,
        detours=before,
    )


def with_asked(trace: Trace, asked: Asked) -> Trace:
    """The trace that waits for another plan."""
    return with_detours(trace, detours(trace.detours or _NONE, asked=asked))


def with_composed(trace: Trace, event: ToolSucceeded | ToolFailed) -> Trace:
    """The trace with what the model gave."""
    before = trace.detours or _NONE
    if isinstance(event, ToolSucceeded):
        return with_detours(trace, detours(before, composed=event))
    return with_detours(trace, detours(before, not_composed=event))


def with_detours(trace: Trace, new: Detours) -> Trace:
    return Trace(
        trace_id=trace.trace_id,
        deadline_at=trace.deadline_at,
        plan=trace.plan,
        calls=trace.calls,
        succeeded=trace.succeeded,
        failed=trace.failed,
        detours=new,
    )


def detours(
    before: Detours,
    *,
    calls: dict[str, Call] | None = None,
    stood_in: dict[str, ToolSucceeded] | None = None,
    fell: dict[str, ToolFailed] | None = None,
    asked: Asked | None = None,
    composing: Call | None = None,
    composed: ToolSucceeded | None = None,
    not_composed: ToolFailed | None = None,
) -> Detours:
    """The same detours but for what is given."""
    return Detours(
        calls=before.calls if calls is None else calls,
        stood_in=before.stood_in if stood_in is None else stood_in,
        fell=before.fell if fell is None else fell,
        asked=asked or before.asked,
        composing=composing or before.composing,
        composed=composed or before.composed,
        not_composed=not_composed or before.not_composed,
    )
