"""The aggregator on the road: events of a trace in, dispatches and one answer out. The fold is in `join.py`.

Order that keeps an answer single: answer acknowledged → mark of the answered trace written → input committed. A mark
therefore proves its answer. An answer without a mark can only stem from input that is read again; it is found by
reading the answers topic back from the offset kept in the commit's metadata.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from faust.types import TP

from agents.aggregation.batch import Batch, Changes
from agents.aggregation.published import PublishedAnswers
from agents.aggregation.tables import make_tables
from schemas.calls import DeadlinePassed
from schemas.errors import ErrorCode
from streams import counters
from streams.codecs import AGGREGATION_WORDS, DecodeError
from streams.lane.bulk import read_to_end
from streams.lane.lane import Lane
from streams.lane.part import Part
from streams.lane.table import Change
from streams.road import Road

SWEEP_EVERY_S = 0.25


class Aggregator(Lane):
    """Reads `ops.aggregation`; the only writer of the join's tables."""

    def __init__(self, app: Any, road: Road, *, answered_kept_s: float) -> None:
        super().__init__(app, road.topics.aggregation)
        self._road = road
        self._answered_kept_s = answered_kept_s
        self._traces, self._deadlines = make_tables(app)
        app.timer(SWEEP_EVERY_S)(self.sweep)

    async def assigned(self, part: Part) -> None:
        """Find the answers that were published and not yet marked when the last owner ended."""
        start = int(part.note) if part.note.isdigit() else 0
        found: set[bytes] = set()
        tp = TP(self._road.topics.answers, part.tp.partition)
        ends = await read_to_end(self.app.transport, {tp: start}, lambda record: found.add(record.key or b""))
        part.state = PublishedAnswers(
            start,
            ends[tp],
            found - {b""},
            lambda key: self._traces.answered.holds(part.tp.partition, key.decode(errors="replace")),
        )

    def mark(self, part: Part) -> int:
        at: int = part.state.at
        return at

    def note(self, part: Part) -> str:
        return str(next(iter(part.pending.values()), part.state.at))

    async def handle(self, part: Part, records: Sequence[Any]) -> Iterable["asyncio.Future[int]"]:
        now, waits = self._road.clock(), []
        batch = Batch(self._road, self._traces, part.tp.partition, part.state)
        for record in records:
            if record.value is None:
                self._road.counters.add(counters.TOMBSTONES)
                continue
            try:
                event = self._road.codec.decode(record.value, AGGREGATION_WORDS)
            except DecodeError as exc:
                waits.append(self._road.send_dead_letter(self.app, record, exc.code, exc.reason))
                continue
            try:
                batch.take(event, now)
            except Exception as exc:  # noqa: BLE001  # border: one event that breaks the fold must not stop the rest
                reason = f"the join could not fold it: {exc!r}"[:500]
                waits.append(self._road.send_dead_letter(self.app, record, ErrorCode.INTERNAL_ERROR, reason))
        return [*waits, *self._write(part, batch, now)]

    def _write(self, part: Part, batch: Batch, now: float) -> list[Any]:
        """Open rows and dispatches leave at once, closed rows after their answers are acknowledged."""
        changes = batch.write(self._deadlines, now - self._answered_kept_s)
        put, partition = self.app.producer.put, part.tp.partition
        sent = put(self._road.topics.answers, partition, batch.answers) if batch.answers else None
        self._road.counters.add(counters.ANSWERS, len(batch.answers))
        return [
            *(put(topic, target, items) for (topic, target), items in batch.calls.items()),
            *self._flush(partition, changes.open_traces, changes.open_deadlines),
            self._close(part, sent, changes),
        ]

    async def _close(self, part: Part, sent: "asyncio.Future[int] | None", changes: Changes) -> None:
        if sent is not None:
            part.state.acknowledged(await sent + 1)
        for acknowledged in self._flush(part.tp.partition, changes.closed_traces, changes.closed_deadlines):
            await acknowledged
        part.state.marked(trace_id for trace_id, _ in changes.closed_traces)

    def _flush(
        self, partition: int, traces: Sequence[Change], deadlines: Sequence[Change]
    ) -> list["asyncio.Future[int]"]:
        tables = (self._traces, traces), (self._deadlines.table, deadlines)
        return [table.flush(changes, partition) for table, changes in tables if changes]

    async def sweep(self) -> None:
        """Publish `DeadlinePassed` for what is overdue. A Part exists only where owned and recovered."""
        now, road = self._road.clock(), self._road
        for tp, part in list(self.parts.items()):
            if not self.owns(part):
                continue
            items = [
                road.item(trace_id, DeadlinePassed(trace_id=trace_id, passed_at=now, **row))
                for trace_id, row in self._deadlines.table.overdue(tp.partition, now)
            ]
            if items:
                await self.app.producer.put(self.topic, tp.partition, items)
