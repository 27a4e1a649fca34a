"""What the road needs of any broker, checked on the one this run uses (`--broker`)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import (
    AIOKafkaConsumer,
    AIOKafkaProducer,
    ConsumerRebalanceListener,
    OffsetAndMetadata,
    TopicPartition,
)
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.support.brokers import BrokerUnderTest

PARTITIONS = 4
# The broker allows 4,096 bytes of metadata beside an offset; the finished offsets go there.
LONGEST_METADATA = "m" * 4096


async def create_topic(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
    finally:
        await admin.close()


@asynccontextmanager
async def producing(address: str) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


@asynccontextmanager
async def consuming(
    address: str,
    topic: str,
    group: str | None,
    listener: ConsumerRebalanceListener | None = None,
    **options: object,
) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=500,
        **options,
    )
    consumer.subscribe([topic], listener=listener)
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def test_events_come_back_in_order_from_the_partition_named(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """Key, value and headers of each event arrive unchanged, in the order they were sent."""
    topic = f"{topic_prefix}events"
    await create_topic(broker.address, topic)
    sent = [(f"k{n}".encode(), f"v{n}".encode(), (("tenant_id", b"t"),)) for n in range(20)]

    async with producing(broker.address) as producer:
        for key, value, headers in sent:
            await producer.send_and_wait(topic, value, key=key, headers=list(headers), partition=2)

    async with consuming(broker.address, topic, f"{topic_prefix}readers") as consumer:
        events = [await asyncio.wait_for(consumer.getone(), 20) for _ in sent]
    assert [(event.key, event.value, event.headers) for event in events] == sent
    assert {event.partition for event in events} == {2}


async def test_commit_metadata_comes_back_whole(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """The longest metadata allowed beside an offset is read back by the next member."""
    topic, group = f"{topic_prefix}events", f"{topic_prefix}group"
    await create_topic(broker.address, topic)
    async with producing(broker.address) as producer:
        await producer.send_and_wait(topic, b"one", partition=1)
    partition = TopicPartition(topic, 1)

    async with consuming(broker.address, topic, group) as consumer:
        await asyncio.wait_for(consumer.getone(), 20)
        await consumer.commit({partition: OffsetAndMetadata(1, LONGEST_METADATA)})

    offsets = await read_committed(broker.address, group)
    assert offsets[partition] == OffsetAndMetadata(1, LONGEST_METADATA)


async def read_committed(address: str, group: str) -> dict[TopicPartition, OffsetAndMetadata]:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        return await admin.list_consumer_group_offsets(group)
    finally:
        await admin.close()


class Assignments(ConsumerRebalanceListener):
    """Remembers the partitions it was given, each time."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[set[int]] = asyncio.Queue()

    async def on_partitions_revoked(self, revoked: list[TopicPartition]) -> None: ...

    async def on_partitions_assigned(self, assigned: list[TopicPartition]) -> None:
        self.given.put_nowait({partition.partition for partition in assigned})


async def test_static_member_that_vanished_gets_its_partitions_back(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """A member with an instance id comes back to all its partitions without waiting for a session's end."""
    topic, group = f"{topic_prefix}events", f"{topic_prefix}group"
    await create_topic(broker.address, topic)
    everything = set(range(PARTITIONS))
    first, second = Assignments(), Assignments()

    async with consuming(broker.address, topic, group, first, group_instance_id="worker-1"):
        assert await asyncio.wait_for(first.given.get(), 20) == everything
        # The same instance id again, while the first was never told to leave: a restarted worker.
        async with consuming(broker.address, topic, group, second, group_instance_id="worker-1"):
            assert await asyncio.wait_for(second.given.get(), 5) == everything


async def test_events_and_commits_survive_a_restart(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """Stop and start of the broker at the same address loses neither events nor offsets."""
    topic, group = f"{topic_prefix}events", f"{topic_prefix}group"
    await create_topic(broker.address, topic)
    partition = TopicPartition(topic, 3)
    async with producing(broker.address) as producer:
        for number in range(10):
            await producer.send_and_wait(topic, str(number).encode(), partition=3)
    async with consuming(broker.address, topic, group) as consumer:
        await asyncio.wait_for(consumer.getone(), 20)
        await consumer.commit({partition: OffsetAndMetadata(4, "done:6")})

    await asyncio.to_thread(broker.restart)

    async with consuming(broker.address, topic, group) as consumer:
        event = await asyncio.wait_for(consumer.getone(), 30)
    assert (event.offset, event.value) == (4, b"4")
    assert (await read_committed(broker.address, group))[partition].metadata == "done:6"
