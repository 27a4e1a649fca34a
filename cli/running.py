"""Run one wired worker until it is told to stop."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from cli.wiring import wire_worker
from streams.redaction import redact_logs
from streams.settings import Settings
from streams.topic_admin import create_topics
from streams.worker import run_apps, stop_on_signals

CLOSE_TIMEOUT_S = 1.0


async def run_worker(settings: Settings, on_ready: Callable[[], None]) -> None:
    """Create missing topics, run the settings' roles, call `on_ready` once they have their partitions.

    Raises WorkerCrashed when a role crashed, and what the wiring raises for wrong settings.
    """
    redact_logs()
    stop = asyncio.Event()
    stop_on_signals(stop)
    await create_topics(settings)
    wired = await wire_worker(settings)
    background: list[asyncio.Task[None]] = []
    try:
        await asyncio.gather(*(prepare() for prepare in wired.before_ready))
        background = [asyncio.create_task(_as_coroutine(keep)) for keep in wired.background]
        await run_apps(wired.apps, stop, on_ready)
    finally:
        for task in background:
            task.cancel()
        for close in wired.closers:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(close(), CLOSE_TIMEOUT_S)


async def _as_coroutine(start: Callable[[], Any]) -> None:
    work: Coroutine[Any, Any, None] = start()
    await work
