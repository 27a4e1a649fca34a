"""Why the batch lane exists: with plain Faust a call in flight is lost by a kill, and a failed event is skipped."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams.bound_process import BoundProcess
from tests.support.brokers import BrokerUnderTest
from tests.support.workers import ROOT

PATIENCE_S = 60.0


class PlainFaust:
    """The worker of `tests/support/plain_faust.py`."""

    def __init__(self, broker: str, prefix: str, folder: Path) -> None:
        self.group, self.topic, self.log = f"{prefix}plain", f"{prefix}calls", folder / "plain.log"
        self._command = [
            sys.executable,
            str(ROOT / "tests" / "support" / "plain_faust.py"),
            *(broker, self.group, self.topic, str(folder), str(self.log)),
        ]
        self._output = folder / "plain.out"
        self._process: BoundProcess | None = None

    def start(self) -> None:
        with self._output.open("ab") as output:
            self._process = BoundProcess(self._command, output_fd=output.fileno(), cwd=str(ROOT), grace_s=1.0)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    async def until_line(self, line: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                while line not in self.lines():  # noqa: ASYNC110  # another process writes the file
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(
                f"no line {line!r}; it printed: {self._output.read_text()[-2000:]}"
            ) from None


@pytest.fixture
def plain(broker: BrokerUnderTest, topic_prefix: str, tmp_path: Path) -> Iterator[PlainFaust]:
    made = PlainFaust(broker.address, topic_prefix, tmp_path)
    yield made
    made.kill()


async def _until_committed(broker: str, group: str, place: TopicPartition, offset: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                at = (await admin.list_consumer_group_offsets(group)).get(place)
                if at is not None and at.offset >= offset:
                    return
                await asyncio.sleep(0.05)
    finally:
        await admin.close()


async def test_call_in_flight_and_failed_event_are_skipped_after_a_kill(
    plain: PlainFaust, broker: BrokerUnderTest
) -> None:
    """The committed offset passes both; after the restart only what came later is read."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    await admin.create_topics([NewTopic(plain.topic, 4, 1)])
    await admin.close()
    place = TopicPartition(plain.topic, 0)
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()

    async def call(name: str) -> int:
        placed = await producer.send_and_wait(plain.topic, name.encode(), partition=0)
        return int(placed.offset)

    try:
        await call("first")
        plain.start()
        await plain.until_line("done first")
        await _until_committed(broker.address, plain.group, place, 1)
        await call("broken")
        await call("slow")
        await plain.until_line("began slow")
        last = [await call(f"quick-{n}") for n in range(20)][-1]
        await plain.until_line("done quick-19")

        await _until_committed(broker.address, plain.group, place, last + 1)
        plain.kill()
        before = len(plain.lines())
        plain.start()
        await call("after")
        await plain.until_line("done after")
    finally:
        await producer.stop()

    again = plain.lines()[before:]
    assert "done slow" not in plain.lines()
    assert "began slow" not in again
    assert "began broken" not in again
