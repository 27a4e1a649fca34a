"""One worker over several processes: the roles are dealt over them, and one that dies is started again.

An interpreter uses one core. Roles are apps with consumer groups of their own, so each may run in any process, and more
processes than roles share the partitions of the costliest ones.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.parts import Part, environment_of
from streams.settings import Role, Settings
from streams.topic_admin import create_topics
from streams.worker import stop_on_signals

WATCH_EVERY_S = 0.25
PAUSE_S = 1.0
"""Before a process that died is started again."""
STOP_S = 4.0

SHARES: dict[Role, int] = {"aggregation": 40, "execution": 32, "sink": 30, "planning": 28}
"""What the roles cost beside one another, per hundred; the costliest first (docs/performance.md)."""


def dealt(roles: Sequence[Role], processes: int) -> tuple[tuple[Role, ...], ...]:
    """Which roles each process runs: as even as they can be dealt; processes beyond the number of roles are further
    members of the costliest ones."""
    ordered = sorted(dict.fromkeys(roles), key=lambda role: -SHARES[role])
    hands: list[list[Role]] = [[] for _ in range(max(1, min(processes, len(ordered))))]
    for role in ordered:
        min(hands, key=lambda hand: sum(SHARES[each] for each in hand)).append(role)
    more = [[ordered[number % len(ordered)]] for number in range(processes - len(ordered))] if ordered else []
    return tuple(tuple(hand) for hand in (*hands, *more))


async def run_processes(settings: Settings, on_ready: Callable[[Sequence[int]], None]) -> None:
    """Run the settings' roles in as many processes as they say, until Ctrl-C; `on_ready` is given their ids once all
    have their partitions. Raises PartNotReady when one does not start the first time."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    await create_topics(settings)
    wanted = [
        _settings_of(settings, hand, n) for n, hand in enumerate(dealt(settings.roles, settings.processes))
    ]
    parts = [_start(each) for each in wanted]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        ready = asyncio.gather(*(part.ready() for part in parts))
        await asyncio.wait((ready, stopping), return_when=asyncio.FIRST_COMPLETED)
        if stopping.done():
            ready.cancel()
            return
        await ready
        on_ready([part.pid for part in parts])
        while not stop.is_set():
            await asyncio.wait((stopping,), timeout=WATCH_EVERY_S)
            for number, part in enumerate(parts):
                if not part.is_running and not stop.is_set():
                    parts[number] = await _again(part, wanted[number], stop)
    finally:
        stopping.cancel()
        await asyncio.gather(*(part.stop(STOP_S) for part in parts))


def _settings_of(settings: Settings, roles: tuple[Role, ...], number: int) -> Settings:
    """Of one process. Its id stays the same however often it is started, so it gets its partitions back at once."""
    worker_id = settings.worker_id if number == 0 else f"{settings.worker_id[:56]}-{number}"
    return settings.model_copy(update={"roles": roles, "worker_id": worker_id, "processes": 1})


def _start(settings: Settings) -> Part:
    log: Path = settings.data_dir / f"worker-{settings.worker_id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    return Part(f"worker {settings.worker_id}", ["worker", "--json"], log, environment_of(settings))


async def _again(part: Part, settings: Settings, stop: asyncio.Event) -> Part:
    """The process that takes the place of one that ended; one that does not stay up is started again and again."""
    await part.stop(0)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), PAUSE_S)
    return part if stop.is_set() else _start(settings)
