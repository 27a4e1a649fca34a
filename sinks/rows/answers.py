"""Answers: the row itself, phases, root span, SLO figures, and the calls of which nobody else tells."""

from __future__ import annotations

import msgspec

from schemas.answers import AnswerComposed, PhaseBudget, Status, ToolResult
from schemas.errors import ErrorCode
from sinks.rows.words import (
    HEARSAY,
    PLAN_CODES,
    TIMEOUT_CODES,
    WITNESSED,
    Origin,
    Row,
    Rows,
    root_span,
    span_id,
    stage_span,
)

_encode = msgspec.json.Encoder().encode


def answer_rows(event: AnswerComposed, _: Origin) -> Rows:
    """The answer, its phases, its root span, its figures, and the calls nobody else tells of."""
    asked_at, answered_at = event.asked_at.timestamp(), event.answered_at.timestamp()
    latency_ms = max(0.0, (answered_at - asked_at) * 1000)
    timed_out = _timed_out(event)
    rows: Rows = {
        "answers": [_answer_row(event, asked_at, answered_at, latency_ms, timed_out)],
        "spans": [_root_span_row(event, asked_at, latency_ms)],
        "metric_points": _answer_points(event, answered_at, latency_ms, timed_out),
    }
    started_at = asked_at
    for phase in event.budget.phases:
        for table, row in _phase_rows(event, phase, started_at, asked_at, answered_at).items():
            rows.setdefault(table, []).append(row)
        started_at += phase.elapsed_ms / 1000
    for result in event.results:
        if result.status in ("timeout", "skipped") or result.error_code is ErrorCode.INVALID_PARAMS:
            for table, more in _untold_call(event, result, answered_at).items():
                rows.setdefault(table, []).extend(more)
    return rows


def _answer_row(
    event: AnswerComposed, asked_at: float, answered_at: float, latency_ms: float, timed_out: bool
) -> Row:
    fallback = event.fallback_details
    return {
        "tenant_id": event.tenant_id,
        "trace_id": event.trace_id,
        "answer_id": event.answer_id,
        "question_id": event.question_id,
        "user_id": event.user_id,
        "question": event.question,
        "mode": event.mode,
        "status": event.status.value,
        "plan_kind": event.plan_kind.value,
        "planner": event.planner,
        "score": event.score,
        "reasons": event.reasons,
        "text": event.text,
        "successful_tools": event.successful_tools,
        "failed_tools": event.failed_tools,
        "fallback_used": event.fallback_used,
        "fallback_reason": fallback.reason if fallback is not None else "",
        "fallback_tool_attempted": fallback.tool_attempted if fallback is not None else "",
        "fallback_tool_used": fallback.tool_used_fallback if fallback is not None else "",
        "replans": event.replans,
        "timed_out": timed_out,
        "error_code": event.error.code.value if event.error is not None else "",
        "error_message": event.error.message if event.error is not None else "",
        "budget_ms": event.budget.total_ms,
        "latency_ms": latency_ms,
        "exhausted": event.budget.exhausted,
        "applied_assets": [
            {"asset_id": asset.asset_id, "kind": asset.kind, "version": asset.version}
            for asset in event.applied_assets
        ],
        "asked_at": asked_at,
        "answered_at": answered_at,
        "record": _encode(event).decode(),
    }


def _root_span_row(event: AnswerComposed, asked_at: float, latency_ms: float) -> Row:
    status = {Status.SUCCESS: "ok", Status.FAILED: "error"}.get(event.status, "warning")
    return {
        "tenant_id": event.tenant_id,
        "trace_id": event.trace_id,
        "span_id": root_span(event.trace_id),
        "parent_id": "",
        "name": "answer",
        "kind": "trace",
        "status": status,
        "started_at": asked_at,
        "duration_ms": latency_ms,
        "error_code": event.error.code.value if event.error is not None else "",
        "evidence": WITNESSED,
    }


def _timed_out(event: AnswerComposed) -> bool:
    """Whether time ran out anywhere: of a call, a phase or the whole question."""
    return (
        event.budget.exhausted
        or any(result.status == "timeout" for result in event.results)
        or (event.error is not None and event.error.code in TIMEOUT_CODES)
    )


def _answer_points(
    event: AnswerComposed, answered_at: float, latency_ms: float, timed_out: bool
) -> list[Row]:
    """What the answer's SLO metrics are made of: `latency` in ms, and 0 or 1 for each rate."""
    common = {
        "tenant_id": event.tenant_id,
        "trace_id": event.trace_id,
        "at": answered_at,
        "subject": "answer",
        "error_code": event.error.code.value if event.error is not None else "",
        "tags": {"status": event.status.value, "mode": event.mode},
        "evidence": WITNESSED,
    }
    reason = event.fallback_details.reason if event.fallback_details is not None else ""
    return [
        {**common, "name": "latency", "value": latency_ms},
        {**common, "name": "fallback_rate", "value": float(event.fallback_used), "reason": reason},
        {**common, "name": "replan_rate", "value": float(event.replans > 0)},
        {**common, "name": "timeout_rate", "value": float(timed_out)},
    ]


def _phase_rows(
    event: AnswerComposed, phase: PhaseBudget, started_at: float, asked_at: float, answered_at: float
) -> dict[str, Row]:
    """Stage, span and latency of one phase of an answer."""
    status = _phase_status(event, phase)
    attempt = event.replans if phase.phase == "planning" else 0
    common = {"tenant_id": event.tenant_id, "trace_id": event.trace_id}
    rows: dict[str, Row] = {
        "stages": {
            **common,
            "stage_name": phase.phase,
            "attempt": attempt,
            "status": status,
            "started_at": started_at,
            "duration_ms": phase.elapsed_ms,
            "budget_ms": phase.budget_ms,
            "exhausted": phase.exhausted,
            "asked_at": asked_at,
            "evidence": WITNESSED,
        },
        "metric_points": {
            **common,
            "name": "stage_latency",
            "at": answered_at,
            "value": phase.elapsed_ms,
            "subject": phase.phase,
            "stage_name": phase.phase,
            "evidence": WITNESSED,
        },
    }
    if phase.phase != "planning":
        rows["spans"] = {
            **common,
            "span_id": stage_span(event.trace_id, phase.phase, attempt),
            "parent_id": root_span(event.trace_id),
            "name": phase.phase,
            "kind": "stage",
            "status": status,
            "started_at": started_at,
            "duration_ms": phase.elapsed_ms,
            "evidence": WITNESSED,
        }
    return rows


def _phase_status(event: AnswerComposed, phase: PhaseBudget) -> str:
    """ok, error, warning or skipped: what the phase did for this answer."""
    plan_failed = event.error is not None and event.error.code in PLAN_CODES
    if phase.phase == "planning":
        return "error" if plan_failed else "ok"
    if phase.phase in ("tool_resolution", "execution"):
        ran = [result for result in event.results if result.status != "skipped"]
        if not ran:
            return "skipped"
        if phase.phase == "execution":
            good = sum(result.success for result in ran)
            return "ok" if good == len(ran) else "warning" if good else "error"
    return "error" if phase.exhausted and phase.elapsed_ms > 0 else "ok"


def _untold_call(event: AnswerComposed, result: ToolResult, answered_at: float) -> Rows:
    """A skipped call, one that was never made because its parameters led nowhere, or one whose worker may never have
    reported; what the worker says replaces it."""
    timeout = result.status == "timeout"
    call_id = result.call_id or span_id("skipped", event.trace_id, result.step_id)
    code = result.error_code.value if result.error_code is not None else ""
    common = {"tenant_id": event.tenant_id, "trace_id": event.trace_id, "tool_call_id": call_id}
    rows: Rows = {
        "tool_calls": [
            {
                **common,
                "step_id": result.step_id,
                "tool_asset_id": result.tool_id,
                "tool_name": result.tool_id,
                "started_at": answered_at - result.duration_ms / 1000,
                "ended_at": answered_at,
                "duration_ms": result.duration_ms,
                "status": result.status,
                "error_code": code,
                "error_message": result.error or "",
                "retry_count": result.retries,
                "execution_group_index": result.group,
                "timeout_exceeded": timeout,
                "cause": result.cause or "",
                "evidence": HEARSAY,
            }
        ]
    }
    if timeout:
        point = {**common, "at": answered_at, "subject": call_id, "error_code": code, "evidence": HEARSAY}
        rows["metric_points"] = [
            {**point, "name": "tool_execution_latency", "value": result.duration_ms},
            {**point, "name": "tool_fail_rate", "value": 1.0},
        ]
    return rows
