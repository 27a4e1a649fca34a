"""The planner on the road: questions in, plans out. The decisions are made in `planning.py`."""

from collections.abc import Awaitable, Coroutine
from typing import Any, Protocol

from agents.planning.asking import language_of
from schemas.errors import ErrorCode, ops_error
from schemas.ids import trace_id
from schemas.plans import PlanFailed, PlanMade
from schemas.questions import TOTAL_BUDGET_S, QuestionAsked
from streams import counters
from streams.intake import Refusal, read_question
from streams.lane.concurrent import ConcurrentLane, Sending
from streams.lane.part import Part
from streams.road import Road

Outcome = PlanMade | PlanFailed
Sendings = tuple[Sending, ...]


class Decides(Protocol):
    """What the planner asks: `agents.planning.planning.Planning`."""

    def begin(
        self, question: QuestionAsked, *, trace_id: str, now: float
    ) -> Outcome | Awaitable[Outcome]: ...


class Planner(ConcurrentLane):
    """Reads `ops.questions`. Each event becomes a plan in `ops.aggregation` or a dead letter, never nothing. A question
    that waits for a language model holds back no other; most wait for nothing and are decided in turn."""

    def __init__(self, app: Any, road: Road, planning: Decides) -> None:
        super().__init__(app, road.topics.questions)
        self._road = road
        self._planning = planning
        self._slow: dict[tuple[Part, int], Coroutine[Any, Any, Sendings]] = {}
        """Work that has to wait, until its task takes it."""

    async def begin(self, part: Part, records: list[Any]) -> None:
        """What can be decided at once is, without a coroutine for each; the rest runs side by side."""
        now, finished = self._road.clock(), part.state
        self._road.counters.add(counters.QUESTIONS, len(records))
        done, slow = [], []
        for record in records:
            work = () if record.offset in finished else self._work_on(record, now)
            if isinstance(work, tuple):
                done.append((record, work))
            else:
                self._slow[part, record.offset] = work
                slow.append(record)
        if done:
            self.running += len(done)
            self._done.setdefault(part, []).extend(done)
        if slow:
            await super().begin(part, slow)
        else:
            self._send()

    def work(self, part: Part, record: Any) -> Coroutine[Any, Any, Sendings]:
        return self._slow.pop((part, record.offset))

    def _work_on(self, record: Any, now: float) -> Sendings | Coroutine[Any, Any, Sendings]:
        """What to send for a record, or what must be awaited for it."""
        road = self._road
        if record.value is None:
            road.counters.add(counters.TOMBSTONES)
            return ()
        question = read_question(record.value, record.headers or (), now, road.codec)
        if isinstance(question, Refusal):
            return self._refuse(record, question)
        trace = trace_id(question.tenant_id, question.question_id)
        try:
            plan = self._planning.begin(question, trace_id=trace, now=now)
        except Exception as exc:  # noqa: BLE001  # border: a question that breaks the planner is answered `failed`
            plan = _broken(question, trace, now, exc)
        if isinstance(plan, PlanMade | PlanFailed):
            return self._sendings(plan)
        return self._waited(question, trace, now, plan)

    async def _waited(
        self, question: QuestionAsked, trace: str, now: float, planned: Awaitable[Outcome]
    ) -> Sendings:
        try:
            plan = await planned
        except Exception as exc:  # noqa: BLE001  # border: as above
            plan = _broken(question, trace, now, exc)
        return self._sendings(plan)

    async def _refuse(self, record: Any, refusal: Refusal) -> Sendings:
        await self._road.send_dead_letter(self.app, record, refusal.code, refusal.reason)
        return ()

    def _sendings(self, plan: Outcome) -> Sendings:
        road, trace = self._road, plan.trace_id
        return ((road.topics.aggregation, road.partition(trace), road.item(trace, plan)),)


def _broken(question: QuestionAsked, trace: str, now: float, exc: Exception) -> PlanFailed:
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
        error=ops_error(ErrorCode.INTERNAL_ERROR, detail=f"planning: {exc!r}"),
        language=language_of(question),
    )
