"""Plans with fallbacks, replans, serial tools and references: any causal order, any duplicates, the same answer."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.aggregation.join import Ask, Dispatch, Publish, fold
from agents.aggregation.standing import MAX_IN_FLIGHT
from agents.aggregation.trace import Trace, read_trace, write_trace
from schemas.answers import AnswerComposed, Status
from schemas.calls import DeadlinePassed, Shape, ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, ops_error
from schemas.events import AggregationEvent
from schemas.ids import trace_id
from schemas.plans import (
    Fallback,
    PlanKind,
    PlanMade,
    PlanPatch,
    ReplanRecord,
    ReplanRequested,
    Step,
    StepChange,
    Strategy,
)
from tests.support.effort import examples

TRACE = trace_id("acme", "q")
PLANNED_AT = 1_000.0
CODES = [None, None, None, ErrorCode.DATA_NOT_FOUND, ErrorCode.INVALID_PARAMS, *[ErrorCode.TOOL_TIMEOUT] * 3]
Outcome = dict[str, ErrorCode | None]
"""What each tool fails of, by tool id; None: it succeeds."""


@st.composite
def plans(draw: st.DrawFn) -> PlanMade:
    steps = []
    for n in range(draw(st.integers(1, 8))):
        name = f"s{n}"
        earlier = [f"s{m}" for m in range(n)]
        needs = tuple(draw(st.lists(st.sampled_from(earlier), max_size=2, unique=True)) if earlier else ())
        path = draw(st.sampled_from(["facts.figure", "facts.figure", "facts.nothing"]))
        params = {"value": {"$from": needs[0], "path": path}} if needs and draw(st.booleans()) else {}
        fallback = Fallback(tool_id=f"copy{n}", tool_type="t", kind="graph", params=params)
        steps.append(
            Step(
                step_id=name,
                tool_id=draw(st.sampled_from([f"t{n}", "shared"])),
                tool_type="t",
                kind="sql",
                params=params,
                depends_on=needs,
                fallback=fallback if draw(st.booleans()) else None,
                serial=draw(st.booleans()),
            )
        )
    return PlanMade(
        trace_id=TRACE,
        tenant_id="acme",
        question_id="q",
        user_id="u",
        roles=("viewer",),
        question="what?",
        mode="all",
        kind=PlanKind.PLAN,
        asked_at=PLANNED_AT,
        planned_at=PLANNED_AT,
        deadline_at=PLANNED_AT + 120,
        steps=tuple(draw(st.permutations(steps))),
        strategy=draw(st.sampled_from(Strategy)),
        max_replans=draw(st.integers(0, 4)),
    )


def tools_of(plan: PlanMade) -> list[str]:
    named = {step.tool_id for step in plan.steps} | {f"copy{n}" for n in range(8)}
    return sorted(named) + [f"next{n}-{step.step_id}" for n in range(1, 4) for step in plan.steps]


@st.composite
def outcomes(draw: st.DrawFn, plan: PlanMade) -> Outcome:
    return {tool: draw(st.sampled_from(CODES)) for tool in tools_of(plan)}


def result(call: ToolCalled, code: ErrorCode | None) -> ToolSucceeded | ToolFailed:
    common: dict[str, Any] = {
        "trace_id": TRACE,
        "tenant_id": "acme",
        "call_id": call.call_id,
        "step_id": call.step_id,
        "tool_id": call.tool_id,
        "tool_type": "t",
        "group": call.group,
        "started_at": PLANNED_AT,
        "ended_at": PLANNED_AT + 0.1,
    }
    if code is None:
        return ToolSucceeded(**common, output=ToolOutput(shape=Shape.FACTS, facts={"figure": 7}))
    return ToolFailed(**common, error=ops_error(code))


def replanned(asked: ReplanRequested) -> PlanMade:
    """Another tool for each step that failed; in a third attempt there is no other way any more."""
    failed = {failure.step_id for failure in asked.failures} if asked.attempt < 3 else set()
    steps, changes = [], []
    for step in asked.plan.steps:
        if step.step_id in failed:
            after = f"next{asked.attempt}-{step.step_id}"
            changes.append(StepChange(step_id=step.step_id, tool_before=step.tool_id, tool_after=after))
            step = dataclasses.replace(step, tool_id=after, attempt=asked.attempt, serial=False)
        steps.append(step)
    patch = PlanPatch(replaced=tuple(changes))
    record = ReplanRecord(
        attempt=asked.attempt,
        trigger=asked.trigger,
        severity=asked.severity,
        reason=asked.reason,
        failures=asked.failures,
        patch=patch,
    )
    records = (*asked.plan.replan_records, record)
    return dataclasses.replace(
        asked.plan, steps=tuple(steps), attempt=asked.attempt, patch=patch, replan_records=records
    )


class Road:
    """Folds, keeps what is to come, and checks what must hold after every event."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.state: Trace | None = None
        self.coming: list[AggregationEvent] = []
        self.seen: list[AggregationEvent] = []
        self.answers: list[AnswerComposed] = []
        self.asked: list[ReplanRequested] = []
        self._running: dict[str, ToolCalled] = {}
        self._given: dict[str, ToolCalled] = {}

    def take(self, event: AggregationEvent, now: float = PLANNED_AT + 1) -> None:
        before = self.state
        if isinstance(event, ToolSucceeded | ToolFailed):
            self._running.pop(event.call_id, None)
        self.state, outputs = fold(before, event, now)
        self.seen.append(event)
        for output in outputs:
            if isinstance(output, Publish):
                self.answers.append(output.answer)
            elif isinstance(output, Ask):
                self._ask(output.request)
            elif isinstance(output, Dispatch):
                self._give(output.call)
        assert len(self.answers) <= 1
        if self.state is not None:
            assert read_trace(write_trace(self.state)) == self.state

    def _ask(self, request: ReplanRequested) -> None:
        if request in self.asked:
            return
        assert not self._running
        assert request.attempt == len(self.asked) + 1 <= 3
        self.asked.append(request)
        self.coming.append(replanned(request))

    def _give(self, call: ToolCalled) -> None:
        if call.call_id in self._given:
            assert call == self._given[call.call_id]
            return
        self._given[call.call_id] = self._running[call.call_id] = call
        assert len(self._running) <= MAX_IN_FLIGHT
        self._check_serial()
        self.coming.append(result(call, self.outcome[call.tool_id]))

    def _check_serial(self) -> None:
        assert self.state is not None
        assert self.state.plan is not None
        steps = {step.step_id: step for step in self.state.plan.steps}
        if self.state.plan.strategy is Strategy.SERIAL:
            assert len(self._running) == 1
        running = Counter(call.tool_id for call in self._running.values())
        serial = {
            call.tool_id
            for call in self._running.values()
            if steps[call.step_id].serial and call.stands_in_for is None
        }
        newest = list(self._running.values())[-1]
        if newest.tool_id in serial and steps[newest.step_id].serial:
            assert running[newest.tool_id] == 1


def timeless(answer: AnswerComposed) -> AnswerComposed:
    results = tuple(dataclasses.replace(one, duration_ms=0.0) for one in answer.results)
    return dataclasses.replace(answer, budget=None, results=results, answered_at=answer.asked_at)  # type: ignore[arg-type]


def by_the_book(plan: PlanMade, outcome: Outcome) -> Road:
    road = Road(outcome)
    road.take(plan)
    while road.coming:
        road.take(road.coming.pop(0))
    assert len(road.answers) == 1
    return road


@settings(max_examples=examples(80), deadline=None)
@given(st.data())
def test_any_causal_order_and_any_duplicates_give_the_same_answer(data: st.DataObject) -> None:
    """Results come back in any order, anything that was read is read again at any time."""
    plan = data.draw(plans())
    outcome = data.draw(outcomes(plan))
    expected = by_the_book(plan, outcome)
    road = Road(outcome)
    road.take(plan)
    while road.coming:
        if data.draw(st.booleans()):
            road.take(data.draw(st.sampled_from(road.seen)))
        road.take(road.coming.pop(data.draw(st.integers(0, len(road.coming) - 1))))

    assert timeless(road.answers[0]) == timeless(expected.answers[0])
    for event in road.seen[:]:
        road.take(event)
    assert len(road.answers) == 1


@settings(max_examples=examples(50), deadline=None)
@given(st.data())
def test_the_deadline_ends_every_trace_wherever_it_stands(data: st.DataObject) -> None:
    """Also one that waits for a stand-in or for another plan; what comes later changes nothing."""
    plan = data.draw(plans())
    road = Road(data.draw(outcomes(plan)))
    road.take(plan)
    for _ in range(data.draw(st.integers(0, 12))):
        if not road.coming:
            break
        road.take(road.coming.pop(data.draw(st.integers(0, len(road.coming) - 1))))
    due_at = PLANNED_AT + 60
    passed = DeadlinePassed(
        trace_id=TRACE, tenant_id="acme", phase="execution", deadline_at=due_at, passed_at=due_at
    )

    for event in [passed, *road.coming, *road.seen, passed]:
        road.take(event, due_at + 0.1)

    assert len(road.answers) == 1
    assert {each.step_id for each in road.answers[0].results} == {step.step_id for step in plan.steps}


@settings(max_examples=examples(50), deadline=None)
@given(st.data())
def test_what_a_crash_lost_is_given_out_again_when_the_input_is_read_again(data: st.DataObject) -> None:
    """Rows survive, their calls and requests do not: reading all input again repairs every one."""
    plan = data.draw(plans())
    outcome = data.draw(outcomes(plan))
    expected = by_the_book(plan, outcome)
    road = Road(outcome)
    road.take(plan)
    for _ in range(data.draw(st.integers(0, 12))):
        if not road.coming:
            break
        road.take(road.coming.pop(data.draw(st.integers(0, len(road.coming) - 1))))

    before = {repr(event) for event in road.coming}
    road.coming.clear()
    road.asked.clear()
    road._given.clear()
    for event in road.seen[:]:
        asked_before = list(road.asked)
        road.state, outputs = fold(road.state, event, PLANNED_AT + 2)
        for output in outputs:
            if isinstance(output, Dispatch) and output.call.call_id not in road._given:
                road._given[output.call.call_id] = output.call
                road.coming.append(result(output.call, outcome[output.call.tool_id]))
            elif isinstance(output, Ask) and output.request not in asked_before:
                road.asked.append(output.request)
                road.coming.append(replanned(output.request))

    assert {repr(event) for event in road.coming} == before
    while road.coming and not road.answers:
        event = road.coming.pop(0)
        road.state, outputs = fold(road.state, event, PLANNED_AT + 3)
        for output in outputs:
            if isinstance(output, Publish):
                road.answers.append(output.answer)
            elif isinstance(output, Ask):
                road.coming.append(replanned(output.request))
            else:
                road.coming.append(result(output.call, outcome[output.call.tool_id]))
    assert road.answers[0].status is expected.answers[0].status


@settings(max_examples=examples(50), deadline=None)
@given(st.data())
def test_no_substitute_is_silent(data: st.DataObject) -> None:
    """Whatever stood in is named, with what it stood in for and why; only then is the answer degraded."""
    plan = data.draw(plans())
    road = by_the_book(plan, data.draw(outcomes(plan)))
    answer = road.answers[0]

    first = {step.step_id: step.tool_id for step in plan.steps}
    used = {one.step_id: one.tool_id for one in answer.results if one.success}
    substituted = {step_id for step_id, tool in used.items() if tool != first[step_id]}
    assert {one.step_id for one in answer.fallbacks} == substituted
    assert answer.fallback_used == bool(substituted)
    for one in answer.fallbacks:
        assert f"so {one.tool_used_fallback} stood in for it" in answer.text
    if answer.status is Status.DEGRADED:
        assert substituted
    if answer.status is Status.SUCCESS:
        assert not substituted
