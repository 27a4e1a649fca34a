"""Follow a small compacted topic from its beginning: every process reads all of it, in no consumer group.

`catch_up` reads to the present end before a worker is ready; `follow` goes on for ever, over outages of the broker.
Nothing is kept here: each batch is handed to `take`.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.pacing import pace_fetches

POLL_MS = 500
AGAIN_AFTER_S = 1.0

_log = logging.getLogger(__name__)


class Followed:
    """One topic. `take` gets the records of a partition in order; what it raises ends the process, so it must not."""

    def __init__(
        self,
        broker: str,
        topic: str,
        take: Callable[[Sequence[Any]], None],
        *,
        partitions: int = 1,
        newest: int | None = None,
    ) -> None:
        """`newest`: begin so many offsets before the end, where what is older says nothing any more."""
        self._broker = broker
        self._take = take
        self._newest = newest
        self._places = [TopicPartition(topic, n) for n in range(partitions)]
        self._next: dict[TopicPartition, int] = dict.fromkeys(self._places, 0)
        self._consumer: AIOKafkaConsumer | None = None

    async def catch_up(self) -> None:
        """Read up to where the topic ends now. Raises what the broker's client raises."""
        consumer = await self._connected()
        ends = await consumer.end_offsets(self._places)
        while any(self._next[place] < ends[place] for place in self._places):
            await self._read(consumer)

    async def follow(self) -> None:
        """Read on until cancelled."""
        away = False
        while True:
            try:
                await self._read(await self._connected())
                if away:
                    _log.warning("%s can be read again", self._places[0].topic)
                away = False
            except (KafkaError, OSError) as exc:
                if not away:
                    _log.warning("%s cannot be read: %r; trying again", self._places[0].topic, exc)
                away = True
                await self.close()
                await asyncio.sleep(AGAIN_AFTER_S)

    async def close(self) -> None:
        """Leave the broker; the place is kept."""
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await consumer.stop()

    async def _connected(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = AIOKafkaConsumer(
                bootstrap_servers=self._broker,
                auto_offset_reset="earliest",
                enable_auto_commit=False,
                fetch_max_wait_ms=POLL_MS,
            )
            try:
                await consumer.start()
                pace_fetches(consumer._fetcher, POLL_MS / 1_000)
                consumer.assign(self._places)
                for place in self._places:
                    if self._next[place]:
                        consumer.seek(place, self._next[place])
                    else:
                        await self._seek_to_start(consumer, place)
            except BaseException:
                await consumer.stop()
                raise
            self._consumer = consumer
        return self._consumer

    async def _seek_to_start(self, consumer: AIOKafkaConsumer, place: TopicPartition) -> None:
        await consumer.seek_to_beginning(place)
        if self._newest is not None:
            end = (await consumer.end_offsets([place]))[place]
            if end - self._newest > await consumer.position(place):
                consumer.seek(place, end - self._newest)

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        fetched = await consumer.getmany(timeout_ms=POLL_MS)
        for place, records in fetched.items():
            self._next[place] = records[-1].offset + 1
            self._take(records)
        if not fetched:  # what compaction left out has no records: go by the consumer's own place
            for place in self._places:
                self._next[place] = max(self._next[place], await consumer.position(place))
