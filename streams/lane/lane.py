"""A lane: batches of one topic on their way to a Faust agent and back to a committed offset."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Any

from faust.types import TP

from streams.lane.part import Part

RECORD_OVERHEAD_BYTES = 300
"""Memory of a fetched record besides its value: counted, so that many small events are bounded too."""

HIGH_WATER_BYTES = 24 * 1024 * 1024
"""Fetching of a partition pauses when this much is unfinished in its lane; it goes on at half of it."""


class Lane:
    """Batches of one topic. A subclass says in `handle` what is to be done with a batch; its offset may be committed
    when all that `handle` returned has been awaited, which means: all it produced is acknowledged."""

    def __init__(self, app: Any, topic: str, *, high_water_bytes: int = HIGH_WATER_BYTES) -> None:
        self.app = app
        self.topic = topic
        self.parts: dict[TP, Part] = {}
        self.running = 0
        """Batches (or calls) begun and not finished; a hand-over waits for them."""
        self.stopped = False
        """True between revocation and the end of the rebalance: nothing is begun."""
        self._high_water_bytes = high_water_bytes
        self._waiting_bytes = 0
        self._full: set[TP] = set()
        self._channel = app.channel(maxsize=0)
        self.agent = app.agent(self._channel, name=f"lane-{topic}")(self._work)
        app.transport.lanes[topic] = self

    async def assigned(self, part: Part) -> None:
        """Called before the first record of an assignment, after the tables have recovered."""

    async def handle(self, part: Part, records: Sequence[Any]) -> Iterable[Awaitable[Any]]:
        """Do the batch; return what must be awaited before its offset may be committed."""
        raise NotImplementedError

    def mark(self, part: Part) -> Any:
        """What to remember with a batch when it begins; see `note`."""
        return None

    def note(self, part: Part) -> str:
        """Metadata to commit together with `part.low()`; at most 4,000 characters."""
        return ""

    def put(self, part: Part, records: list[Any]) -> None:
        """Take a fetched batch: it is unfinished from now on."""
        if part.next is not None and records[0].offset < part.next:
            records = [record for record in records if record.offset >= part.next]
        if not records:
            return
        part.next = records[-1].offset + 1
        self.open(part, records)
        self.weigh(size_bytes(records), part.tp)
        for subscriber in self._channel._subscribers:
            subscriber.queue.put_nowait((part, records))

    def open(self, part: Part, records: Sequence[Any]) -> None:
        """Note a batch as unfinished."""
        part.pending[records[0].offset] = self.mark(part)

    def weigh(self, size: int, tp: TP | None = None) -> None:
        """Count bytes in (positive, with their partition) or out, and pause or resume fetching."""
        self._waiting_bytes += size
        if tp is not None and self._waiting_bytes > self._high_water_bytes:
            self._full.add(tp)
            self.app.consumer.on_buffer_full(tp)
        elif self._full and self._waiting_bytes < self._high_water_bytes // 2:
            for full in self._full:
                self.app.consumer.on_buffer_drop(full)
            self._full.clear()

    def owns(self, part: Part) -> bool:
        """True while this very assignment of the partition stands."""
        return not self.stopped and self.parts.get(part.tp) is part

    async def _work(self, batches: AsyncIterator[tuple[Part, list[Any]]]) -> None:
        async for part, records in batches:
            if self.owns(part):
                await self.begin(part, records)
            else:  # revoked meanwhile: its next owner reads it again
                self.weigh(-size_bytes(records))

    async def begin(self, part: Part, records: list[Any]) -> None:
        """Start a batch; the next one may start before this one is finished."""
        self.running += 1
        try:
            waits = await self.handle(part, records)
        except Exception as exc:  # noqa: BLE001  # a bug in a lane: stop the worker rather than commit past it
            await self.app.crash(exc)
            return
        background(self._finish(part, records[0].offset, size_bytes(records), waits))

    async def _finish(self, part: Part, offset: int, size: int, waits: Iterable[Awaitable[Any]]) -> None:
        try:
            for wait in waits:
                await wait
        except Exception as exc:  # noqa: BLE001  # an unacknowledged send: nothing may be committed past it
            for wait in waits:
                if asyncio.iscoroutine(wait):
                    wait.close()  # what was to follow must not: a mark proves its answer
            await self.app.crash(exc)
            return
        part.pending.pop(offset, None)
        self.running -= 1
        self.weigh(-size)


def size_bytes(records: Iterable[Any]) -> int:
    """What a batch weighs in memory, roughly."""
    return sum(len(record.value or b"") + RECORD_OVERHEAD_BYTES for record in records)


_tasks: set[asyncio.Task[Any]] = set()


def background(coroutine: Any) -> asyncio.Task[Any]:
    """Start a task and keep it from being collected before it ends."""
    task: asyncio.Task[Any] = asyncio.ensure_future(coroutine)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task
