"""Replans: what was asked for and why, and what was decided."""

from __future__ import annotations

import msgspec

from schemas.plans import PlanMade, ReplanRecord, ReplanRequested
from sinks.rows.plans import plan_rows
from sinks.rows.words import HEARSAY, WITNESSED, Origin, Row, Rows

_encode = msgspec.json.Encoder().encode


def request_rows(event: ReplanRequested, _: Origin) -> Rows:
    """The request, until its decision comes."""
    return {
        "replans": [
            {
                "tenant_id": event.tenant_id,
                "trace_id": event.trace_id,
                "attempt": event.attempt,
                "trigger": event.trigger,
                "severity": event.severity,
                "reason": event.reason,
                "decision": "pending",
                "failures": _encode(event.failures).decode(),
                "patch": "",
                "requested_at": event.requested_at,
                "decided_at": event.requested_at,
                "evidence": HEARSAY,
            }
        ]
    }


def planned_rows(event: PlanMade, origin: Origin) -> Rows:
    """A plan's rows; of a later attempt its phase counts from the request, and the decision has a row of its own."""
    rows = plan_rows(event, origin)
    if event.attempt == 0 or not event.replan_records:
        return rows
    record = event.replan_records[-1]
    took_ms = max(0.0, (record.decided_at - record.requested_at) * 1000)
    for table in ("stages", "spans"):
        for row in rows.get(table, ()):
            row |= {"started_at": record.requested_at, "duration_ms": took_ms}
    return {**rows, "replans": [_decided(event, record)]}


def _decided(event: PlanMade, record: ReplanRecord) -> Row:
    patch = record.patch
    return {
        "tenant_id": event.tenant_id,
        "trace_id": event.trace_id,
        "attempt": record.attempt,
        "trigger": record.trigger,
        "severity": record.severity,
        "reason": record.reason,
        "decision": "changed" if patch is not None and patch.changes else "unchanged",
        "failures": _encode(record.failures).decode(),
        "patch": "" if patch is None else _encode(patch).decode(),
        "requested_at": record.requested_at,
        "decided_at": record.decided_at,
        "evidence": WITNESSED,
    }
