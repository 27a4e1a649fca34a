"""The embedded broker as a process: it starts, keeps its state, and never outlives its parent."""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streams import embedded_broker
from streams.embedded_broker import EmbeddedBroker, EmbeddedBrokerError

ROOT = Path(__file__).resolve().parents[3]
EVENTS = 50


async def publish(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=address, acks="all")
    await producer.start()
    try:
        for number in range(EVENTS):
            await producer.send_and_wait(topic, str(number).encode(), partition=0)
    finally:
        await producer.stop()


async def count(address: str, topic: str) -> int:
    consumer = AIOKafkaConsumer(bootstrap_servers=address, group_id=None)
    await consumer.start()
    try:
        partition = TopicPartition(topic, 0)
        return (await consumer.end_offsets([partition]))[partition]
    finally:
        await consumer.stop()


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 10.0) -> None:
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < give_up_at, f"waited in vain for: {what}"
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Whether a program is behind the id; one that only waits to be collected is not."""
    try:
        return "(noida-db) Z" not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


async def test_state_is_there_after_a_clean_restart(tmp_path: Path) -> None:
    """What was acknowledged survives stop and start, at the same address."""
    broker = EmbeddedBroker(tmp_path)
    address = broker.start()
    await publish(address, "events")

    assert broker.stop()
    assert not broker.is_running
    assert broker.pid == 0

    assert broker.start() == address
    try:
        assert await count(address, "events") == EVENTS
    finally:
        broker.stop()


async def test_saved_state_is_there_after_kill_nine_of_the_broker(tmp_path: Path) -> None:
    """SIGKILL of the broker itself keeps all that its once-a-second save had written."""
    broker = EmbeddedBroker(tmp_path)
    address = broker.start()
    await publish(address, "events")
    published_at_ns = time.time_ns()
    saved = tmp_path / "kafka.json"
    wait_for(lambda: saved.exists() and saved.stat().st_mtime_ns > published_at_ns, "a save of the state")

    broker.kill()

    assert broker.start() == address
    try:
        assert await count(address, "events") == EVENTS
    finally:
        broker.stop()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_broker_ends_and_saves_when_its_parent_is_killed(tmp_path: Path) -> None:
    """SIGKILL of the parent: nothing stays running, nothing acknowledged is lost."""
    script = (
        "import sys, pathlib, time; from streams.embedded_broker import EmbeddedBroker\n"
        "broker = EmbeddedBroker(pathlib.Path(sys.argv[1]))\n"
        "print(broker.start(), broker.pid, flush=True); time.sleep(60)\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(tmp_path), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    address, pid = (await parent.stdout.readline()).decode().split()
    await publish(address, "events")

    parent.kill()
    await parent.wait()

    wait_for(lambda: not is_running(int(pid)), "the end of the orphaned broker")
    with EmbeddedBroker(tmp_path) as again:
        assert await count(again.address, "events") == EVENTS


def test_one_directory_serves_one_broker(tmp_path: Path) -> None:
    """A second broker over the same directory is refused with a reason and a hint."""
    with EmbeddedBroker(tmp_path), pytest.raises(EmbeddedBrokerError) as refused:
        EmbeddedBroker(tmp_path).start(timeout_s=0.2)

    assert "another embedded broker" in refused.value.reason
    assert refused.value.hint


def test_taken_port_is_explained(tmp_path: Path) -> None:
    """A port somebody else listens on ends in a sentence, and leaves no process behind."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        broker = EmbeddedBroker(tmp_path, port=taken.getsockname()[1])

        with pytest.raises(EmbeddedBrokerError, match="already in use"):
            broker.start()

    assert not broker.is_running


def test_damaged_state_is_explained(tmp_path: Path) -> None:
    """A state that cannot be read is named, not thrown away."""
    (tmp_path / "kafka.json").write_text('{"cut')

    with pytest.raises(EmbeddedBrokerError, match="kafka\\.json"):
        EmbeddedBroker(tmp_path).start()

    assert (tmp_path / "kafka.json").read_text() == '{"cut'


def test_missing_package_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the package the error says which extra brings it."""
    monkeypatch.setattr(embedded_broker.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(EmbeddedBrokerError, match=r"pip install 'opsloom\[embedded\]'"):
        EmbeddedBroker(tmp_path).start()


async def test_async_use_starts_and_stops(tmp_path: Path) -> None:
    """`async with` gives a broker that answers, and ends it."""
    async with EmbeddedBroker(tmp_path) as broker:
        await publish(broker.address, "events")
        pid = broker.pid
        assert pid > 0

    assert broker.pid == 0
