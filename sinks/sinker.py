"""The sink on the road: whatever passes goes into ClickHouse, and only then is its offset committed."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from schemas.answers import AnswerComposed
from schemas.deadletters import DeadLetter
from schemas.plans import ReplanRequested
from schemas.telemetry import MetricPoint, SpanEnded
from sinks.rows import Origin, merge, rows_of
from sinks.sink import Batcher
from streams import counters
from streams.codecs import AGGREGATION_WORDS, DecodeError
from streams.lane.lane import Lane
from streams.lane.part import Part
from streams.road import Road


class Sinker(Lane):
    """Reads one topic into the batcher. Lanes of one worker share a batcher, so that a quiet topic's rows travel
    with a busy one's."""

    def __init__(
        self,
        app: Any,
        road: Road,
        topic: str,
        words: Mapping[str, type[Any]],
        batcher: Batcher,
        *,
        judges: bool,
    ) -> None:
        """`judges`: bytes that are no event of this topic become a dead letter here; otherwise another reader of
        the topic does that, and here they are only counted."""
        super().__init__(app, topic)
        self._road = road
        self._words = words
        self._batcher = batcher
        self._judges = judges

    async def handle(self, part: Part, records: Sequence[Any]) -> Iterable["asyncio.Future[Any]"]:
        road, rows = self._road, []
        waits: list[asyncio.Future[Any]] = []
        for record in records:
            if record.value is None:
                road.counters.add(counters.TOMBSTONES)
                continue
            try:
                event = road.codec.decode(record.value, self._words)
            except DecodeError as exc:
                if self._judges:
                    waits.append(road.send_dead_letter(self.app, record, exc.code, exc.reason))
                continue
            rows.append(rows_of(event, Origin(record.topic, record.partition, record.offset)))
        merged = merge(rows)
        if merged:
            first, last = records[0].offset, records[-1].offset
            waits.append(self._batcher.add(merged, part.tp.topic, part.tp.partition, first, last))
        return waits


def attach_sinkers(app: Any, road: Road, batcher: Batcher) -> None:
    """Every topic that leaves rows, attached to the sink's app."""
    topics = road.topics
    Sinker(app, road, topics.aggregation, AGGREGATION_WORDS, batcher, judges=False)
    Sinker(app, road, topics.answers, {"AnswerComposed": AnswerComposed}, batcher, judges=True)
    Sinker(app, road, topics.replans, {"ReplanRequested": ReplanRequested}, batcher, judges=False)
    telemetry: dict[str, type[Any]] = {"SpanEnded": SpanEnded, "MetricPoint": MetricPoint}
    Sinker(app, road, topics.telemetry, telemetry, batcher, judges=True)
    Sinker(app, road, topics.dead_letters, {"DeadLetter": DeadLetter}, batcher, judges=False)
