"""From the road's events of one trace to what is told: each thing once, and in an order that makes sense.

Plans and results lie in one topic, calls in others and the answer in a third; read side by side they may come in any
order. A call is told before its end, the plan before both, and what was missed is taken from the answer, which has it
all.
"""

from schemas.answers import AnswerComposed, ToolResult
from schemas.calls import ToolCalled, ToolFailed, ToolSucceeded
from schemas.errors import ErrorCode
from schemas.events import Event
from schemas.plans import PlanKind, PlanMade
from schemas.progress import Answered, Planned, PlannedStep, ProgressEvent, ToolEnded, ToolStarted
from streams.codecs import moment

_TIMEOUTS = frozenset({ErrorCode.TOOL_TIMEOUT, ErrorCode.EXECUTE_TIMEOUT})


class Progress:
    """What was told of one trace so far."""

    def __init__(self, trace_id: str) -> None:
        self.trace_id = trace_id
        self._plans: set[int] = set()
        self._started: set[str] = set()
        self._ended: set[str] = set()
        self._early: list[Event] = []

    def take(self, event: Event) -> list[ProgressEvent]:
        """What an event adds; nothing for one that was told before or concerns nobody."""
        match event:
            case PlanMade() if event.attempt not in self._plans:
                return self._planned(event)
            case ToolCalled() | ToolSucceeded() | ToolFailed() if not self._plans:
                self._early.append(event)
            case ToolCalled():
                return self._start(event.step_id, event.tool_id, event.call_id, event.called_at)
            case ToolSucceeded() | ToolFailed() if event.call_id not in self._ended:
                self._ended.add(event.call_id)
                began = self._start(event.step_id, event.tool_id, event.call_id, event.started_at)
                return [*began, _ended(event)]
        return []

    def finish(self, answer: AnswerComposed) -> list[ProgressEvent]:
        """Everything not told yet, and the answer."""
        told: list[ProgressEvent] = []
        if not self._plans and (answer.results or answer.error is None):
            self._plans.add(0)
            told += [_plan_of(answer), *self._replay()]
        for result in answer.results:
            key = result.call_id or result.step_id
            if key in self._ended:
                continue
            self._ended.add(key)
            if result.status != "skipped":
                told += self._start(result.step_id, result.tool_id, key, None)
            told.append(_ended_by_answer(answer.trace_id, result))
        return [*told, Answered(trace_id=answer.trace_id, answer=answer)]

    def _planned(self, plan: PlanMade) -> list[ProgressEvent]:
        self._plans.add(plan.attempt)
        steps = tuple(
            PlannedStep(step_id=step.step_id, tool_id=step.tool_id, depends_on=step.depends_on)
            for step in plan.steps
        )
        told: list[ProgressEvent] = [
            Planned(
                trace_id=plan.trace_id,
                kind=plan.kind,
                planner=plan.planner,
                attempt=plan.attempt,
                steps=steps,
                at=moment(plan.planned_at),
            )
        ]
        return [*told, *self._replay()]

    def _replay(self) -> list[ProgressEvent]:
        """What came before its plan."""
        early, self._early = self._early, []
        return [told for event in early for told in self.take(event)]

    def _start(self, step_id: str, tool_id: str, call_id: str, at: float | None) -> list[ProgressEvent]:
        if call_id in self._started:
            return []
        self._started.add(call_id)
        started_at = None if at is None else moment(at)
        return [
            ToolStarted(
                trace_id=self.trace_id, step_id=step_id, tool_id=tool_id, call_id=call_id, at=started_at
            )
        ]


def _ended(event: ToolSucceeded | ToolFailed) -> ToolEnded:
    failed = event.error if isinstance(event, ToolFailed) else None
    found_nothing = failed is not None and failed.code is ErrorCode.DATA_NOT_FOUND
    timed_out = failed is not None and failed.code in _TIMEOUTS
    return ToolEnded(
        trace_id=event.trace_id,
        step_id=event.step_id,
        tool_id=event.tool_id,
        call_id=event.call_id,
        status="success" if failed is None or found_nothing else "timeout" if timed_out else "error",
        duration_ms=round(max(0.0, event.ended_at - event.started_at) * 1_000, 2),
        retries=event.retries,
        error=None if failed is None else failed.public(),
    )


def _ended_by_answer(trace_id: str, result: ToolResult) -> ToolEnded:
    return ToolEnded(
        trace_id=trace_id,
        step_id=result.step_id,
        tool_id=result.tool_id,
        call_id=result.call_id,
        status=result.status,
        duration_ms=result.duration_ms,
        retries=result.retries,
        error=result.error_details,
    )


def _plan_of(answer: AnswerComposed) -> Planned:
    steps = tuple(PlannedStep(step_id=each.step_id, tool_id=each.tool_id) for each in answer.results)
    kind = answer.plan_kind if not steps else PlanKind.PLAN
    return Planned(trace_id=answer.trace_id, kind=kind, planner=answer.planner, steps=steps)
