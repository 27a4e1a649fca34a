"""Events of one trace as they lie on the road, with figures that are easy to work out by hand."""

from __future__ import annotations

from datetime import UTC, datetime

from schemas.answers import (
    AnswerComposed,
    BudgetSummary,
    FallbackDetails,
    PhaseBudget,
    Status,
    ToolResult,
)
from schemas.calls import ToolFailed, ToolOutput, ToolSucceeded
from schemas.deadletters import DeadLetter, HeaderPair
from schemas.errors import ErrorCode, ops_error
from schemas.ids import answer_id, call_id
from schemas.plans import PlanFailed, PlanKind, PlanMade, Step


def plan_made(trace: str, asked_at: float, *, tenant: str = "acme", planning_s: float = 0.01) -> PlanMade:
    """A plan of two steps that may run side by side."""
    steps = tuple(
        Step(step_id=step, tool_id=f"tool-{step}", tool_type="direct_query", kind="sql")
        for step in ("a", "b")
    )
    return PlanMade(
        trace_id=trace,
        tenant_id=tenant,
        question_id=f"q-{trace}",
        user_id="u",
        roles=("viewer",),
        question="how full is the disk?",
        mode="all",
        kind=PlanKind.PLAN,
        asked_at=asked_at,
        planned_at=asked_at + planning_s,
        deadline_at=asked_at + 120,
        steps=steps,
    )


def plan_failed(trace: str, asked_at: float, *, tenant: str = "acme") -> PlanFailed:
    """No plan could be made within 10 ms."""
    return PlanFailed(
        trace_id=trace,
        tenant_id=tenant,
        question_id=f"q-{trace}",
        user_id="u",
        question="?",
        mode="all",
        asked_at=asked_at,
        planned_at=asked_at + 0.01,
        deadline_at=asked_at + 120,
        error=ops_error(ErrorCode.PLAN_INVALID),
    )


def succeeded(
    trace: str, step: str, started_at: float, duration_s: float, *, tenant: str = "acme", group: int = 0
) -> ToolSucceeded:
    """A call that found three rows."""
    return ToolSucceeded(
        trace_id=trace,
        tenant_id=tenant,
        call_id=call_id(trace, step, 0),
        step_id=step,
        tool_id=f"tool-{step}",
        tool_type="direct_query",
        group=group,
        started_at=started_at,
        ended_at=started_at + duration_s,
        retries=1,
        output=ToolOutput(shape="table", rows=[[1], [2], [3]], source="src", query="template x"),
        asset_version=4,
    )


def failed(
    trace: str,
    step: str,
    started_at: float,
    duration_s: float,
    code: ErrorCode,
    *,
    tenant: str = "acme",
    group: int = 0,
) -> ToolFailed:
    """A call that ended with `code`."""
    return ToolFailed(
        trace_id=trace,
        tenant_id=tenant,
        call_id=call_id(trace, step, 0),
        step_id=step,
        tool_id=f"tool-{step}",
        tool_type="direct_query",
        group=group,
        started_at=started_at,
        ended_at=started_at + duration_s,
        error=ops_error(code, detail="operators only"),
    )


def result(
    trace: str, step: str, status: str = "success", duration_ms: float = 100.0, code: ErrorCode | None = None
) -> ToolResult:
    """The outcome of one step as an answer tells it."""
    return ToolResult(
        step_id=step,
        tool_id=f"tool-{step}",
        call_id="" if status == "skipped" else call_id(trace, step, 0),
        success=status == "success",
        status=status,  # type: ignore[arg-type]  # one of four literals, chosen by the test
        duration_ms=duration_ms,
        error_code=code,
        cause="a" if status == "skipped" else None,
    )


def answer(
    trace: str,
    asked_at: float,
    latency_s: float,
    *,
    tenant: str = "acme",
    status: Status = Status.SUCCESS,
    results: tuple[ToolResult, ...] = (),
    fallback: bool = False,
    replans: int = 0,
) -> AnswerComposed:
    """An answer whose phases took a tenth, nothing, eight tenths, a tenth and nothing of `latency_s`."""
    total_ms = latency_s * 1000
    shares = {"planning": 0.1, "tool_resolution": 0.0, "execution": 0.8, "aggregation": 0.1, "response": 0.0}
    return AnswerComposed(
        answer_id=answer_id(trace),
        trace_id=trace,
        question_id=f"q-{trace}",
        tenant_id=tenant,
        user_id="u",
        question="how full is the disk?",
        mode="all",
        status=status,
        plan_kind=PlanKind.PLAN,
        planner="rules",
        score=2.5,
        reasons=("disk matches disk_usage",),
        text="42 % [1]",
        successful_tools=("tool-a",),
        results=results,
        fallback_used=fallback,
        fallback_details=FallbackDetails(
            reason="primary_timeout", tool_attempted="tool-a", tool_used_fallback="tool-z"
        )
        if fallback
        else None,
        replans=replans,
        budget=BudgetSummary(
            total_ms=120_000.0,
            elapsed_ms=total_ms,
            remaining_ms=120_000.0 - total_ms,
            exhausted=False,
            phases=tuple(
                PhaseBudget(
                    phase=name,  # type: ignore[arg-type]  # the five names of the literal
                    budget_ms=30_000.0,
                    elapsed_ms=total_ms * share,
                    remaining_ms=30_000.0 - total_ms * share,
                    exhausted=False,
                )
                for name, share in shares.items()
            ),
        ),
        asked_at=datetime.fromtimestamp(asked_at, UTC),
        answered_at=datetime.fromtimestamp(asked_at + latency_s, UTC),
    )


def letter(
    offset: int, at: float, *, code: ErrorCode = ErrorCode.NOT_JSON, tenant: str = "acme"
) -> DeadLetter:
    """A dead letter about three bytes at `offset` of partition 1 of ops.questions."""
    from base64 import b64encode

    return DeadLetter(
        origin_topic="ops.questions",
        origin_partition=1,
        origin_offset=offset,
        key_b64=None,
        value_b64=b64encode(b"\xffno").decode(),
        value_length=3,
        value_sha256="ab",
        headers=(HeaderPair(name="tenant_id", value_b64=b64encode(tenant.encode()).decode()),),
        code=code,
        reason="the event is not JSON",
        at=datetime.fromtimestamp(at, UTC),
    )
