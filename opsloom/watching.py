"""The plans, calls and results of traces that somebody watches. Read only while somebody does."""

import asyncio
import contextlib
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from typing import Any

from aiokafka import TopicPartition

from opsloom.cluster import partition_counts
from opsloom.tail import Tail
from schemas.calls import ToolCalled
from schemas.events import Event
from schemas.ids import partition_of
from streams.codecs import AGGREGATION_WORDS, Codec, DecodeError
from streams.topics import KINDS, Topics

TRACE = re.compile(rb"[0-9a-f]{32}")
"""The first such run of bytes in a call is its trace: the field comes first, in JSON and in Avro alike. So a call that
concerns nobody here costs a search of its first bytes, not its decoding."""

CALLS: Mapping[str, type[Event]] = {ToolCalled.__name__: ToolCalled}
OF_TRACES: Mapping[str, type[Event]] = dict(AGGREGATION_WORDS)


class Watching:
    """All watchers of a process share one consumer, which is connected when the first one comes."""

    def __init__(self, broker: str, topics: Topics, codec: Codec) -> None:
        self._broker = broker
        self._topics = topics
        self._codec = codec
        self._queues: defaultdict[bytes, list[asyncio.Queue[Event]]] = defaultdict(list)
        self._connecting = asyncio.Lock()
        self._tail: Tail | None = None
        self._traces_n = 0
        self._calls: list[TopicPartition] = []

    @property
    def count(self) -> int:
        """How many watch at the moment."""
        return sum(len(queues) for queues in self._queues.values())

    @contextlib.asynccontextmanager
    async def on(self, trace: str) -> AsyncIterator["asyncio.Queue[Event]"]:
        """A queue of the trace's events from now on, filled only inside the block. Raises KafkaError, NotReachable."""
        tail = await self._connected()
        key = trace.encode()
        queue: asyncio.Queue[Event] = asyncio.Queue()
        home = TopicPartition(self._topics.aggregation, partition_of(trace, self._traces_n))
        async with tail.following(home, *self._calls):
            self._queues[key].append(queue)
            try:
                yield queue
            finally:
                self._queues[key].remove(queue)
                if not self._queues[key]:
                    del self._queues[key]

    async def stop(self) -> None:
        """End; watchers are the caller's to end."""
        if self._tail is not None:
            await self._tail.stop()

    async def _connected(self) -> Tail:
        async with self._connecting:
            if self._tail is None:
                of_calls = [self._topics.tool_calls(kind) for kind in KINDS]
                counts = await partition_counts(self._broker, (self._topics.aggregation, *of_calls))
                self._traces_n = counts[self._topics.aggregation]
                self._calls = [TopicPartition(topic, n) for topic in of_calls for n in range(counts[topic])]
                traces = [TopicPartition(self._topics.aggregation, n) for n in range(self._traces_n)]
                tail = Tail(self._broker, [*traces, *self._calls], self._take)
                await tail.start()
                self._tail = tail
            return self._tail

    def _take(self, record: Any) -> None:
        if record.topic == self._topics.aggregation:
            key, words = record.key, OF_TRACES
        else:
            found = TRACE.search(record.value or b"")
            key, words = found and found.group(), CALLS
        if key not in self._queues:
            return
        try:
            event = self._codec.decode(record.value, words)
        except DecodeError:
            return  # not one of ours: there is nothing to tell of it
        for queue in self._queues[key]:
            queue.put_nowait(event)
