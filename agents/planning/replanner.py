"""The replanner on the road: requests for another plan in, plans out. The decisions are made in `replanning.py`."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from agents.planning.llm_planner import NAME as LLM
from agents.planning.llm_replanning import LLM_REPLANS
from schemas.plans import PlanMade, PlanPatch, ReplanRecord, ReplanRequested
from streams.codecs import DecodeError
from streams.lane.lane import Lane, background
from streams.lane.outbox import Item
from streams.lane.part import Part
from streams.road import Road

_WORDS = {"ReplanRequested": ReplanRequested}


class Redecides(Protocol):
    """What the replanner asks: `agents.planning.replanning.Replanning`."""

    def decide(self, request: ReplanRequested, now: float) -> PlanMade: ...


class ThinksAgain(Protocol):
    """Who is asked where no other tool does the work: `agents.planning.planning.Planning`, which may ask a model."""

    async def think_again(self, request: ReplanRequested, standing: PlanMade, now: float) -> PlanMade: ...


class Replanner(Lane):
    """Reads `ops.replans`. Each request becomes a plan in `ops.aggregation`, also where nothing can be changed, so
    that the trace need not wait for its deadline."""

    def __init__(
        self, app: Any, road: Road, replanning: Redecides, thinker: ThinksAgain | None = None
    ) -> None:
        """`thinker` is asked again about plans of a language model; it may take its time and holds back no other."""
        super().__init__(app, road.topics.replans)
        self._thinker = thinker
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
            if self._thinker is not None and may_think_again(request, plan):
                waits.append(background(self._think(self._thinker, request, plan, now)))
                continue
            boxes.setdefault(road.partition(plan.trace_id), []).append(road.item(plan.trace_id, plan))
        put, topic = self.app.producer.put, road.topics.aggregation
        return [*waits, *(put(topic, partition, items) for partition, items in boxes.items())]

    async def _think(
        self, thinker: ThinksAgain, request: ReplanRequested, standing: PlanMade, now: float
    ) -> int:
        try:
            plan = await thinker.think_again(request, standing, now)
        except Exception as exc:  # noqa: BLE001  # border: as below
            plan = unchanged(request, now, f"planning again failed: {type(exc).__name__}")
        road, trace = self._road, plan.trace_id
        put = self.app.producer.put
        acknowledged: int = await put(
            road.topics.aggregation, road.partition(trace), [road.item(trace, plan)]
        )
        return acknowledged

    def _decide(self, request: ReplanRequested, now: float) -> PlanMade:
        try:
            return self._replanning.decide(request, now)
        except Exception as exc:  # noqa: BLE001  # border: a request that breaks the planner leaves the plan as it is
            return unchanged(request, now, f"planning again failed: {type(exc).__name__}")


def may_think_again(request: ReplanRequested, decided: PlanMade) -> bool:
    """Is a model to be asked? Where it made the plan, nothing could be changed, and it was not asked too often."""
    changed = decided.patch is not None and decided.patch.changes
    thought = [each for each in request.plan.replan_records if each.patch is not None and each.patch.added]
    return request.plan.planner == LLM and not changed and len(thought) < LLM_REPLANS


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
