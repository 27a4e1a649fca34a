"""Nothing is sent by a worker that does not know whether its partitions are still its own."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from streams.app import make_app
from streams.lane.transport import FrozenWorker, Transport
from streams.settings import Settings


@pytest.fixture
def transport(tmp_path: Path) -> Transport:
    """Of an app that was let into its group just now and never starts."""
    app = make_app(Settings(data_dir=tmp_path, session_timeout_s=6.0), "planning")
    app._consumer = SimpleNamespace(_thread=SimpleNamespace(last_heartbeat_at=time.monotonic()))
    made: Transport = app.transport
    return made


def silence(transport: Transport, seconds: float) -> None:
    transport.app._consumer._thread.last_heartbeat_at = time.monotonic() - seconds


async def test_worker_whose_heartbeats_are_accepted_sends_at_once(transport: Transport) -> None:
    """The usual case costs nothing."""
    await transport.until_heard()


async def test_worker_that_was_never_let_in_may_send(transport: Transport) -> None:
    """It owns nothing that could be taken from it; its metric points may leave."""
    transport.app._consumer._thread.last_heartbeat_at = 0.0

    await transport.until_heard()


async def test_silent_worker_waits_until_a_heartbeat_is_accepted(transport: Transport) -> None:
    """It was frozen, or the broker was away, and it still owns what it owned."""
    silence(transport, 6.5)
    sending = asyncio.create_task(transport.until_heard())
    await asyncio.sleep(0)
    assert not sending.done()

    silence(transport, 0.0)

    await sending


async def test_silent_worker_whose_partitions_are_taken_never_sends_again(transport: Transport) -> None:
    """Neither what waits nor what comes later, also when heartbeats are accepted again."""
    silence(transport, 6.5)
    sending = asyncio.create_task(transport.until_heard())
    await asyncio.sleep(0)

    transport.app.rebalancing = True  # Faust says so before anybody has looked at the heartbeat
    await asyncio.sleep(0.1)
    assert not sending.done()
    transport.look_at_heartbeat()

    with pytest.raises(FrozenWorker, match="no heartbeat accepted"):
        await sending
    silence(transport, 0.0)
    with pytest.raises(FrozenWorker):
        transport.check_alive()


async def test_rebalance_of_a_worker_that_was_heard_of_lets_it_hand_over(transport: Transport) -> None:
    """No heartbeats while a rebalance is under way: what was known at its beginning holds."""
    silence(transport, 5.0)
    transport.look_at_heartbeat()
    silence(transport, 9.0)

    await transport.until_heard()
