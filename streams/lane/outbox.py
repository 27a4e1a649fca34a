"""All sends to one partition, in order: what piles up while a batch is under way leaves as the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from streams.lane.lane import background

Item = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers of one record."""


class Outbox:
    """One partition's stream of batches. aiokafka's own `send` wakes every waiting sender for each batch; this
    way a thousand results cost one batch and one future."""

    def __init__(self, producer: Any, topic: str, partition: int, may_send: Callable[[], None]) -> None:
        self._producer = producer
        self._topic, self._partition = topic, partition
        self._may_send = may_send
        self._items: list[Item] = []
        self._round: asyncio.Future[int] | None = None
        self._pump: asyncio.Task[None] | None = None
        self._is_known = False

    def put(self, items: Sequence[Item]) -> "asyncio.Future[int]":
        """Queue records; the future gives the last one's offset once every one of them is acknowledged."""
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
            self._round.add_done_callback(_seen)
        self._items.extend(items)
        if self._pump is None:
            self._pump = background(self._run())
        return self._round

    async def _run(self) -> None:
        try:
            while self._round is not None:
                items, done = self._items, self._round
                self._items, self._round = [], None
                try:
                    await self._send(items, done)
                except Exception as exc:  # noqa: BLE001  # the futures' owners decide; the lane crashes the worker
                    if not done.done():
                        done.set_exception(exc)
        finally:
            self._pump = None

    async def _send(self, items: Sequence[Item], done: "asyncio.Future[int]") -> None:
        producer, acks = self._producer, []
        if not self._is_known:
            # The client asks for the metadata of all topics until the first one is added, and from then on only for
            # those added: a topic that it knew by chance would lose its leader, and its batch would never leave.
            await producer.client.add_topic(self._topic)
            self._is_known = True
        batch, count = producer.create_batch(), 0
        self._may_send()
        for key, value, headers in items:
            if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                acks.append(await producer.send_batch(batch, self._topic, partition=self._partition))
                batch, count = producer.create_batch(), 0
                if batch.append(key=key, value=value, timestamp=None, headers=headers) is None:
                    raise ValueError(f"a record of {len(value or b'')} bytes does not fit into a batch")
            count += 1
        acks.append(await producer.send_batch(batch, self._topic, partition=self._partition))
        background(_settle(acks, count, done))


def _seen(done: "asyncio.Future[int]") -> None:
    """After the first failed round a lane stops the worker and asks for no other: that is not worth a complaint."""
    if not done.cancelled():
        done.exception()


async def _settle(acks: Sequence[Awaitable[Any]], count: int, done: "asyncio.Future[int]") -> None:
    try:
        for ack in acks:
            metadata = await ack
    except Exception as exc:  # noqa: BLE001  # handed to whoever awaits the round
        if not done.done():
            done.set_exception(exc)
        return
    if not done.done():
        done.set_result(metadata.offset + count - 1)
