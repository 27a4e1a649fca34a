"""Spans and metric points that no other event carries (docs/adr/0002-telemetry-from-events.md)."""

from dataclasses import field
from typing import Literal

from schemas.errors import ErrorCode
from schemas.word import Instant, word


@word
class SpanEnded:
    event: Literal["SpanEnded"] = "SpanEnded"
    trace_id: str
    tenant_id: str
    span_id: str
    parent_id: str | None = None
    name: str
    kind: str
    status: Literal["ok", "error", "warning", "skipped"]
    started_at: Instant
    duration_ms: float
    tool_call_id: str | None = None
    retries: int = 0
    parallel: bool = False
    error_code: ErrorCode | None = None


@word
class MetricPoint:
    """One figure at one moment; `tags` hold trace_id and tenant_id where the figure belongs to a trace."""

    event: Literal["MetricPoint"] = "MetricPoint"
    name: str
    value: float
    at: Instant
    tags: dict[str, str] = field(default_factory=dict)
