"""A topic that every process follows: all of it, in order, from its beginning, over an outage of the broker."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streams.followed import Followed
from streams.settings import Settings
from streams.topic_admin import create_topics
from streams.topics import Topics
from tests.support.brokers import running_broker


async def send(broker: str, topic: str, *values: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value.encode(), key=value.encode(), partition=0)
    finally:
        await producer.stop()


async def test_follows_from_the_beginning_and_over_an_outage(request: pytest.FixtureRequest) -> None:
    """What was there before, what came while it follows, and what came after the broker was away: each once."""
    kind = request.config.getoption("--broker")
    if kind == "kafka":
        pytest.skip("its own broker is started for this test: the embedded one is enough")
    with running_broker(kind) as broker:
        settings = Settings(broker=broker.address, topic_prefix="f.")
        await create_topics(settings)
        topic, seen, news = Topics.of(settings).assets, [], asyncio.Event()

        def take(records: Sequence[Any]) -> None:
            seen.extend(record.value.decode() for record in records)
            news.set()

        async def until(wanted: list[str]) -> None:
            async with asyncio.timeout(30):
                while seen != wanted:
                    news.clear()
                    await news.wait()

        await send(broker.address, topic, "a", "b")
        late: list[str] = []
        newest = Followed(
            broker.address,
            topic,
            lambda records: late.extend(each.value.decode() for each in records),
            newest=1,
        )
        await newest.catch_up()
        await newest.close()
        assert late == ["b"]
        followed = Followed(broker.address, topic, take)
        await followed.catch_up()
        assert seen == ["a", "b"]
        following = asyncio.create_task(followed.follow())
        await send(broker.address, topic, "c")
        await until(["a", "b", "c"])

        await asyncio.to_thread(broker.restart)
        await send(broker.address, topic, "d")

        await until(["a", "b", "c", "d"])
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following
        await followed.close()
