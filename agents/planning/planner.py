"""The planner on the road: questions in, plans out. The decisions are made in `planning.py`."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from schemas.errors import ErrorCode, ops_error
from schemas.ids import trace_id
from schemas.plans import PlanFailed, PlanMade
from schemas.questions import TOTAL_BUDGET_S, QuestionAsked
from streams import counters
from streams.intake import Refusal, read_question
from streams.lane.lane import Lane
from streams.lane.outbox import Item
from streams.lane.part import Part
from streams.road import Road


class Decides(Protocol):
    """What the planner asks: `agents.planning.planning.Planning`."""

    def decide(self, question: QuestionAsked, *, trace_id: str, now: float) -> PlanMade | PlanFailed: ...


class Planner(Lane):
    """Reads `ops.questions`. Each event becomes a plan in `ops.aggregation` or a dead letter, never nothing."""

    def __init__(self, app: Any, road: Road, planning: Decides) -> None:
        super().__init__(app, road.topics.questions)
        self._road = road
        self._planning = planning

    async def handle(self, part: Part, records: Sequence[Any]) -> Iterable["asyncio.Future[int]"]:
        road, now = self._road, self._road.clock()
        waits: list[asyncio.Future[int]] = []
        boxes: dict[int, list[Item]] = {}
        for record in records:
            if record.value is None:
                road.counters.add(counters.TOMBSTONES)
                continue
            question = read_question(record.value, record.headers or (), now, road.codec)
            if isinstance(question, Refusal):
                waits.append(road.send_dead_letter(self.app, record, question.code, question.reason))
                continue
            plan = self._plan(question, now)
            boxes.setdefault(road.partition(plan.trace_id), []).append(road.item(plan.trace_id, plan))
        road.counters.add(counters.QUESTIONS, len(records))
        put, topic = self.app.producer.put, road.topics.aggregation
        waits += [put(topic, partition, items) for partition, items in boxes.items()]
        return waits

    def _plan(self, question: QuestionAsked, now: float) -> PlanMade | PlanFailed:
        trace = trace_id(question.tenant_id, question.question_id)
        try:
            return self._planning.decide(question, trace_id=trace, now=now)
        except Exception as exc:  # noqa: BLE001  # border: a question that breaks the planner is answered `failed`
            error = ops_error(ErrorCode.INTERNAL_ERROR, detail=f"planning: {exc!r}")
            return PlanFailed(
                trace_id=trace,
                tenant_id=question.tenant_id,
                question_id=question.question_id,
                user_id=question.user.id,
                question=question.question,
                mode=question.mode,
                asked_at=now,
                planned_at=now,
                deadline_at=now + TOTAL_BUDGET_S,
                error=error,
            )
