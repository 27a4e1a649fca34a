"""Calls side by side in one partition: what may be committed, what is known of the rest, what a rebalance does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from faust.types import TP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.lane.concurrent import ConcurrentLane, Sending
from streams.lane.finished import read_finished, write_finished
from streams.lane.part import Part
from tests.support.lane_app import LaneApp, Record, settle

PLACE = TP("calls", 0)


class Calls(ConcurrentLane):
    """Each record waits for its gate, or ends at once if it has none; then one result is sent."""

    def __init__(self, app: LaneApp) -> None:
        super().__init__(app, PLACE.topic)
        self.gates: dict[int, asyncio.Event] = {}
        self.ran: list[int] = []

    async def work(self, part: Part, record: Any) -> Sequence[Sending]:
        self.ran.append(record.offset)
        if record.offset in self.gates:
            await self.gates[record.offset].wait()
        return (("results", 1, (b"k", str(record.offset).encode(), [])),)

    async def own(self, offset: int | None, note: str = "") -> Part:
        """What the consumer does when it is given the partition."""
        self.parts.clear()
        part = Part(PLACE, offset, note)
        await self.assigned(part)
        self.parts[PLACE] = part
        self.stopped = False
        return part

    async def fetch(self, part: Part, *offsets: int) -> None:
        """What the consumer and the agent do with a fetched batch."""
        self.put(part, [Record(offset) for offset in offsets])
        queue = self._channel._subscribers[0].queue
        while not queue.empty():
            owner, records = queue.get_nowait()
            if self.owns(owner):
                await self.begin(owner, records)
        await settle()


async def test_slow_call_holds_the_offset_back_and_nobody_else() -> None:
    """All behind it are done and known as finished; when it ends everything may be committed."""
    lane = Calls(LaneApp())
    lane.gates[0] = asyncio.Event()
    part = await lane.own(0)

    await lane.fetch(part, 0, 1, 2, 3)

    assert part.low() == 0
    assert read_finished(0, lane.note(part)) == {1, 2, 3}
    lane.gates[0].set()
    await settle()
    assert (part.low(), lane.note(part)) == (4, "")
    assert lane.running == 0


async def test_call_is_unfinished_until_its_result_is_acknowledged() -> None:
    """A result that is sent and not yet acknowledged may be lost."""
    app = LaneApp(hold_acks=True)
    lane = Calls(app)
    part = await lane.own(5)

    await lane.fetch(part, 5, 6)
    assert part.low() == 5

    app.acknowledge(app.sent[0])
    await settle()
    assert part.low() == 7


async def test_results_that_end_together_leave_in_one_send() -> None:
    """A batch of calls that never wait costs one send."""
    app = LaneApp()
    lane = Calls(app)
    part = await lane.own(0)

    await lane.fetch(part, *range(100))

    assert [len(sent.items) for sent in app.sent] == [100]


async def test_what_the_last_owner_finished_is_not_run_again() -> None:
    """The note of the commit is read before the first record."""
    lane = Calls(LaneApp())
    part = await lane.own(10, write_finished(10, 15, [10, 13]))

    await lane.fetch(part, 10, 11, 12, 13, 14, 15)

    assert lane.ran == [10, 13, 15]
    assert part.low() == 16


async def test_what_the_last_owner_finished_stays_known_until_it_is_read_again() -> None:
    """A second crash before everything is read again does not make it run either."""
    lane = Calls(LaneApp())
    lane.gates[10] = asyncio.Event()
    part = await lane.own(10, write_finished(10, 20, [10, 17]))
    finished = set(range(10, 20)) - {10, 17}
    assert read_finished(10, lane.note(part)) >= finished  # at the first commit, before anything is fetched

    await lane.fetch(part, 10, 11, 12)

    assert part.low() == 10
    assert read_finished(10, lane.note(part)) == finished


async def test_failed_send_crashes_the_worker_and_finishes_nothing() -> None:
    """Nothing may be committed past a result that the broker refused."""
    app = LaneApp(hold_acks=True)
    lane = Calls(app)
    part = await lane.own(0)
    await lane.fetch(part, 0)

    app.sent[0].ack.set_exception(ConnectionError("refused"))
    await settle()

    assert [type(error) for error in app.crashes] == [ConnectionError]
    assert part.low() == 0


async def test_bug_in_the_work_crashes_the_worker_and_finishes_nothing() -> None:
    """A tool's failure is a result; an exception is a bug, and its offset is not skipped."""

    class Broken(Calls):
        async def work(self, part: Part, record: Any) -> Sequence[Sending]:
            raise ZeroDivisionError

    app = LaneApp()
    lane = Broken(app)
    part = await lane.own(0)

    await lane.fetch(part, 0)

    assert [type(error) for error in app.crashes] == [ZeroDivisionError]
    assert part.low() == 0


async def test_calls_of_a_lost_partition_are_cancelled_and_weigh_nothing() -> None:
    """Their new owner does them; memory, and the count that a hand-over waits for, do not keep them."""
    lane = Calls(LaneApp())
    lane.gates = {0: asyncio.Event(), 1: asyncio.Event()}
    part = await lane.own(0)
    await lane.fetch(part, 0, 1, 2)

    again = await lane.own(0, lane.note(part))
    await settle()

    assert lane.running == 0
    assert lane._waiting_bytes == 0
    lane.gates.clear()
    await lane.fetch(again, 0, 1, 2)
    assert lane.ran == [0, 1, 2, 0, 1]
    assert again.low() == 3


async def test_fetching_pauses_at_the_high_water_mark_and_goes_on_at_half_of_it() -> None:
    """What waits in memory is bounded."""
    app = LaneApp()
    lane = Calls(app)
    lane._high_water_bytes = 2_000
    lane.gates = {number: asyncio.Event() for number in range(10)}
    part = await lane.own(0)

    await lane.fetch(part, *range(10))
    assert app.paused == {PLACE}

    for number in range(10):
        lane.gates[number].set()
    await settle()
    assert app.paused == set()


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_no_order_of_finishing_and_no_crash_loses_a_call(choice: st.DataObject) -> None:
    """Whatever is committed when: a new owner that reads from there ends up with every call done."""

    async def run() -> None:
        count = choice.draw(st.integers(1, 12))
        app = LaneApp()
        lane = Calls(app)
        lane.gates = {number: asyncio.Event() for number in range(count)}
        part = await lane.own(0)
        committed = (0, "")
        fetched = 0
        while fetched < count:
            batch = choice.draw(st.integers(1, count - fetched))
            await lane.fetch(part, *range(fetched, fetched + batch))
            fetched += batch
            for number in choice.draw(st.sets(st.integers(0, count - 1))):
                lane.gates[number].set()
            await settle()
            if choice.draw(st.booleans()):
                committed = (part.low() or 0, lane.note(part))
            if choice.draw(st.booleans()):  # killed here: the next owner begins at the last commit
                for task in lane._tasks:
                    task.cancel()
                await settle()
                lane = Calls(app)
                part = await lane.own(*committed)
                fetched = committed[0]
                lane.gates = {number: asyncio.Event() for number in range(count)}
        for gate in lane.gates.values():
            gate.set()
        await settle()
        done = {int(item[1] or b"") for sent in app.sent for item in sent.items}
        assert done == set(range(count))
        assert part.low() == count

    asyncio.run(run())
