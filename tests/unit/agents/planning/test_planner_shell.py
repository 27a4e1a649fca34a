"""The planner on the road: each event becomes a plan or a dead letter, and its offset waits for both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable
from typing import Any

from faust.types import TP

from agents.planning.planner import Planner
from schemas.errors import ErrorCode, ops_error
from schemas.ids import partition_of, trace_id
from schemas.plans import PlanFailed, PlanMade
from schemas.questions import QuestionAsked
from streams.codecs import AGGREGATION_WORDS, Codec
from streams.counters import Counters
from streams.lane.part import Part
from streams.road import Road
from streams.schema_ids import FileIds
from streams.topics import Topics
from tests.support.lane_app import LaneApp, Record, settle
from tests.support.road_events import plan_failed, plan_made

NOW = 1_795_262_400.0
HEADERS = (("tenant_id", b"acme"),)
CODEC = Codec(FileIds.load())


class Decides:
    """Plans every question but those that ask for trouble; `wait` is planned when `ready` is set."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()

    async def _waited(self, trace_id: str, now: float) -> PlanMade:
        await self.ready.wait()
        return plan_made(trace_id, now)

    def begin(
        self, question: QuestionAsked, *, trace_id: str, now: float
    ) -> PlanMade | PlanFailed | Awaitable[PlanMade]:
        if question.question == "wait":
            return self._waited(trace_id, now)
        if question.question == "break":
            raise ZeroDivisionError("a bug in planning")
        return plan_made(trace_id, now) if question.question == "plan" else plan_failed(trace_id, now)


def _road() -> Road:
    return Road(Topics("p."), CODEC, Counters("w0"), lambda: NOW)


def _question(question_id: str, question: str = "plan") -> bytes:
    event = {
        "schema_version": 1,
        "question_id": question_id,
        "tenant_id": "acme",
        "user": {"id": "u", "roles": []},
        "question": question,
        "created_at": "2026-11-21T12:00:00Z",
    }
    return json.dumps(event).encode()


async def _read(
    app: LaneApp, road: Road, *values: bytes | None, decides: Decides | None = None, note: str = ""
) -> Part:
    lane = Planner(app, road, decides or Decides())
    part = lane.parts[TP("p.ops.questions", 2)] = Part(TP("p.ops.questions", 2), 0, note)
    await lane.assigned(part)
    records = [Record(n, value, "p.ops.questions", 2, b"key", HEADERS) for n, value in enumerate(values)]
    lane.put(part, records)
    await lane.begin(*lane._channel._subscribers[0].queue.get_nowait())
    await settle()
    return part


def _sent(app: LaneApp, topic: str) -> list[tuple[int, Any]]:
    return [(sent.partition, item) for sent in app.sent if sent.topic == topic for item in sent.items]


async def test_plan_goes_where_its_trace_is_joined() -> None:
    """Keyed by the trace, in the trace's partition, whatever partition the question came in."""
    app = LaneApp()

    await _read(app, _road(), *(_question(f"q{n}") for n in range(20)))

    sent = _sent(app, "p.ops.aggregation")
    assert len(sent) == 20
    for partition, (key, _value, _headers) in sent:
        assert partition == partition_of(key.decode(), 4)
    assert {item[0].decode() for _, item in sent} == {trace_id("acme", f"q{n}") for n in range(20)}


async def test_question_that_breaks_the_planner_fails_with_a_code_and_the_rest_goes_on() -> None:
    """A bug costs one question its plan, not the worker."""
    app = LaneApp()

    await _read(app, _road(), _question("a", "break"), _question("b"))

    events = {}
    for _, (_, value, _) in _sent(app, "p.ops.aggregation"):
        event = CODEC.decode(value, AGGREGATION_WORDS)
        events[event.trace_id] = event
    broken = events[trace_id("acme", "a")]
    assert isinstance(broken, PlanFailed)
    assert broken.error.code is ErrorCode.INTERNAL_ERROR
    assert (
        broken.error.message == ops_error(ErrorCode.INTERNAL_ERROR).message
    )  # no word of the bug for a user
    assert isinstance(events[trace_id("acme", "b")], PlanMade)
    assert app.crashes == []


async def test_bad_event_is_a_dead_letter_with_its_origin() -> None:
    """Key, code and offset; beside it the good one is planned."""
    app = LaneApp()

    await _read(app, _road(), _question("a"), b"no", _question("b"))

    [(partition, (key, value, _))] = _sent(app, "p.ops.dead-letters")
    letter = json.loads(value)
    assert (partition, key, letter["origin_offset"], letter["code"]) == (2, b"key", 1, "NOT_JSON")
    assert len(_sent(app, "p.ops.aggregation")) == 2


async def test_offset_waits_for_the_dead_letter_and_for_every_plan() -> None:
    """If the dead letter cannot be written, nothing is committed."""
    app = LaneApp(hold_acks=True)
    part = await _read(app, _road(), b"no", _question("a"))

    for sent in app.sent[1:]:
        app.acknowledge(sent)
    await settle()
    assert part.low() == 0

    app.acknowledge(app.sent[0])
    await settle()
    assert part.low() == 2


async def test_dead_letter_that_is_refused_stops_the_worker() -> None:
    """No silent loss."""
    app = LaneApp(hold_acks=True)
    part = await _read(app, _road(), b"no")

    app.sent[0].ack.set_exception(ConnectionError("refused"))
    await settle()

    assert [type(error) for error in app.crashes] == [ConnectionError]
    assert part.low() == 0


async def test_tombstone_is_counted_and_passed() -> None:
    """Nothing is sent for it."""
    app, road = LaneApp(), _road()

    part = await _read(app, road, None, None)

    assert app.sent == []
    assert part.low() == 2
    assert [(point.name, point.value) for point in road.counters.report(NOW)][-1] == (
        "tombstones_ignored",
        2.0,
    )


async def test_question_that_waits_holds_back_no_other() -> None:
    """Those behind it are planned at once; its offset is not committed before it is done, and a successor that reads
    again from there knows what is finished."""
    app, road, decides = LaneApp(), _road(), Decides()

    part = await _read(app, road, _question("a", "wait"), _question("b"), _question("c"), decides=decides)
    lane = app.transport.lanes["p.ops.questions"]
    note = lane.note(part)

    assert len(_sent(app, "p.ops.aggregation")) == 2
    assert (part.low(), lane.running) == (0, 1)
    successor = LaneApp()
    await _read(successor, road, _question("a"), _question("b"), _question("c"), note=note)
    assert [item[0].decode() for _, item in _sent(successor, "p.ops.aggregation")] == [trace_id("acme", "a")]

    decides.ready.set()
    await settle()
    assert len(_sent(app, "p.ops.aggregation")) == 3
    assert (part.low(), lane.running) == (3, 0)
