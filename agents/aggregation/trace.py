"""The state of one trace: the row of the join's table and of its changelog."""

from dataclasses import field
from typing import Final, NamedTuple

import msgspec

from schemas.calls import ToolFailed, ToolSucceeded
from schemas.plans import PlanMade
from schemas.word import Instant, word

BY_PLAN: Final = ""
"""`Call.released_by` of the calls that the plan itself set free; no step can be called so. Those of the n-th replan
have `@n`, those of the composer's deadline or result `@compose`."""


def by_plan(attempt: int) -> str:
    """`released_by` of what a plan itself sets free."""
    return BY_PLAN if attempt == 0 else f"@{attempt}"


class Call(NamedTuple):
    """A call that was given out."""

    call_id: str
    released_by: str
    """Which event set it free: the step whose result did, or `BY_PLAN`. That event, read again, gives it out
    again for as long as it has no result (see join.py)."""
    called_at: Instant


class Asked(NamedTuple):
    """Another plan was asked for and has not come yet."""

    attempt: int
    released_by: str
    requested_at: Instant


@word
class Detours:
    """What only some traces have: stand-ins of failed tools, a replan asked for, a model that writes the text.

    A step's stand-in is called when its own tool has failed; so `Trace.failed` tells of the tool itself, and
    `stood_in` and `fell` of what stood in for it.
    """

    calls: dict[str, Call] = field(default_factory=dict)
    """Calls of stand-ins given out, by step id."""
    stood_in: dict[str, ToolSucceeded] = field(default_factory=dict)
    fell: dict[str, ToolFailed] = field(default_factory=dict)
    asked: Asked | None = None
    composing: Call | None = None
    composed: ToolSucceeded | None = None
    not_composed: ToolFailed | None = None


@word
class Trace:
    """All that is known of one trace.

    Either open (with a plan, or with results only, whose plan is yet to come), or answered: then it is a
    marker of `trace_id` and `answered_at` and nothing else. Its mappings are never changed in place.
    """

    trace_id: str
    deadline_at: Instant = 0.0
    """When the phase that it is in has to be over (budget.py: `due_of`)."""
    answered_at: Instant | None = None
    plan: PlanMade | None = None
    calls: dict[str, Call] = field(default_factory=dict)
    """Calls given out, by step id."""
    succeeded: dict[str, ToolSucceeded] = field(default_factory=dict)
    """First result of each step that succeeded, by step id."""
    failed: dict[str, ToolFailed] = field(default_factory=dict)
    """First result of each step that failed, by step id."""
    detours: Detours | None = None


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
