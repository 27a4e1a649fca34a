"""Events to rows, one family a file. Pure: the same event from the same place gives the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from schemas.answers import AnswerComposed
from schemas.calls import ToolFailed, ToolSucceeded
from schemas.deadletters import DeadLetter
from schemas.events import Event
from schemas.plans import PlanFailed, PlanMade, ReplanRequested
from schemas.telemetry import MetricPoint, SpanEnded
from sinks.rows.answers import answer_rows
from sinks.rows.calls import call_rows
from sinks.rows.dead_letters import letter_rows
from sinks.rows.plans import plan_rows
from sinks.rows.replans import planned_rows, request_rows
from sinks.rows.telemetry import point_rows, span_rows
from sinks.rows.words import Origin, Row, Rows, root_span

__all__ = ["Origin", "Row", "Rows", "merge", "root_span", "rows_of"]

_FAMILIES: dict[type, Callable[[Any, Origin], Rows]] = {
    PlanMade: planned_rows,
    PlanFailed: plan_rows,
    ReplanRequested: request_rows,
    ToolSucceeded: call_rows,
    ToolFailed: call_rows,
    AnswerComposed: answer_rows,
    SpanEnded: span_rows,
    MetricPoint: point_rows,
    DeadLetter: letter_rows,
}


def rows_of(event: Event, origin: Origin) -> Rows:
    """The rows an event leaves behind; none for events of which others already tell."""
    make = _FAMILIES.get(type(event))
    return make(event, origin) if make is not None else {}


def merge(rows: Iterable[Rows]) -> Rows:
    """The rows of several events, by table, in order."""
    merged: Rows = {}
    for one in rows:
        for table, more in one.items():
            merged.setdefault(table, []).extend(more)
    return merged
