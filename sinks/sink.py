"""Batches on their way into ClickHouse: nothing is dropped, nothing is acknowledged before it is in."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from clickhouse_connect.driver.client import Client

from sinks.client import ClickHouseError, Row, encode, insert_encoded


class Insert(Protocol):
    """Blocking: puts encoded rows into a table. The token makes a repeated insert harmless."""

    def __call__(self, table: str, payload: bytes, *, token: str) -> None: ...


class SinkRefused(RuntimeError):
    """ClickHouse understood a batch and will never take it: a bug or a missing migration, not weather."""


@dataclass(slots=True)
class _Batch:
    """Rows that go in together, and from where on the road they came."""

    done: asyncio.Future[None]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    spans: dict[tuple[str, int], tuple[int, int]] = field(default_factory=dict)
    """First and last offset by topic and partition."""
    count: int = 0
    size_bytes: int = 0

    def token(self, table: str, payload: bytes) -> str:
        """The same for the same rows of the same stretch of the road, whoever sends them and however often.

        The rows take part because a topic that was made anew begins with the same offsets again.
        """
        stretches = sorted((*place, *offsets) for place, offsets in self.spans.items())
        digest = hashlib.blake2b(repr((table, stretches)).encode(), digest_size=16)
        digest.update(payload)
        return digest.hexdigest()


class Batcher:
    """Collects rows and inserts them by number, size or age, one batch at a time, in their order.

    Runs on one event loop; the blocking client works in a thread of its own. Offsets may be committed when
    what `add` returned is done. An insert whose outcome is unknown is sent again under its token, for as
    long as it takes, with pauses of at most `max_pause_s`.
    """

    def __init__(
        self,
        insert: Insert,
        *,
        max_rows: int = 5_000,
        max_age_s: float = 0.5,
        max_bytes: int = 8 * 1024 * 1024,
        max_pause_s: float = 5.0,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """`jitter` gives numbers from 0 to 1."""
        self._insert = insert
        self._max_rows = max_rows
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._max_pause_s = max_pause_s
        self._jitter = jitter
        self._open: _Batch | None = None
        self._ripe: asyncio.TimerHandle | None = None
        self._tail: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sink")
        self.inserted_rows = 0
        self.repeated_inserts = 0
        self.last_error: ClickHouseError | None = None
        """Why the current batch is not in yet; None when all is well."""

    def add(
        self, rows: Mapping[str, Sequence[Row]], topic: str, partition: int, first: int, last: int
    ) -> asyncio.Future[None]:
        """Take the rows of offsets `first` to `last`. The future is done when they are in ClickHouse.

        It raises SinkRefused when they can never be; then their offsets may not be committed.
        """
        loop = asyncio.get_running_loop()
        batch = self._open
        if batch is None:
            batch = self._open = _Batch(loop.create_future())
            self._ripe = loop.call_later(self._max_age_s, self._close_open)
        for table, more in rows.items():
            batch.rows.setdefault(table, []).extend(more)
            batch.count += len(more)
            batch.size_bytes += sum(map(_weight, more))
        known = batch.spans.get((topic, partition))
        batch.spans[topic, partition] = (
            (min(known[0], first), max(known[1], last)) if known else (first, last)
        )
        if batch.count >= self._max_rows or batch.size_bytes >= self._max_bytes:
            self._close_open()
        return batch.done

    async def flush(self) -> None:
        """Insert what is waiting now; returns when all of it is in. Raises SinkRefused."""
        self._close_open()
        if self._tail is not None:
            await asyncio.shield(self._tail)

    async def aclose(self) -> None:
        """Flush, then let go of the thread."""
        try:
            await self.flush()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Stop at once: what is not in is not acknowledged, and its next owner reads it again."""
        if self._ripe is not None:
            self._ripe.cancel()
        if self._open is not None:
            self._open.done.cancel()
        for task in self._sending:
            task.cancel()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _close_open(self) -> None:
        batch, self._open = self._open, None
        if self._ripe is not None:
            self._ripe.cancel()
            self._ripe = None
        if batch is not None:
            self._tail = asyncio.create_task(self._send(batch, self._tail))
            self._sending.add(self._tail)
            self._tail.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending.discard(task)
        if not task.cancelled():
            task.exception()  # heard: it waits in the batch's future

    async def _send(self, batch: _Batch, before: asyncio.Task[None] | None) -> None:
        """Insert one batch after the one before it. A batch after a refused one is refused too."""
        try:
            if before is not None:
                await asyncio.shield(before)
            for table, rows in batch.rows.items():
                await self._insert_until_in(batch, table, rows)
        except SinkRefused as refused:
            if not batch.done.done():
                batch.done.set_exception(refused)
                batch.done.exception()  # heard: whoever waits for it still gets it
            raise
        except asyncio.CancelledError:
            batch.done.cancel()
            raise
        if not batch.done.done():
            batch.done.set_result(None)

    async def _insert_until_in(self, batch: _Batch, table: str, rows: Sequence[Row]) -> None:
        loop = asyncio.get_running_loop()
        payload = await loop.run_in_executor(self._thread, encode, rows)
        token = batch.token(table, payload)
        pause_s = 0.1
        while True:
            try:
                await loop.run_in_executor(self._thread, lambda: self._insert(table, payload, token=token))
            except ClickHouseError as error:
                if error.is_refusal:
                    raise SinkRefused(f"{table}: {error} [{error.detail[:500]}]") from error
                self.last_error = error
                self.repeated_inserts += 1
                await asyncio.sleep(pause_s * (0.5 + self._jitter() / 2))
                pause_s = min(pause_s * 2, self._max_pause_s)
            else:
                self.last_error = None
                self.inserted_rows += len(rows)
                return


def _weight(row: Row) -> int:
    """Roughly a row's bytes: its texts, and something for all the rest."""
    return 200 + sum(len(value) for value in row.values() if isinstance(value, str | bytes))


def into(client: Client) -> Insert:
    """Inserts through one client, which nobody else may use meanwhile."""

    def insert(table: str, payload: bytes, *, token: str) -> None:
        insert_encoded(client, table, payload, token=token)

    return insert
