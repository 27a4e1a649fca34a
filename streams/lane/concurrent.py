"""A lane whose records are done side by side: a slow one holds back neither the others nor, after a crash, makes
them run again."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextvars import copy_context
from typing import Any

from streams.lane.eager import start
from streams.lane.finished import read_finished, write_finished
from streams.lane.lane import RECORD_OVERHEAD_BYTES, Lane, background
from streams.lane.outbox import Item
from streams.lane.part import Part

Sending = tuple[str, int, Item]
"""Topic, partition and record."""


class ConcurrentLane(Lane):
    """Every record is a piece of work of its own. `work(part, record)` returns what to send for it; the record is
    finished when that is acknowledged. Finished offsets beyond the committed one travel in the commit's metadata."""

    def __init__(self, app: Any, topic: str) -> None:
        super().__init__(app, topic)
        self._done: dict[Part, list[tuple[Any, Sequence[Sending]]]] = {}
        self._soon: asyncio.Handle | None = None
        self._tasks: dict[asyncio.Task[Any], Part] = {}

    def work(self, part: Part, record: Any) -> Coroutine[Any, Any, Sequence[Sending]]:
        raise NotImplementedError

    async def assigned(self, part: Part) -> None:
        """Cancel what still runs for partitions that were lost; learn what is finished of this one."""
        for task, owner in list(self._tasks.items()):
            if owner.tp == part.tp or not self.owns(owner):
                task.cancel()
        part.state = read_finished(part.next, part.note) if part.next is not None else frozenset()

    def note(self, part: Part) -> str:
        low = part.low()
        if low is None or part.next is None:
            return ""
        known = (
            max(part.state, default=-1) + 1
        )  # what the last owner finished stays known until it is read again
        if known <= part.next:
            return write_finished(low, part.next, part.pending) if part.pending else ""
        unread = (offset for offset in range(part.next, known) if offset not in part.state)
        return write_finished(low, known, (*part.pending, *unread))

    def open(self, part: Part, records: Sequence[Any]) -> None:
        for record in records:
            part.pending[record.offset] = None

    async def begin(self, part: Part, records: list[Any]) -> None:
        loop, caller = asyncio.get_running_loop(), asyncio.current_task()
        context, skip = copy_context(), part.state
        self.running += len(records)
        for record in records:
            if record.offset in skip:
                self._finished(part, record)
                continue
            task = start(self._run(part, record), loop, caller, context)
            if task is not None:
                self._tasks[task] = part
                task.add_done_callback(self._tasks.pop)
        self._send()

    async def _run(self, part: Part, record: Any) -> None:
        try:
            sendings = await self.work(part, record)
        except asyncio.CancelledError:  # the partition was lost: its new owner does it again
            self.running -= 1
            self.weigh(-(len(record.value or b"") + RECORD_OVERHEAD_BYTES))
            raise
        except Exception as exc:  # noqa: BLE001  # a tool's own failure is a result; this is a bug
            await self.app.crash(exc)
            return
        self._done.setdefault(part, []).append((record, sendings))
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        """Send what finished meanwhile, one list per target partition."""
        if self._soon is not None:
            self._soon.cancel()
        done, self._done, self._soon = self._done, {}, None
        for part, finished in done.items():
            boxes: dict[tuple[str, int], list[Item]] = {}
            for _, sendings in finished:
                for topic, partition, item in sendings:
                    boxes.setdefault((topic, partition), []).append(item)
            put = self.app.producer.put
            sent = [put(topic, partition, items) for (topic, partition), items in boxes.items()]
            if len(sent) == 1:
                sent[0].add_done_callback(
                    lambda ack, part=part, finished=finished: self._acknowledged(part, finished, ack)
                )
            else:
                background(self._wait(part, finished, sent))

    async def _wait(self, part: Part, finished: Sequence[Any], sent: Sequence[Any]) -> None:
        try:
            for ack in sent:
                await ack
        except Exception as exc:  # noqa: BLE001  # unacknowledged: nothing may be committed past it
            await self.app.crash(exc)
            return
        for record, _ in finished:
            self._finished(part, record)

    def _acknowledged(self, part: Part, finished: Sequence[Any], ack: "asyncio.Future[int]") -> None:
        if ack.cancelled():
            return
        error = ack.exception()
        if error is not None:
            background(self.app.crash(error))
            return
        for record, _ in finished:
            self._finished(part, record)

    def _finished(self, part: Part, record: Any) -> None:
        part.pending.pop(record.offset, None)
        self.running -= 1
        self.weigh(-(len(record.value or b"") + RECORD_OVERHEAD_BYTES))
