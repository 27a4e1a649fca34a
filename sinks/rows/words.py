"""What all rows have in common: where an event lay, ids of spans, whose word a row is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from schemas.errors import ErrorCode

Row = dict[str, Any]
"""A row by column; moments as Unix seconds."""

Rows = dict[str, list[Row]]
"""Rows by table."""

PLAN_CODES = frozenset({ErrorCode.PLAN_INVALID, ErrorCode.PLAN_TIMEOUT})
TIMEOUT_CODES = frozenset(
    {
        ErrorCode.TOOL_TIMEOUT,
        ErrorCode.PLAN_TIMEOUT,
        ErrorCode.EXECUTE_TIMEOUT,
        ErrorCode.COMPOSE_TIMEOUT,
    }
)
NO_FAILURE = frozenset({ErrorCode.DATA_NOT_FOUND})
"""Codes of a call that did its work: nothing found is an answer."""

HEARSAY, WITNESSED = 1, 2
"""Whose word a row is: told by another event, or by the one that did the work. The higher stays."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record lay on the road."""

    topic: str
    partition: int
    offset: int


def root_span(trace_id: str) -> str:
    """Id of the span that is the whole trace."""
    return span_id("trace", trace_id)


def stage_span(trace_id: str, stage: str, attempt: int) -> str:
    """Id of the span of one phase of a trace."""
    return span_id("stage", trace_id, stage, str(attempt))


def span_id(*parts: str) -> str:
    """16 hexadecimal characters, as OpenTelemetry writes a span's id."""
    return hashlib.blake2b("|".join(parts).encode(), digest_size=8).hexdigest()
