"""The state of one trace: the row of the join's table and of its changelog."""

from dataclasses import field
from typing import Final, NamedTuple

import msgspec

from schemas.calls import ToolFailed, ToolSucceeded
from schemas.plans import PlanMade
from schemas.word import Instant, word

BY_PLAN: Final = ""
"""`Call.released_by` of the calls that the plan itself set free; no step can be called so."""


class Call(NamedTuple):
    """A call that was given out."""

    call_id: str
    released_by: str
    """Which event set it free: the step whose result did, or `BY_PLAN`. That event, read again, gives it out
    again for as long as it has no result (see join.py)."""
    called_at: Instant


@word
class Trace:
    """All that is known of one trace.

    Either open (with a plan, or with results only, whose plan is yet to come), or answered: then it is a
    marker of `trace_id` and `answered_at` and nothing else. Its mappings are never changed in place.
    """

    trace_id: str
    deadline_at: Instant = 0.0
    answered_at: Instant | None = None
    plan: PlanMade | None = None
    calls: dict[str, Call] = field(default_factory=dict)
    """Calls given out, by step id."""
    succeeded: dict[str, ToolSucceeded] = field(default_factory=dict)
    """First result of each step that succeeded, by step id."""
    failed: dict[str, ToolFailed] = field(default_factory=dict)
    """First result of each step that failed, by step id."""


_NO_CALLS: Final[dict[str, Call]] = {}
_NO_SUCCESSES: Final[dict[str, ToolSucceeded]] = {}
_NO_FAILURES: Final[dict[str, ToolFailed]] = {}


def answered(trace_id: str, answered_at: Instant) -> Trace:
    """The marker that stays of an answered trace. Markers are many: they share their empty mappings."""
    return Trace(
        trace_id=trace_id,
        answered_at=answered_at,
        calls=_NO_CALLS,
        succeeded=_NO_SUCCESSES,
        failed=_NO_FAILURES,
    )


class _Marker(NamedTuple):
    trace_id: str
    answered_at: Instant


_ENCODER: Final = msgspec.json.Encoder()
_OPEN: Final = msgspec.json.Decoder(Trace)
_ANSWERED: Final = msgspec.json.Decoder(_Marker)


def write_trace(trace: Trace) -> bytes:
    """The trace as a changelog row in JSON: an object while it is open, `[trace_id, answered_at]` as a
    marker."""
    if trace.answered_at is not None:
        return _ENCODER.encode((trace.trace_id, trace.answered_at))
    return _ENCODER.encode(trace)


def read_trace(row: bytes) -> Trace:
    """Read what `write_trace` wrote. Raises `msgspec.MsgspecError` for anything else."""
    if row[:1] == b"[":
        return answered(*_ANSWERED.decode(row))
    return _OPEN.decode(row)
