"""The executor on the road: each call becomes a result in the partition of its trace."""

from __future__ import annotations

import asyncio
import json

from faust.types import TP

from agents.execution.executor import Executor
from schemas.calls import ToolCalled, ToolSucceeded
from schemas.ids import partition_of
from streams.codecs import AGGREGATION_WORDS, Codec
from streams.counters import Counters
from streams.lane.part import Part
from streams.road import Road
from streams.schema_ids import FileIds
from streams.topics import Topics
from tests.support.lane_app import LaneApp, Record, settle
from tests.support.road_events import succeeded

CODEC = Codec(FileIds.load())
PLACE = TP("p.ops.tool-calls.sql", 1)


class Executes:
    """Succeeds; a call of the step `slow` waits for its gate."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def run(self, called: ToolCalled) -> ToolSucceeded:
        if called.step_id == "slow":
            await self.gate.wait()
        return succeeded(called.trace_id, called.step_id, 10.0, 0.1, tenant=called.tenant_id)


def _call(trace: str, step: str = "a") -> bytes:
    return CODEC.encode(
        ToolCalled(
            trace_id=trace,
            tenant_id="acme",
            user_id="u",
            roles=(),
            call_id="c",
            step_id=step,
            tool_id="t",
            tool_type="direct_query",
            kind="sql",
            params={},
            timeout_s=1.0,
            deadline_at=20.0,
            called_at=9.0,
        )
    )


async def _read(app: LaneApp, executes: Executes, *values: bytes | None) -> Part:
    lane = Executor(app, Road(Topics("p."), CODEC, Counters("w0"), lambda: 10.0), "sql", executes)
    part = Part(PLACE, 0, "")
    await lane.assigned(part)
    lane.parts[PLACE] = part
    lane.put(part, [Record(n, value, PLACE.topic, PLACE.partition, b"t") for n, value in enumerate(values)])
    await lane.begin(*lane._channel._subscribers[0].queue.get_nowait())
    await settle()
    return part


async def test_result_goes_where_its_trace_is_joined() -> None:
    """Keyed by the trace; results of one target partition leave together."""
    app = LaneApp()

    part = await _read(app, Executes(), *(_call(f"t{n}") for n in range(40)))

    assert part.low() == 40
    assert len(app.sent) == 4
    for sent in app.sent:
        assert sent.topic == "p.ops.aggregation"
        assert {partition_of(item[0].decode(), 4) for item in sent.items if item[0]} == {sent.partition}
    results = [CODEC.decode(item[1] or b"", AGGREGATION_WORDS) for sent in app.sent for item in sent.items]
    assert {result.trace_id for result in results} == {f"t{n}" for n in range(40)}


async def test_slow_call_holds_back_only_its_own_offset() -> None:
    """The others' results leave at once."""
    app, executes = LaneApp(), Executes()

    part = await _read(app, executes, _call("t0", "slow"), _call("t1"))
    assert (part.low(), sum(len(sent.items) for sent in app.sent)) == (0, 1)

    executes.gate.set()
    await settle()
    assert (part.low(), sum(len(sent.items) for sent in app.sent)) == (2, 2)


async def test_garbage_is_a_dead_letter_whose_acknowledgement_is_awaited() -> None:
    """Only then is the record finished."""
    app = LaneApp(hold_acks=True)
    part = await _read(app, Executes(), b"garbage")
    assert part.low() == 0
    letter = json.loads(app.sent[0].items[0][1] or b"")
    assert (app.sent[0].topic, letter["code"], letter["origin_offset"]) == (
        "p.ops.dead-letters",
        "NOT_JSON",
        0,
    )

    app.acknowledge(app.sent[0])
    await settle()

    assert part.low() == 1


async def test_tombstone_is_passed() -> None:
    """It is no call."""
    app = LaneApp()

    part = await _read(app, Executes(), None)

    assert (part.low(), app.sent) == (1, [])
