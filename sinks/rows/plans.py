"""Plans: how long planning took and how it ended."""

from __future__ import annotations

from schemas.errors import ErrorCode
from schemas.plans import PlanFailed, PlanMade
from sinks.rows.usage import plan_usage
from sinks.rows.words import HEARSAY, WITNESSED, Origin, Rows, root_span, stage_span


def plan_rows(event: PlanMade | PlanFailed, _: Origin) -> Rows:
    """Planning: its stage, span and latency, as the planner itself says; and what a language model cost."""
    failed = isinstance(event, PlanFailed)
    attempt = 0 if isinstance(event, PlanFailed) else event.attempt
    code = event.error.code.value if isinstance(event, PlanFailed) else ""
    duration_ms = max(0.0, (event.planned_at - event.asked_at) * 1000)
    usage = [] if isinstance(event, PlanFailed) else plan_usage(event)
    return {
        **({"metric_points": usage} if usage else {}),
        "stages": [
            {
                "tenant_id": event.tenant_id,
                "trace_id": event.trace_id,
                "stage_name": "planning",
                "attempt": attempt,
                "status": "error" if failed else "ok",
                "started_at": event.asked_at,
                "duration_ms": duration_ms,
                "budget_ms": 0.0,
                "exhausted": code == ErrorCode.PLAN_TIMEOUT.value,
                "asked_at": event.asked_at,
                "evidence": HEARSAY,
            }
        ],
        "spans": [
            {
                "tenant_id": event.tenant_id,
                "trace_id": event.trace_id,
                "span_id": stage_span(event.trace_id, "planning", attempt),
                "parent_id": root_span(event.trace_id),
                "name": "planning",
                "kind": "stage",
                "status": "error" if failed else "ok",
                "started_at": event.asked_at,
                "duration_ms": duration_ms,
                "error_code": code,
                "evidence": WITNESSED,
            }
        ],
    }
