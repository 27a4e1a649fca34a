"""One partition's sends: in order, acknowledged together, and an error reaches whoever waits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.lane.outbox import Item, Outbox
from tests.support.lane_app import settle

BATCH_RECORDS = 4


class Batch:
    """Takes a few records, as aiokafka's builder takes a few bytes."""

    def __init__(self) -> None:
        self.values: list[bytes | None] = []

    def append(
        self, *, key: bytes | None, value: bytes | None, timestamp: None, headers: Any
    ) -> object | None:
        if len(self.values) == BATCH_RECORDS:
            return None
        self.values.append(value)
        return object()


class Metadata:
    def __init__(self, offset: int) -> None:
        self.offset = offset


class Client:
    """Knows the topics that it was told to track, as aiokafka's does."""

    def __init__(self) -> None:
        self.tracked: list[str] = []

    async def add_topic(self, topic: str) -> bool:
        self.tracked.append(topic)
        return True


class Broker:
    """Keeps what was sent; acknowledges when told to, or refuses from a batch on."""

    def __init__(self, *, at_once: bool = True, fails_from: int | None = None) -> None:
        self.log: list[bytes | None] = []
        self.waiting: list[tuple[asyncio.Future[Metadata], int]] = []
        self.batches = 0
        self.client = Client()
        self._at_once = at_once
        self._fails_from = fails_from

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch: Batch, topic: str, *, partition: int) -> asyncio.Future[Metadata]:
        assert topic in self.client.tracked
        await asyncio.sleep(0)
        ack: asyncio.Future[Metadata] = asyncio.get_running_loop().create_future()
        offset, self.batches = len(self.log), self.batches + 1
        if self._fails_from is not None and self.batches > self._fails_from:
            ack.set_exception(ConnectionError("refused"))
            return ack
        self.log += batch.values
        if self._at_once:
            ack.set_result(Metadata(offset))
        else:
            self.waiting.append((ack, offset))
        return ack


def _items(values: Sequence[int]) -> list[Item]:
    return [(None, str(value).encode(), []) for value in values]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=12), st.lists(st.booleans(), min_size=12, max_size=12)
)
def test_records_lie_in_the_order_in_which_they_were_put(sizes: list[int], pauses: list[bool]) -> None:
    """Also across batches and rounds; each future gives the offset of the last record put into its round."""

    async def run() -> None:
        broker = Broker()
        box = Outbox(broker, "t", 0, lambda: None)
        futures, number, lasts = [], 0, []
        for size, pause in zip(sizes, pauses, strict=False):
            futures.append(box.put(_items(range(number, number + size))))
            number += size
            lasts.append(number - 1)
            if pause:
                await asyncio.sleep(0)
        offsets = await asyncio.gather(*futures)
        assert [int(value or b"") for value in broker.log] == list(range(number))
        assert all(offset >= last for offset, last in zip(offsets, lasts, strict=True))
        assert offsets[-1] == number - 1

    asyncio.run(run())


async def test_nothing_is_acknowledged_before_every_record_is() -> None:
    """Three batches: the future waits for the last of them, whatever their order."""
    broker = Broker(at_once=False)
    sent = Outbox(broker, "t", 0, lambda: None).put(_items(range(BATCH_RECORDS * 3)))
    await settle()
    assert len(broker.waiting) == 3

    for ack, offset in reversed(broker.waiting[1:]):
        ack.set_result(Metadata(offset))
        await asyncio.sleep(0)
        assert not sent.done()
    broker.waiting[0][0].set_result(Metadata(0))

    assert await sent == BATCH_RECORDS * 3 - 1


async def test_refused_batch_fails_the_whole_round() -> None:
    """An offset may not be committed when one of its records is missing."""
    box = Outbox(Broker(fails_from=1), "t", 0, lambda: None)

    with pytest.raises(ConnectionError):
        await box.put(_items(range(BATCH_RECORDS * 2)))


async def test_fence_stops_everything_before_it_is_sent() -> None:
    """A worker that may not send any more sends nothing, and says so to whoever waits."""

    def dead() -> None:
        raise RuntimeError("frozen")

    broker = Broker()
    with pytest.raises(RuntimeError, match="frozen"):
        await Outbox(broker, "t", 0, dead).put(_items([1]))
    assert broker.log == []


async def test_what_piles_up_while_a_batch_leaves_is_one_round() -> None:
    """A thousand small puts cost a few batches, not a thousand."""
    broker = Broker()
    box = Outbox(broker, "t", 0, lambda: None)

    await asyncio.gather(*(box.put(_items([number])) for number in range(1_000)))

    assert broker.batches <= 1_000 / BATCH_RECORDS + 2
    assert len(broker.log) == 1_000


async def test_a_topic_is_tracked_once_and_before_anything_is_sent_to_it() -> None:
    """Else a refresh of the metadata forgets the topic's leader, and a batch for it waits for ever."""
    broker = Broker()
    box = Outbox(broker, "answers", 0, lambda: None)

    for value in range(3):
        await box.put(_items([value]))

    assert broker.client.tracked == ["answers"]
