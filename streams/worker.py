"""Run the apps of one worker process: start, supervise, stop cleanly."""

import asyncio
import gc
import signal
from collections.abc import Callable, Sequence
from typing import Any

GC_THRESHOLDS = (100_000, 50, 1_000)
"""Young collections every 100,000 allocations: events are short-lived and hold no cycles, and the default of 700
costs a fifth of the throughput (docs/performance.md)."""

STOP_TIMEOUT_S = 4.0


class WorkerCrashed(RuntimeError):
    """An app of the worker crashed; the process must end, so that a supervisor starts it anew."""


async def run_apps(
    apps: Sequence[Any], stop: asyncio.Event, on_ready: Callable[[], None] | None = None
) -> None:
    """Start the apps, call `on_ready` when every one has its partitions, and run until `stop` is set.

    Raises WorkerCrashed when an app crashes; all are stopped before.
    """
    gc.set_threshold(*GC_THRESHOLDS)
    started: list[Any] = []
    try:
        for app in apps:
            app.finalize()
            started.append(app)
        await asyncio.gather(*(app.maybe_start() for app in apps))
        waiting = asyncio.ensure_future(_until_ready(apps))
        crashed = [asyncio.ensure_future(app._crashed.wait()) for app in apps]
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({waiting, stopping, *crashed}, return_when=asyncio.FIRST_COMPLETED)
        gc.collect()
        gc.freeze()  # what was imported and loaded stays: no collection need look at it again
        if on_ready is not None and waiting.done() and not stop.is_set():
            on_ready()
        await asyncio.wait({stopping, *crashed}, return_when=asyncio.FIRST_COMPLETED)
        for task in (waiting, stopping, *crashed):
            task.cancel()
        for app in apps:
            if app._crashed.is_set():
                raise WorkerCrashed(f"{app.conf.id} crashed: {app.crash_reason!r}")
    finally:
        await _stop(started)


async def _until_ready(apps: Sequence[Any]) -> None:
    """Until every app is out of rebalance and recovery and its lanes own what they were given."""
    while not all(_is_ready(app) for app in apps):  # noqa: ASYNC110  # Faust has no event for it
        await asyncio.sleep(0.02)


def _is_ready(app: Any) -> bool:
    if app.rebalancing or app.in_recovery or not app.transport.lanes:
        return False
    assigned = (
        {tp for tp in app.consumer.assignment() if tp.topic in app.transport.lanes}
        if app._consumer
        else set()
    )
    held = {tp for lane in app.transport.lanes.values() for tp in lane.parts}
    return app.consumer_generation_id > 0 and assigned <= held


async def _stop(apps: Sequence[Any]) -> None:
    """Stop all; one that hangs is left behind, since its work is unacknowledged and will be done again."""
    stops = [asyncio.ensure_future(app.stop()) for app in apps]
    if stops:
        await asyncio.wait(stops, timeout=STOP_TIMEOUT_S)


def stop_on_signals(stop: asyncio.Event) -> None:
    """Let SIGINT and SIGTERM set `stop`."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
