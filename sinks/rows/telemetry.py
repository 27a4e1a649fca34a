"""Spans and metric points that come as events of their own."""

from __future__ import annotations

from schemas.telemetry import MetricPoint, SpanEnded
from sinks.rows.words import WITNESSED, Origin, Rows, root_span


def span_rows(event: SpanEnded, _: Origin) -> Rows:
    return {
        "spans": [
            {
                "tenant_id": event.tenant_id,
                "trace_id": event.trace_id,
                "span_id": event.span_id,
                "parent_id": event.parent_id or root_span(event.trace_id),
                "name": event.name,
                "kind": event.kind,
                "status": event.status,
                "started_at": event.started_at,
                "duration_ms": event.duration_ms,
                "tool_call_id": event.tool_call_id or "",
                "retries": event.retries,
                "parallel": event.parallel,
                "error_code": event.error_code.value if event.error_code is not None else "",
                "evidence": WITNESSED,
            }
        ]
    }


_TAG_COLUMNS = (
    "tenant_id",
    "trace_id",
    "plan_id",
    "tool_call_id",
    "stage_name",
    "tool_type",
    "reason",
    "error_code",
)


def point_rows(event: MetricPoint, origin: Origin) -> Rows:
    """A point as it is: known tags in columns, the others in `tags`."""
    known = {name: event.tags.get(name, "") for name in _TAG_COLUMNS}
    return {
        "metric_points": [
            {
                **known,
                "name": event.name,
                "at": event.at,
                "value": event.value,
                "subject": f"{origin.topic}/{origin.partition}/{origin.offset}",
                "tags": {name: value for name, value in event.tags.items() if name not in known},
                "evidence": WITNESSED,
            }
        ]
    }
