"""The replanner on the road: requests for another plan in, plans out. The decisions are made in `replanning.py`."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from schemas.plans import PlanMade, PlanPatch, ReplanRecord, ReplanRequested
from streams.codecs import DecodeError
from streams.lane.lane import Lane
from streams.lane.outbox import Item
from streams.lane.part import Part
from streams.road import Road

_WORDS = {"ReplanRequested": ReplanRequested}


class Redecides(Protocol):
    """What the replanner asks: `agents.planning.replanning.Replanning`."""

    def decide(self, request: ReplanRequested, now: float) -> PlanMade: ...


class Replanner(Lane):
    """Reads `ops.replans`. Each request becomes a plan in `ops.aggregation`, also where nothing can be changed, so
    that the trace need not wait for its deadline."""

    def __init__(self, app: Any, road: Road, replanning: Redecides) -> None:
        super().__init__(app, road.topics.replans)
        self._road = road
        self._replanning = replanning

    async def handle(self, part: Part, records: Sequence[Any]) -> Iterable["asyncio.Future[int]"]:
        road, now = self._road, self._road.clock()
        waits: list[asyncio.Future[int]] = []
        boxes: dict[int, list[Item]] = {}
        for record in records:
            if record.value is None:
                continue
            try:
                request = road.codec.decode(record.value, _WORDS)
            except DecodeError as exc:
                waits.append(road.send_dead_letter(self.app, record, exc.code, exc.reason))
                continue
            plan = self._decide(request, now)
            boxes.setdefault(road.partition(plan.trace_id), []).append(road.item(plan.trace_id, plan))
        put, topic = self.app.producer.put, road.topics.aggregation
        return [*waits, *(put(topic, partition, items) for partition, items in boxes.items())]

    def _decide(self, request: ReplanRequested, now: float) -> PlanMade:
        try:
            return self._replanning.decide(request, now)
        except Exception as exc:  # noqa: BLE001  # border: a request that breaks the planner leaves the plan as it is
            return unchanged(request, now, f"planning again failed: {type(exc).__name__}")


def unchanged(request: ReplanRequested, now: float, reason: str) -> PlanMade:
    """The plan as it stands: there is no other way."""
    patch = PlanPatch(reason=reason)
    record = ReplanRecord(
        attempt=request.attempt,
        trigger=request.trigger,
        severity=request.severity,
        reason=request.reason,
        failures=request.failures,
        requested_at=request.requested_at,
        decided_at=now,
        patch=patch,
    )
    records = (*request.plan.replan_records, record)
    return replace(request.plan, attempt=request.attempt, patch=patch, replan_records=records)
