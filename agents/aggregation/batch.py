"""One batch of events of one partition: what the fold made of it, and the rows and records that come of that."""

from collections.abc import Sequence
from dataclasses import dataclass

from agents.aggregation.join import Ask, Dispatch, fold
from agents.aggregation.published import PublishedAnswers
from agents.aggregation.tables import Deadlines, TraceTable
from agents.aggregation.trace import Trace
from schemas.calls import DeadlinePassed, ToolCalled
from schemas.events import AggregationEvent
from schemas.plans import ReplanRequested
from schemas.shards import shard_of
from streams import counters
from streams.lane.outbox import Item
from streams.lane.table import Change
from streams.road import Road


@dataclass(frozen=True, slots=True)
class Changes:
    """Changelog records of a batch: the open ones leave at once, the closed ones once the answers are acknowledged."""

    open_traces: Sequence[Change]
    open_deadlines: Sequence[Change]
    closed_traces: Sequence[Change]
    closed_deadlines: Sequence[Change]


class Batch:
    """Folds events into what the tables hold and what this batch already made of it; writes once at its end."""

    def __init__(self, road: Road, traces: TraceTable, partition: int, published: PublishedAnswers) -> None:
        self.answers: list[Item] = []
        self.calls: dict[tuple[str, int], list[Item]] = {}
        self._road = road
        self._traces = traces
        self._partition = partition
        self._published = published
        self._open: dict[str, Trace] = {}
        self._closed: dict[str, Trace] = {}
        self._forgotten: set[str] = set()
        self._tenants: dict[str, str] = {}
        self._deadlines_over: list[tuple[str, float]] = []

    def take(self, event: AggregationEvent, now: float) -> None:
        """Fold one event."""
        trace_id = event.trace_id
        if trace_id in self._closed or self._traces.answered.holds(self._partition, trace_id):
            self._road.counters.add(counters.LATE_EVENTS)
            self._drop_deadline_of(event)
            return
        before = self._open.get(trace_id)
        if before is None and trace_id not in self._forgotten:
            before = self._traces.rows.get(trace_id)
        after, outputs = fold(before, event, now)
        for output in outputs:
            if isinstance(output, Dispatch):
                self._dispatch(output.call)
            elif isinstance(output, Ask):
                self._ask(output.request)
            elif not self._published.holds(trace_id):
                answer = output.answer
                self.answers.append(self._road.item(trace_id, answer, tenant_id=answer.tenant_id))
        if after is None:
            self._open.pop(trace_id, None)
            self._forgotten.add(trace_id)
            self._drop_deadline_of(event)
        elif after.answered_at is not None:
            self._open.pop(trace_id, None)
            self._closed[trace_id] = after
            self._deadlines_over.append((trace_id, (before or after).deadline_at))
        else:
            self._open[trace_id] = after
            self._tenants[trace_id] = event.tenant_id
            if before is not None and before.deadline_at != after.deadline_at:
                self._deadlines_over.append((trace_id, before.deadline_at))

    def _dispatch(self, call: ToolCalled) -> None:
        key = call.tool_id if call.shards == 1 else shard_of(call.call_id, call.shards).key(call.tool_id)
        place = self._road.topics.tool_calls(call.kind), self._road.partition(key)
        self.calls.setdefault(place, []).append(self._road.item(key, call))

    def _ask(self, request: ReplanRequested) -> None:
        place = self._road.topics.replans, self._partition
        self.calls.setdefault(place, []).append(self._road.item(request.trace_id, request))

    def _drop_deadline_of(self, event: AggregationEvent) -> None:
        """The deadline of a trace that is answered or unknown has no more work to do."""
        if isinstance(event, DeadlinePassed):
            self._deadlines_over.append((event.trace_id, event.deadline_at))

    def write(self, deadlines: Deadlines, forget_before: float) -> Changes:
        """Put the batch into the tables; marks of answers older than `forget_before` expire."""
        traces, partition = self._traces, self._partition
        traces.writing_partition = partition
        for trace_id, deadline_at in self._deadlines_over:
            deadlines.close(partition, trace_id, deadline_at)
        closed_deadlines = deadlines.table.take_changes()
        rows = traces.rows
        for trace_id, trace in self._open.items():
            if rows.get(trace_id) is not trace:
                traces[trace_id] = trace
            deadlines.open(partition, trace, self._tenants[trace_id])
        for trace_id in self._forgotten - self._open.keys():
            traces.pop(trace_id, None)
        open_traces, open_deadlines = traces.take_changes(), deadlines.table.take_changes()
        closed = [traces.close(partition, trace) for trace in self._closed.values()]
        closed += traces.expire(partition, forget_before)
        return Changes(open_traces, open_deadlines, closed, closed_deadlines)
