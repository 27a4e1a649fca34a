"""Follow partitions from their end for as long as somebody waits there. All waiters share one consumer."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from streams.pacing import pace_fetches

MAX_WAIT_MS = 20
"""How long the broker may hold an empty fetch."""

RETRY_S = 0.2


class Tail:
    """Gives every record of a followed partition to `on_record`, in order, each once.

    A partition is read only while at least one `following` block names it; whoever comes second reads on
    from where the first one is, which lies before the second one's own question.
    """

    def __init__(
        self,
        broker: str,
        partitions: Iterable[TopicPartition],
        on_record: Callable[[Any], None],
        *,
        max_wait_ms: int = MAX_WAIT_MS,
    ) -> None:
        """`max_wait_ms` may be long where the partitions followed hardly ever change: a partition that is added
        waits for the fetch under way."""
        self._partitions = tuple(partitions)
        self._on_record = on_record
        self._waiters: Counter[TopicPartition] = Counter()
        self._turn = asyncio.Lock()
        self._awake = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=broker,
            enable_auto_commit=False,
            auto_offset_reset="latest",
            fetch_max_wait_ms=max_wait_ms,
            metadata_max_age_ms=60_000,
        )

    async def start(self) -> None:
        """Connect and begin with every partition at rest. Raises KafkaError."""
        self._consumer.assign(self._partitions)
        await self._consumer.start()
        pace_fetches(self._consumer._fetcher, MAX_WAIT_MS / 2_000)
        self._consumer.pause(*self._partitions)
        self._reader = asyncio.create_task(self._read())

    async def stop(self) -> None:
        """End; waiters are the caller's to end."""
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reader
        await self._consumer.stop()

    @contextlib.asynccontextmanager
    async def following(self, *partitions: TopicPartition) -> AsyncIterator[None]:
        """Inside, everything written to these partitions from now on is read."""
        await self._join(partitions)
        try:
            yield
        finally:
            self._leave(partitions)

    async def _join(self, partitions: tuple[TopicPartition, ...]) -> None:
        async with self._turn:
            new = [each for each in partitions if not self._waiters[each]]
            if new:
                ends = await self._consumer.end_offsets(new)
                for each in new:
                    self._consumer.seek(each, ends[each])
                self._consumer.resume(*new)
            self._waiters.update(partitions)
            self._awake.set()

    def _leave(self, partitions: tuple[TopicPartition, ...]) -> None:
        self._waiters.subtract(partitions)
        rest = [each for each in partitions if not self._waiters[each]]
        if rest:
            self._consumer.pause(*rest)
        if not +self._waiters:
            self._awake.clear()

    async def _read(self) -> None:
        while True:
            await self._awake.wait()
            try:
                batches = await self._consumer.getmany(timeout_ms=200)
            except (
                KafkaError
            ):  # the broker is away; the client's own time limit decides how long that may last
                await asyncio.sleep(RETRY_S)
                continue
            for records in batches.values():
                for record in records:
                    self._on_record(record)
