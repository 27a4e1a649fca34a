"""The plans as they pass on the road: parameters of calls stand in no answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from aiokafka import AIOKafkaConsumer, TopicPartition

from opsloom.cluster import partition_counts
from schemas.plans import PlanMade
from streams.codecs import Codec, DecodeError
from streams.pacing import pace_fetches
from streams.schema_ids import FileIds
from streams.settings import Settings
from streams.topics import Topics

_PATIENCE_S = 2.0
"""An answer comes after its plan, but may be read before it."""


class Overheard:
    """Plans by trace."""

    def __init__(self) -> None:
        self._plans: dict[str, list[PlanMade]] = {}
        self._heard = asyncio.Condition()

    async def add(self, plan: PlanMade) -> None:
        async with self._heard:
            self._plans.setdefault(plan.trace_id, []).append(plan)
            self._heard.notify_all()

    async def plans_of(self, trace_id: str) -> tuple[PlanMade, ...]:
        """The plans of a trace; none if none passed in time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S), self._heard:
                await self._heard.wait_for(lambda: trace_id in self._plans)
        return tuple(self._plans.get(trace_id, ()))


@contextlib.asynccontextmanager
async def overhearing(settings: Settings) -> AsyncIterator[Overheard]:
    """Read `ops.aggregation` from now on, beside its owner, until the block ends."""
    topic = Topics.of(settings).aggregation
    codec = Codec(FileIds.load(), settings.codec)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.broker, enable_auto_commit=False, auto_offset_reset="latest"
    )
    overheard = Overheard()

    async def listen() -> None:
        async for record in consumer:
            with contextlib.suppress(DecodeError):  # other events pass here too
                await overheard.add(codec.decode(record.value, {"PlanMade": PlanMade}))

    await consumer.start()
    pace_fetches(consumer._fetcher)
    listening = None
    try:
        counts = await partition_counts(settings.broker, [topic])
        consumer.assign([TopicPartition(topic, number) for number in range(counts[topic])])
        await consumer.seek_to_end()
        for each in consumer.assignment():
            await consumer.position(each)
        listening = asyncio.create_task(listen())
        yield overheard
    finally:
        if listening is not None:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening
        await consumer.stop()
