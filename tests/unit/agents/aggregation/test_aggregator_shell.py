"""The aggregator on the road: answer acknowledged → mark written → offset free, in this order, whatever fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from faust.types import TP

from agents.aggregation.aggregator import Aggregator
from agents.aggregation.published import PublishedAnswers
from schemas.calls import DeadlinePassed
from schemas.events import Event
from schemas.ids import trace_id
from streams.app import make_app
from streams.codecs import Codec
from streams.counters import Counters
from streams.lane.part import Part
from streams.road import Road
from streams.schema_ids import FileIds
from streams.settings import Settings
from streams.topics import Topics
from tests.support.lane_app import LaneApp, Record, settle
from tests.support.road_events import plan_made, succeeded

CODEC = Codec(FileIds.load())
PLACE = TP("p.ops.aggregation", 0)
TRACE = trace_id("acme", "q")
ANSWERS, CALLS = "p.ops.answers", "p.ops.tool-calls.sql"
TRACES = "p.opsloom-aggregation-traces-changelog"
DEADLINES = "p.opsloom-aggregation-deadlines-changelog"
NOW = 1_000.0


class Bench:
    """An aggregator on an app that never starts; sends go into a fake broker."""

    def __init__(self, folder: Path, *, hold_acks: bool = False, found: set[bytes] | None = None) -> None:
        self.broker = LaneApp(hold_acks=hold_acks)
        self.now = NOW
        app = make_app(Settings(topic_prefix="p.", data_dir=folder), "aggregation")
        app._producer = self.broker.producer
        self.crashes: list[BaseException] = []
        self.road = Road(Topics("p."), CODEC, Counters("w0"), lambda: self.now)
        self.lane = Aggregator(app, self.road, answered_kept_s=600.0)
        self.part = Part(PLACE, 0, "")
        self.part.state = PublishedAnswers(0, 0, found or set(), lambda key: False)
        self.lane.parts[PLACE] = self.part

    async def read(self, *events: Event | bytes | None) -> None:
        """One batch."""
        at = self.part.next or 0
        values = [each if each is None or isinstance(each, bytes) else CODEC.encode(each) for each in events]
        records: list[Any] = [Record(at + n, value, PLACE.topic, 0) for n, value in enumerate(values)]
        self.part.pending[at] = self.lane.mark(self.part)
        self.part.next = at + len(records)
        await self.lane.begin(self.part, records)
        await settle()

    def topics(self) -> list[str]:
        return [sent.topic for sent in self.broker.sent]

    async def acknowledge(self, topic: str) -> None:
        """The broker has everything that was sent to a topic."""
        for sent in self.broker.sent:
            if sent.topic == topic and not sent.ack.done():
                self.broker.acknowledge(sent)
        await settle()


def _steps() -> tuple[Event, Event]:
    return succeeded(TRACE, "a", NOW, 0.1), succeeded(TRACE, "b", NOW, 0.2)


async def test_calls_and_rows_leave_at_once_and_the_offset_waits_for_them(tmp_path: Path) -> None:
    """A plan: its calls, the trace's row, its deadline."""
    bench = Bench(tmp_path, hold_acks=True)

    await bench.read(plan_made(TRACE, NOW))

    assert set(bench.topics()) == {CALLS, TRACES, DEADLINES}
    for topic in (CALLS, TRACES):
        await bench.acknowledge(topic)
        assert bench.part.low() == 0
    await bench.acknowledge(DEADLINES)
    assert bench.part.low() == 1


async def test_mark_is_written_after_the_answer_is_acknowledged_and_frees_the_offset(tmp_path: Path) -> None:
    """A mark therefore proves its answer."""
    bench = Bench(tmp_path, hold_acks=True)
    await bench.read(plan_made(TRACE, NOW))
    for topic in (CALLS, TRACES, DEADLINES):
        await bench.acknowledge(topic)
    before = len(bench.broker.sent)

    await bench.read(*_steps())
    assert bench.topics()[before:] == [ANSWERS]
    assert bench.part.low() == 1

    await bench.acknowledge(ANSWERS)
    assert sorted(bench.topics()[before + 1 :]) == sorted([TRACES, DEADLINES])
    assert bench.part.low() == 1

    await bench.acknowledge(TRACES)
    await bench.acknowledge(DEADLINES)
    assert bench.part.low() == 3


async def test_answer_that_is_refused_gets_no_mark(tmp_path: Path) -> None:
    """The worker stops; its next owner answers."""
    bench = Bench(tmp_path, hold_acks=True)
    await bench.read(plan_made(TRACE, NOW))
    for topic in (CALLS, TRACES, DEADLINES):
        await bench.acknowledge(topic)
    await bench.read(*_steps())
    before = len(bench.broker.sent)

    bench.broker.sent[-1].ack.set_exception(ConnectionError("refused"))
    await settle()

    assert len(bench.broker.sent) == before
    assert bench.part.low() == 1


async def test_commit_says_from_where_answers_without_a_mark_have_to_be_sought(tmp_path: Path) -> None:
    """The note moves on when the marks of the batch are written, not before."""
    bench = Bench(tmp_path, hold_acks=True)
    await bench.read(plan_made(TRACE, NOW), *_steps())

    await bench.acknowledge(ANSWERS)
    assert bench.lane.note(bench.part) == "0"

    for topic in (CALLS, TRACES, DEADLINES, ANSWERS, TRACES, DEADLINES):
        await bench.acknowledge(topic)
    assert (bench.part.low(), bench.lane.note(bench.part)) == (3, "1")


async def test_answer_that_was_published_before_a_crash_is_marked_and_not_published_again(
    tmp_path: Path,
) -> None:
    """It was found in the answers topic."""
    bench = Bench(tmp_path, found={TRACE.encode()})

    await bench.read(plan_made(TRACE, NOW), *_steps())

    assert ANSWERS not in bench.topics()
    assert bench.lane._traces.answered.holds(0, TRACE)
    assert bench.part.low() == 3


@pytest.mark.parametrize("again", [1, 2, 3])
async def test_events_after_the_answer_change_nothing_and_are_counted(tmp_path: Path, again: int) -> None:
    """Also within the batch that answered."""
    bench = Bench(tmp_path)
    events = (plan_made(TRACE, NOW), *_steps())

    await bench.read(*events, *events)
    for _ in range(again - 1):
        await bench.read(*events)

    assert bench.topics().count(ANSWERS) == 1
    late = {point.name: point.value for point in bench.road.counters.report(NOW)}["events_after_answer"]
    assert late == 3.0 * again


async def test_overdue_trace_is_swept_onto_the_road_and_its_deadline_row_goes_with_the_answer(
    tmp_path: Path,
) -> None:
    """The sweep publishes, the fold decides; a sweep of what is not due publishes nothing."""
    bench = Bench(tmp_path)
    await bench.read(plan_made(TRACE, NOW))
    await bench.lane.sweep()
    assert PLACE.topic not in bench.topics()

    bench.now = NOW + 121
    await bench.lane.sweep()

    [swept] = [sent for sent in bench.broker.sent if sent.topic == PLACE.topic]
    [(_key, value, _headers)] = swept.items
    assert swept.partition == 0
    assert value is not None
    await bench.read(value)
    assert bench.topics().count(ANSWERS) == 1
    assert not list(bench.lane._deadlines.table.data)
    bench.now += 60
    await bench.lane.sweep()
    assert bench.topics().count(PLACE.topic) == 1


async def test_lost_sweep_is_made_up_for(tmp_path: Path) -> None:
    """A `DeadlinePassed` that closed nothing is published again after two seconds, not with each sweep."""
    bench = Bench(tmp_path)
    await bench.read(plan_made(TRACE, NOW))
    for seconds in (121.0, 121.25, 122.9, 123.1):
        bench.now = NOW + seconds
        await bench.lane.sweep()

    assert bench.topics().count(PLACE.topic) == 2


async def test_deadline_of_a_trace_nobody_knows_is_passed(tmp_path: Path) -> None:
    """Nothing to answer, nothing to keep."""
    bench = Bench(tmp_path)

    await bench.read(DeadlinePassed(trace_id=TRACE, tenant_id="acme", deadline_at=NOW, passed_at=NOW))

    assert bench.topics() == []
    assert bench.part.low() == 1


async def test_garbage_is_a_dead_letter_and_the_rest_of_the_batch_is_folded(tmp_path: Path) -> None:
    """One bad event between good ones."""
    bench = Bench(tmp_path)

    await bench.read(plan_made(TRACE, NOW), b"garbage", None, *_steps())

    assert bench.topics().count("p.ops.dead-letters") == 1
    assert bench.topics().count(ANSWERS) == 1
    assert bench.part.low() == 5


async def test_event_that_breaks_the_fold_is_a_dead_letter_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug costs one event, not the partition."""
    import agents.aggregation.batch as shell

    whole = shell.fold

    def fold(state: Any, event: Any, now: float) -> Any:
        if event.trace_id == "broken":
            raise ZeroDivisionError("a bug in the fold")
        return whole(state, event, now)

    monkeypatch.setattr(shell, "fold", fold)
    bench = Bench(tmp_path)

    await bench.read(plan_made("broken", NOW), plan_made(TRACE, NOW), *_steps())

    assert bench.topics().count("p.ops.dead-letters") == 1
    assert bench.topics().count(ANSWERS) == 1


async def test_marks_are_forgotten_after_their_retention(tmp_path: Path) -> None:
    """Memory and changelog keep as many marks as there are questions within it."""
    bench = Bench(tmp_path)
    await bench.read(plan_made(TRACE, NOW), *_steps())
    bench.now = NOW + 601

    await bench.read(None)

    assert not bench.lane._traces.answered.holds(0, TRACE)
    key, value, _ = bench.broker.sent[-1].items[0]
    assert (bench.broker.sent[-1].topic, key, value) == (TRACES, f'"{TRACE}"'.encode(), None)
