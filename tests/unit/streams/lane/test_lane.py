"""Batches in a lane: an offset is free when all that its batch produced is acknowledged."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from faust.types import TP

from streams.lane.lane import Lane
from streams.lane.part import Part
from tests.support.lane_app import LaneApp, Record, settle

PLACE = TP("topic", 0)


class Batches(Lane):
    """Sends one record for each record, and remembers the batches it was given."""

    def __init__(self, app: LaneApp) -> None:
        super().__init__(app, PLACE.topic)
        self.seen: list[list[int]] = []

    async def handle(self, part: Part, records: Sequence[Any]) -> Iterable[Awaitable[Any]]:
        self.seen.append([record.offset for record in records])
        return [self.app.producer.put("out", 0, [(None, b"", [])]) for _ in records]

    async def fetch(self, part: Part, *offsets: int) -> None:
        self.put(part, [Record(offset) for offset in offsets])
        queue = self._channel._subscribers[0].queue
        while not queue.empty():
            await self._work_one(*queue.get_nowait())
        await settle()

    async def _work_one(self, part: Part, records: list[Any]) -> None:
        async def one() -> Any:
            yield part, records

        await self._work(one())


def _lane(**options: bool) -> tuple[LaneApp, Batches, Part]:
    app = LaneApp(**options)
    lane = Batches(app)
    part = lane.parts[PLACE] = Part(PLACE, 0, "")
    return app, lane, part


async def test_batches_finish_in_any_order_and_free_the_offset_in_reading_order() -> None:
    """The second batch is acknowledged first: nothing may be committed yet."""
    app, lane, part = _lane(hold_acks=True)
    await lane.fetch(part, 0, 1)
    await lane.fetch(part, 2)

    app.acknowledge(app.sent[2])
    await settle()
    assert part.low() == 0

    app.acknowledge(app.sent[0])
    await settle()
    assert part.low() == 0
    app.acknowledge(app.sent[1])
    await settle()
    assert part.low() == 3
    assert (lane.running, lane._waiting_bytes) == (0, 0)


async def test_records_fetched_twice_are_taken_once() -> None:
    """After a seek a fetch may begin before the offset that is wanted."""
    _app, lane, part = _lane()
    await lane.fetch(part, 0, 1, 2)

    await lane.fetch(part, 1, 2, 3)
    await lane.fetch(part, 2, 3)

    assert lane.seen == [[0, 1, 2], [3]]


async def test_batch_of_a_lost_partition_is_dropped_before_it_begins() -> None:
    """It is its next owner's; it weighs nothing here any more."""
    _app, lane, part = _lane()
    lane.put(part, [Record(0)])
    lane.parts.clear()

    await lane._work_one(part, [Record(0)])

    assert lane.seen == []
    assert lane._waiting_bytes == 0


async def test_nothing_begins_between_revocation_and_the_end_of_a_rebalance() -> None:
    """`stopped` holds everything back."""
    _app, lane, part = _lane()
    lane.stopped = True

    await lane.fetch(part, 0)

    assert lane.seen == []
    assert part.low() == 0


async def test_exception_in_a_lane_crashes_the_worker_and_leaves_the_batch_unfinished() -> None:
    """A bug must not be committed past."""

    class Broken(Batches):
        async def handle(self, part: Part, records: Sequence[Any]) -> Iterable[Awaitable[Any]]:
            raise ZeroDivisionError

    app = LaneApp()
    lane = Broken(app)
    part = lane.parts[PLACE] = Part(PLACE, 0, "")

    await lane.fetch(part, 0)

    assert [type(error) for error in app.crashes] == [ZeroDivisionError]
    assert part.low() == 0


async def test_unacknowledged_send_crashes_the_worker_and_leaves_the_batch_unfinished() -> None:
    """The same for a broker that refuses."""
    app, lane, part = _lane(hold_acks=True)
    await lane.fetch(part, 0, 1)

    app.acknowledge(app.sent[0])
    app.sent[1].ack.set_exception(ConnectionError("refused"))
    await settle()

    assert [type(error) for error in app.crashes] == [ConnectionError]
    assert part.low() == 0


async def test_offsets_with_gaps_are_committed_past_the_last_record() -> None:
    """Compaction and transactions leave holes."""
    _app, lane, part = _lane()

    await lane.fetch(part, 4, 9, 20)

    assert part.low() == 21
