"""The executor on the road: calls in, results out. The one guarded path to a tool is in `execution.py`."""

from collections.abc import Sequence
from typing import Any, Protocol

from agents.execution.ledger import KafkaLedger
from schemas.calls import ToolCalled, ToolFailed, ToolSucceeded
from streams import counters
from streams.codecs import DecodeError
from streams.lane.concurrent import ConcurrentLane, Sending
from streams.lane.part import Part
from streams.road import Road

_WORDS = {"ToolCalled": ToolCalled}


class Executes(Protocol):
    """What the executor asks: `agents.execution.execution.Execution`."""

    async def run(self, called: ToolCalled) -> ToolSucceeded | ToolFailed: ...


class Executor(ConcurrentLane):
    """Reads one `ops.tool-calls.<kind>`. Each call becomes a result in `ops.aggregation`."""

    def __init__(
        self, app: Any, road: Road, kind: str, execution: Executes, ledger: KafkaLedger | None = None
    ) -> None:
        super().__init__(app, road.topics.tool_calls(kind))
        self._road = road
        self._execution = execution
        self._ledger = ledger
        if ledger is not None:
            ledger.add(kind, self)

    async def assigned(self, part: Part) -> None:
        """Learn how far the limits of the partition's tools are used before the first call of one is read."""
        await super().assigned(part)
        if self._ledger is not None:
            await self._ledger.assigned()

    async def work(self, part: Part, record: Any) -> Sequence[Sending]:
        road = self._road
        if record.value is None:
            road.counters.add(counters.TOMBSTONES)
            return ()
        try:
            called = road.codec.decode(record.value, _WORDS)
        except DecodeError as exc:
            await road.send_dead_letter(self.app, record, exc.code, exc.reason)
            return ()
        result = await self._execution.run(called)
        road.counters.add(counters.CALLS)
        trace = result.trace_id
        return ((road.topics.aggregation, road.partition(trace), road.item(trace, result)),)
