"""Faust's producer with one outbox per partition and a fence for workers that were frozen."""

import asyncio
from collections.abc import Sequence
from typing import Any

from faust.transport.drivers import aiokafka as driver

from streams.lane.outbox import Item, Outbox


class LaneProducer(driver.Producer):
    """`put` is how everything on the road is sent: explicit partition, acknowledged by all replicas."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._boxes: dict[tuple[str, int], Outbox] = {}

    def _settings_extra(self) -> dict[str, Any]:
        return {**super()._settings_extra(), "acks": "all", "enable_idempotence": True}

    async def on_start(self) -> None:
        await super().on_start()
        self._fence(self._ensure_producer()._sender)

    def _fence(self, sender: Any) -> None:
        """Look at the last moment before a request leaves: a worker may be frozen anywhere between an outbox and the
        wire. A broker that is away holds the sending back, and does not end it."""
        send = sender._send_produce_req

        async def fenced(node_id: int, batches: Any) -> None:
            await self.app.transport.until_heard()
            await send(node_id, batches)

        sender._send_produce_req = fenced

    def put(self, topic: str, partition: int, items: Sequence[Item]) -> "asyncio.Future[int]":
        """Send records in order; the future gives the last one's offset once all are acknowledged."""
        box = self._boxes.get((topic, partition))
        if box is None:
            producer = self._ensure_producer()
            box = Outbox(producer, topic, partition, self.app.transport.check_alive)
            self._boxes[topic, partition] = box
        return box.put(items)
