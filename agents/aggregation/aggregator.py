"""The aggregator on the road: events of a trace in, dispatches and one answer out. The fold is in `join.py`.

Order that keeps an answer single: answer acknowledged → mark of the answered trace written → input committed. A mark
therefore proves its answer. An answer without a mark can only stem from input that is read again; it is found by
reading the answers topic back from the offset kept in the commit's metadata.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from faust.types import TP

from agents.aggregation.join import Dispatch, fold
from agents.aggregation.published import PublishedAnswers
from agents.aggregation.tables import make_tables
from agents.aggregation.trace import Trace
from schemas.calls import DeadlinePassed
from schemas.errors import ErrorCode
from schemas.events import AggregationEvent
from streams import counters
from streams.codecs import AGGREGATION_WORDS, DecodeError
from streams.lane.bulk import read_to_end
from streams.lane.lane import Lane
from streams.lane.outbox import Item
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
        batch = _Batch(part.tp.partition)
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
                self._fold(part, batch, event, now)
            except Exception as exc:  # noqa: BLE001  # border: one event that breaks the fold must not stop the rest
                reason = f"the join could not fold it: {exc!r}"[:500]
                waits.append(self._road.send_dead_letter(self.app, record, ErrorCode.INTERNAL_ERROR, reason))
        return [*waits, *self._write(part, batch, now)]

    def _fold(self, part: Part, batch: "_Batch", event: AggregationEvent, now: float) -> None:
        trace_id, road = event.trace_id, self._road
        if trace_id in batch.closed or self._traces.answered.holds(batch.partition, trace_id):
            road.counters.add(counters.LATE_EVENTS)
            if isinstance(event, DeadlinePassed):
                batch.overdue.append((trace_id, event.deadline_at))
            return
        before = batch.open.get(trace_id)
        if before is None and trace_id not in batch.forgotten:
            before = self._traces.data.get(trace_id)
        after, outputs = fold(before, event, now)
        for output in outputs:
            if isinstance(output, Dispatch):
                call = output.call
                box = batch.calls.setdefault(
                    (road.topics.tool_calls(call.kind), road.partition(call.tool_id)), []
                )
                box.append(road.item(call.tool_id, call))
            elif not part.state.holds(trace_id):
                batch.answers.append(road.item(trace_id, output.answer, tenant_id=output.answer.tenant_id))
        if after is None:
            batch.open.pop(trace_id, None)
            batch.forgotten.add(trace_id)
            if isinstance(event, DeadlinePassed):
                batch.overdue.append((trace_id, event.deadline_at))
        elif after.answered_at is not None:
            batch.closed[trace_id] = after
            batch.open.pop(trace_id, None)
            batch.overdue.append((trace_id, before.deadline_at if before else after.deadline_at))
        else:
            batch.open[trace_id] = after
            batch.tenants[trace_id] = event.tenant_id
            if before is not None and before.deadline_at != after.deadline_at:
                batch.overdue.append((trace_id, before.deadline_at))

    def _write(self, part: Part, batch: "_Batch", now: float) -> list[Any]:
        """Open rows and dispatches leave at once, closed rows after their answers are acknowledged."""
        traces, deadlines, partition = self._traces, self._deadlines, batch.partition
        traces.writing_partition = partition
        before = {trace_id: traces.data.get(trace_id) for trace_id in batch.open}
        for trace_id, deadline_at in batch.overdue:
            deadlines.close(partition, trace_id, deadline_at)
        closed_deadlines = deadlines.table.take_changes()
        for trace_id, trace in batch.open.items():
            if before[trace_id] is not trace:
                traces[trace_id] = trace
            deadlines.open(partition, trace, batch.tenants[trace_id])
        for trace_id in batch.forgotten - batch.open.keys():
            traces.pop(trace_id, None)
        opened = [(traces, traces.take_changes()), (deadlines.table, deadlines.table.take_changes())]
        closed = [traces.close(partition, trace) for trace in batch.closed.values()]
        closed += traces.expire(partition, now - self._answered_kept_s)
        put = self.app.producer.put
        sent = put(self._road.topics.answers, partition, batch.answers) if batch.answers else None
        self._road.counters.add(counters.ANSWERS, len(batch.answers))
        return [
            *(put(topic, target, items) for (topic, target), items in batch.calls.items()),
            *(table.flush(changes, partition) for table, changes in opened if changes),
            self._close(part, sent, closed, closed_deadlines),
        ]

    async def _close(
        self, part: Part, sent: "asyncio.Future[int] | None", closed: list[Change], deadlines: list[Change]
    ) -> None:
        if sent is not None:
            part.state.acknowledged(await sent + 1)
        flushed = [
            table.flush(changes, part.tp.partition)
            for table, changes in ((self._traces, closed), (self._deadlines.table, deadlines))
            if changes
        ]
        for acknowledged in flushed:
            await acknowledged
        part.state.marked(trace_id for trace_id, _ in closed)

    async def sweep(self) -> None:
        """Publish `DeadlinePassed` for what is overdue. A Part exists only where owned and recovered."""
        now, road = self._road.clock(), self._road
        for tp, part in [] if self.stopped else list(self.parts.items()):
            if not self.owns(part):
                continue
            items = [
                road.item(
                    trace_id,
                    DeadlinePassed(
                        trace_id=trace_id,
                        tenant_id=row["tenant_id"],
                        deadline_at=row["deadline_at"],
                        passed_at=now,
                    ),
                )
                for trace_id, row in self._deadlines.table.overdue(tp.partition, now)
            ]
            if items:
                await self.app.producer.put(self.topic, tp.partition, items)


class _Batch:
    """What one batch of events came to."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.open: dict[str, Trace] = {}
        self.closed: dict[str, Trace] = {}
        self.tenants: dict[str, str] = {}
        self.forgotten: set[str] = set()
        self.overdue: list[tuple[str, float]] = []
        self.answers: list[Item] = []
        self.calls: dict[tuple[str, int], list[Item]] = {}
