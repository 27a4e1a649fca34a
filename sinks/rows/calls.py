"""Calls of tools: each a row, a span and its figures."""

from __future__ import annotations

from schemas.calls import ToolFailed, ToolOutput, ToolSucceeded
from sinks.rows.usage import call_usage
from sinks.rows.words import NO_FAILURE, TIMEOUT_CODES, WITNESSED, Origin, Row, Rows, span_id, stage_span


def call_rows(event: ToolSucceeded | ToolFailed, _: Origin) -> Rows:
    """One call: its row, span and figures."""
    error = event.error if isinstance(event, ToolFailed) else None
    code = error.code.value if error is not None else ""
    timeout = error is not None and error.code in TIMEOUT_CODES
    counts_as_failure = error is not None and error.code not in NO_FAILURE
    duration_ms = max(0.0, (event.ended_at - event.started_at) * 1000)
    output = event.output if isinstance(event, ToolSucceeded) else None
    return {
        "tool_calls": [
            {
                "tenant_id": event.tenant_id,
                "trace_id": event.trace_id,
                "tool_call_id": event.call_id,
                "step_id": event.step_id,
                "tool_type": event.tool_type,
                "tool_asset_id": event.tool_id,
                "tool_asset_version": event.asset_version,
                "policy_version": event.policy_version,
                "tool_name": event.tool_id,
                "started_at": event.started_at,
                "ended_at": event.ended_at,
                "duration_ms": duration_ms,
                "status": "timeout" if timeout else "success" if error is None else "error",
                "error_code": code,
                "error_message": error.message if error is not None else "",
                "error_detail": (error.detail or "") if error is not None else "",
                "retry_count": event.retries,
                "execution_group_index": event.group,
                "timeout_exceeded": timeout,
                "row_count": _rows_of(output),
                "truncated": output.truncated if output is not None else False,
                "source": output.source if output is not None else "",
                "query": output.query if output is not None else "",
                "cached": event.cached if isinstance(event, ToolSucceeded) else False,
                "lifted": list(event.lifted),
                "waited_ms": event.waited_s * 1000,
                "evidence": WITNESSED,
            }
        ],
        "spans": [
            {
                "tenant_id": event.tenant_id,
                "trace_id": event.trace_id,
                "span_id": span_id("call", event.call_id),
                "parent_id": stage_span(event.trace_id, "execution", 0),
                "name": event.tool_id,
                "kind": "tool",
                "status": "error" if counts_as_failure else "ok" if error is None else "warning",
                "started_at": event.started_at,
                "duration_ms": duration_ms,
                "tool_call_id": event.call_id,
                "retries": event.retries,
                "error_code": code,
                "evidence": WITNESSED,
            }
        ],
        "metric_points": _call_points(event, duration_ms, counts_as_failure, code),
    }


def _rows_of(output: ToolOutput | None) -> int:
    """Rows that were found, also where only the first of them travel."""
    if output is None:
        return 0
    return len(output.rows) if output.claim is None else output.claim.row_count


def _call_points(event: ToolSucceeded | ToolFailed, duration_ms: float, failed: bool, code: str) -> list[Row]:
    common = {
        "tenant_id": event.tenant_id,
        "trace_id": event.trace_id,
        "at": event.ended_at,
        "subject": event.call_id,
        "tool_call_id": event.call_id,
        "tool_type": event.tool_type,
        "error_code": code,
        "evidence": WITNESSED,
    }
    return [
        {**common, "name": "tool_execution_latency", "value": duration_ms},
        {**common, "name": "tool_fail_rate", "value": float(failed)},
        *(call_usage(event) if isinstance(event, ToolSucceeded) else []),
    ]
