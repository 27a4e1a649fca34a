"""Faust's aiokafka consumer, with lanes: batches past the conductor, commits with metadata, clean hand-over."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiokafka.errors import CommitFailedError
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service
from mode.utils.futures import maybe_async

from streams.lane.bulk import read_to_end
from streams.lane.part import Part
from streams.pacing import pace_fetches

IDLE_POLL_S = 0.05
"""How soon to look again when nothing may be fetched; an empty set of partitions would mean: all of them."""

BUSY_WAIT_MS = 20
BUSY_FOR_S = 1.0
QUIET_WAIT_MS = 300


class LaneThread(driver.AIOKafkaConsumerThread):
    """What Faust runs as a thread of its own, here on the app's loop: under one interpreter lock a second thread
    only hands every batch over twice. Lanes yield often enough for heartbeats (docs/adr/0003)."""

    def __init__(self, consumer: Any, *, loop: asyncio.AbstractEventLoop, **kwargs: Any) -> None:
        super().__init__(consumer, loop=loop, thread_loop=loop, **kwargs)

    async def start(self) -> None:
        self._thread_started.set()
        await self._default_start()

    async def stop(self) -> None:
        if self._started.is_set() and not self._stopped.is_set():
            self._stopped.set()
            await self._shutdown_thread()

    async def crash(self, exc: BaseException) -> None:
        await Service.crash(self, exc)

    async def call_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await maybe_async(fun(*args, **kwargs))

    async def cast_thread(self, fun: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        await maybe_async(fun(*args, **kwargs))

    last_heartbeat_at = 0.0
    """Monotonic time at which the last heartbeat that the group's coordinator accepted was sent; 0 before the group
    has let this worker in."""

    def hold_fetches(self, wait_ms: int) -> None:
        """How long the broker may hold the next fetches for data; Faust fixes 1,500 ms."""
        self._ensure_consumer()._fetcher._fetch_max_wait_ms = wait_ms

    async def on_start(self) -> None:
        await super().on_start()
        pace_fetches(self._ensure_consumer()._fetcher)
        self._watch_heartbeats()

    def _watch_heartbeats(self) -> None:
        """Note when the coordinator last heard of us: a worker that was frozen longer than that must not send."""
        coordinator = self._ensure_consumer()._coordinator
        beat = coordinator._do_heartbeat

        async def noted() -> bool:
            sent_at = time.monotonic()
            accepted = bool(await beat())
            if accepted:
                self.last_heartbeat_at = sent_at
            return accepted

        coordinator._do_heartbeat = noted

    def note_heartbeat(self) -> None:
        """The coordinator has just heard of us in another way."""
        self.last_heartbeat_at = time.monotonic()

    async def committed_with_notes(self, tps: Iterable[TP]) -> Mapping[Any, Any]:
        """Committed offsets together with their metadata."""
        fetch = self._ensure_consumer()._coordinator.fetch_committed_offsets
        found = await self.call_thread(fetch, [driver.ensure_aiokafka_TP(tp) for tp in tps])
        return dict(found)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """As the driver's, but with each offset's note beside it."""
        own, notes = self.assignment(), self.consumer.notes
        commit = {
            driver.ensure_aiokafka_TP(tp): OffsetAndMetadata(offset, notes.get(tp, ""))
            for tp, offset in offsets.items()
            if tp in own
        }
        try:
            await self._ensure_consumer().commit(commit)
        except CommitFailedError as exc:
            if "already rebalanced" not in str(exc):
                await self.crash(exc)
            return False
        except Exception as exc:  # as the driver does: a worker that can't commit must not go on
            self.log.exception("commit: %r", exc)
            await self.crash(exc)
            return False
        return True


class LaneConsumer(driver.Consumer):
    """Lane topics go to their lanes batch by batch; all else (changelogs) goes Faust's way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.notes: dict[TP, str] = {}
        self._fetched_at = 0.0

    @property
    def lanes(self) -> dict[str, Any]:
        return self.transport.lanes  # type: ignore[no-any-return]

    def _new_consumer_thread(self) -> LaneThread:
        return LaneThread(self, loop=self.loop, beacon=self.beacon)

    async def subscribe(self, topics: Iterable[str]) -> None:
        await super().subscribe({*topics, *self.lanes})

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> dict[TP, Any]:
        held = {tp: part for lane in self.lanes.values() for tp, part in lane.parts.items()}
        if active_partitions is not None:
            active_partitions = {tp for tp in active_partitions if tp.topic not in self.lanes or tp in held}
            if not active_partitions:
                await asyncio.sleep(min(timeout, IDLE_POLL_S))
                return {}
        fetched = await super()._getmany(active_partitions, min(timeout, 0.1))
        self._pace(bool(fetched))
        rest: dict[TP, Any] = {}
        for tp, batch in fetched.items():
            lane = self.lanes.get(tp.topic)
            if lane is None:
                rest[tp] = batch
                continue
            part = lane.parts.get(tp)
            if part is not None and part is held.get(tp):
                lane.put(part, batch)
            elif part is not None:  # fetched across a rebalance: read it again
                self._thread.seek(tp, batch[0].offset if part.next is None else part.next)
        return rest

    def _pace(self, fetched: bool) -> None:
        """A fetch under way leaves out partitions whose records were still waiting here, so while there is traffic
        it must come back soon; a quiet lane asks for everything at once and can wait long."""
        now = time.monotonic()
        if fetched:
            self._fetched_at = now
        self._thread.hold_fetches(BUSY_WAIT_MS if now - self._fetched_at < BUSY_FOR_S else QUIET_WAIT_MS)

    async def perform_seek(self) -> None:
        """Ends every rebalance, after the tables have recovered: from here on the lanes own their partitions."""
        await super().perform_seek()
        tps = [tp for tp in self._get_active_partitions() if tp.topic in self.lanes]
        if not tps:
            return
        found = await self._thread.committed_with_notes(tps)
        parts = []
        for tp in tps:
            at = found.get(driver.ensure_aiokafka_TP(tp))
            part = Part(tp, at.offset, at.metadata or "") if at else Part(tp, None, "")
            await self.lanes[tp.topic].assigned(part)
            parts.append(part)
        for part in parts:
            self.lanes[part.tp.topic].parts[part.tp] = part
        for lane in self.lanes.values():
            lane.stopped = False

    async def earliest_offsets(self, *tps: TP) -> Mapping[TP, int]:
        """Recovery asks where to begin reading changelogs. Tables that can, load theirs in bulk here instead."""
        first = dict(await super().earliest_offsets(*tps))
        tables = {
            table.changelog_topic_name: table
            for table in self.app.tables.values()
            if hasattr(table, "restore")
        }
        starts = {
            tp: max(first[tp] or 0, tables[tp.topic].applied.get(tp, -1) + 1)
            for tp in tps
            if tp.topic in tables
        }
        last: dict[tuple[str, bytes], Any] = {}
        ends = await read_to_end(
            self.transport, starts, lambda record: last.__setitem__((record.topic, record.key), record)
        )
        for record in last.values():
            tables[record.topic].restore(record)
        for tp, end in ends.items():
            tables[tp.topic].applied[tp] = end - 1
            first[tp] = end
        return first

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """The group has just let this worker in: it was heard of."""
        self._thread.note_heartbeat()
        self.transport.handing_over = False
        await super().on_partitions_assigned(assigned, generation_id)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Hand over cleanly: begin nothing, wait for what runs, commit; Faust forgets its acks before it commits.
        A worker that stood still for too long has nothing to hand over: others did that work meanwhile."""
        for lane in self.lanes.values():
            lane.stopped = True
        self.transport.look_at_heartbeat()
        if self.transport.frozen is not None:
            await self.app.crash(self.transport.frozen)
            # Do not join again: the process is ending, and partitions given to it would wait a whole session.
            await asyncio.Event().wait()
        await self._drain()
        await self.commit()
        for lane in self.lanes.values():
            lane.parts.clear()
        await super().on_partitions_revoked(revoked)

    async def _drain(self) -> None:
        """Wait until what was begun is acknowledged, but not so long that the group gives this worker up."""
        until = self.loop.time() + self.app.conf.broker_session_timeout / 2
        while any(lane.running for lane in self.lanes.values()) and self.loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        offsets: dict[TP, int] = super()._filter_committable_offsets(tps)
        for lane in self.lanes.values():
            for tp, part in lane.parts.items():
                low, note = part.low(), lane.note(part)
                if low is not None and (low, note) != part.committed:
                    offsets[tp], self.notes[tp] = low, note
        return offsets

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        notes = {tp: self.notes[tp] for tp in offsets if tp.topic in self.lanes}
        done = bool(await super()._commit(offsets))
        if done:
            for tp, note in notes.items():
                part = self.lanes[tp.topic].parts.get(tp)
                if part is not None:
                    part.committed = offsets[tp], note
        return done
