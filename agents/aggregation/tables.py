"""The join's tables: open traces, marks of answered ones, deadlines by window."""

from typing import Any

import orjson
from faust.types import TP

from agents.aggregation.answered import Answered
from agents.aggregation.budget import phase_of
from agents.aggregation.trace import Trace, read_trace, write_trace
from schemas.ids import TenantId
from streams.lane.table import Change, DeadlineTable, LaneTable


class TraceCodec:
    """Traces as changelog rows."""

    def encode(self, value: Trace) -> bytes:
        return write_trace(value)

    def decode(self, raw: bytes) -> Trace:
        return read_trace(raw)


class JsonCodec:
    """Small JSON rows."""

    def encode(self, value: Any) -> bytes:
        return orjson.dumps(value)

    def decode(self, raw: bytes) -> Any:
        return orjson.loads(raw)


class TraceTable(LaneTable):
    """Open traces as rows. An answered trace leaves only a mark, in memory and in the changelog."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, row_codec=TraceCodec(), **kwargs)
        self.answered = Answered()

    def close(self, partition: int, trace: Trace) -> Change:
        """Turn an open row into a mark; the change is to be flushed once the answer is acknowledged."""
        self._drop(trace.trace_id)
        self.answered.add(partition, trace.trace_id, trace.answered_at or 0.0)
        return trace.trace_id, trace

    def expire(self, partition: int, before: float) -> list[Change]:
        """Forget the marks set before a moment."""
        return [(trace_id, None) for trace_id in self.answered.expired(partition, before)]

    def restore(self, record: Any) -> None:
        trace_id = self.key_of(record.key)
        trace = None if record.value is None else read_trace(record.value)
        if trace is not None and trace.answered_at is None:
            super().restore(record)
            return
        self._drop(trace_id)
        if trace is None:
            self.answered.discard(record.partition, trace_id)
        else:
            self.answered.add(record.partition, trace_id, trace.answered_at or 0.0)

    def _drop(self, trace_id: str) -> None:
        self.data.pop(trace_id, None)
        self.data._key_partition.pop(trace_id, None)
        self._dirty.pop(trace_id, None)

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        for tp in self.lost_partitions():
            self.answered.forget(tp.partition)
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)


class Deadlines:
    """Deadlines in a windowed table: row = trace and the phase it is in, window = the second in which the deadline of
    that phase falls."""

    def __init__(self, table: DeadlineTable) -> None:
        self.table = table
        self.windowed = table.tumbling(1.0)

    def open(self, partition: int, trace: Trace, tenant_id: TenantId) -> None:
        """Note a trace's deadline; noting it again changes nothing."""
        window = self.table.window.current(trace.deadline_at)
        if (trace.trace_id, window) not in self.table.rows:
            self.table.writing_partition = partition
            self.table[trace.trace_id, window] = {  # what `windowed[trace_id][window] = …` comes to
                "deadline_at": trace.deadline_at,
                "tenant_id": tenant_id,
                "phase": phase_of(trace),
            }

    def close(self, partition: int, trace_id: str, deadline_at: float) -> None:
        """Forget a trace's deadline; one that is not there is no error."""
        window = self.table.window.current(deadline_at)
        if (trace_id, window) in self.table.rows:
            self.table.writing_partition = partition
            del self.table[trace_id, window]

    def is_open(self, trace: Trace) -> bool:
        return (trace.trace_id, self.table.window.current(trace.deadline_at)) in self.table.rows


def make_tables(app: Any) -> tuple[TraceTable, Deadlines]:
    """The two tables of the join, added to an app."""
    beacon = app.tables.beacon
    traces = app.tables.add(TraceTable(app, name="traces", beacon=beacon))
    deadlines = app.tables.add(DeadlineTable(app, name="deadlines", row_codec=JsonCodec(), beacon=beacon))
    return traces, Deadlines(deadlines)
