"""Any order, any duplicates: the same answer, once."""

import dataclasses
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.aggregation.join import Dispatch, Publish, fold
from agents.aggregation.standing import MAX_IN_FLIGHT
from agents.aggregation.trace import Trace, read_trace, write_trace
from schemas.answers import AnswerComposed
from schemas.calls import DeadlinePassed, Shape, ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, ops_error
from schemas.events import AggregationEvent
from schemas.ids import call_id, trace_id
from schemas.plans import PlanKind, PlanMade, Step, Strategy
from tests.support.effort import examples

TRACE = trace_id("acme", "q")
DEADLINE_AT = 1_030.0
Result = ToolSucceeded | ToolFailed


@st.composite
def plans(draw: st.DrawFn) -> PlanMade:
    """A DAG of up to 14 steps, listed in any order."""
    count = draw(st.integers(1, 14))
    density = draw(st.integers(0, 3))
    steps = []
    for n in range(count):
        earlier = [f"s{m}" for m in range(n)]
        needs = draw(st.lists(st.sampled_from(earlier), max_size=density, unique=True)) if earlier else []
        steps.append(
            Step(step_id=f"s{n}", tool_id=f"t{n % 3}", tool_type="t", kind="sql", depends_on=tuple(needs))
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
        asked_at=1_000.0,
        planned_at=1_000.1,
        deadline_at=DEADLINE_AT,
        steps=tuple(draw(st.permutations(steps))),
        strategy=draw(st.sampled_from(Strategy)),
    )


@st.composite
def outcomes(draw: st.DrawFn, plan: PlanMade) -> dict[str, Result]:
    codes = st.sampled_from(
        [None, None, None, ErrorCode.DATA_NOT_FOUND, ErrorCode.INTERNAL_ERROR, ErrorCode.TOOL_TIMEOUT]
    )
    return {step.step_id: result(step, draw(codes)) for step in plan.steps}


def result(step: Step, code: ErrorCode | None) -> Result:
    common: dict[str, Any] = {
        "trace_id": TRACE,
        "tenant_id": "acme",
        "call_id": call_id(TRACE, step.step_id, 0),
        "step_id": step.step_id,
        "tool_id": step.tool_id,
        "tool_type": "t",
        "group": 0,
        "started_at": 1_000.2,
        "ended_at": 1_000.3,
    }
    if code is None:
        return ToolSucceeded(
            **common, output=ToolOutput(shape=Shape.FACTS, facts={"figure": len(step.step_id)})
        )
    return ToolFailed(**common, error=ops_error(code))


class Road:
    """Folds and checks what must hold after every single event."""

    def __init__(self) -> None:
        self.state: Trace | None = None
        self.plan: PlanMade | None = None
        self.called: dict[str, ToolCalled] = {}
        self.ended: dict[str, Result] = {}
        self.answers: list[AnswerComposed] = []

    def take(self, event: AggregationEvent, now: float = 1_001.0) -> list[str]:
        before = self.state
        if isinstance(event, PlanMade):
            self.plan = event
        if isinstance(event, ToolSucceeded | ToolFailed):
            self.ended.setdefault(event.step_id, event)
        self.state, outputs = fold(before, event, now)
        given = []
        for output in outputs:
            if isinstance(output, Publish):
                self.answers.append(output.answer)
            else:
                given.append(self._given(output))
        assert len(self.answers) <= 1
        if before is not None and before.answered_at is not None:
            assert self.state is before
            assert not outputs
        if self.state is not None:
            self.state = read_trace(write_trace(self.state))
        return given

    def _given(self, output: Dispatch) -> str:
        assert self.plan is not None
        name = output.call.step_id
        if name in self.called:
            assert output.call == self.called[name]
        self.called[name] = output.call
        needs = next(step.depends_on for step in self.plan.steps if step.step_id == name)
        for needed in needs:
            assert isinstance(self.ended[needed], ToolSucceeded) or self._empty(needed)
        in_flight = [one for one in self.called if one not in self.ended]
        assert len(in_flight) <= (1 if self.plan.strategy is Strategy.SERIAL else MAX_IN_FLIGHT)
        return name

    def _empty(self, name: str) -> bool:
        event = self.ended[name]
        return isinstance(event, ToolFailed) and event.error.code is ErrorCode.DATA_NOT_FOUND


def timeless(answer: AnswerComposed) -> AnswerComposed:
    """The answer without what only tells times."""
    results = tuple(dataclasses.replace(one, duration_ms=0.0) for one in answer.results)
    return dataclasses.replace(answer, budget=None, results=results, answered_at=answer.asked_at)  # type: ignore[arg-type]


def by_the_book(plan: PlanMade, outcome_of: dict[str, Result]) -> AnswerComposed:
    """The answer when each call's result comes back in the order of the calls."""
    road = Road()
    queue = road.take(plan)
    while queue:
        queue += road.take(outcome_of[queue.pop(0)])
    assert len(road.answers) == 1
    return road.answers[0]


@settings(max_examples=examples(200), deadline=None)
@given(st.data())
def test_any_order_and_any_duplicates_give_the_same_answer_once(data: st.DataObject) -> None:
    """Every event at least once, in any order: the answer of the orderly run, and never a second one."""
    plan = data.draw(plans())
    outcome_of = data.draw(outcomes(plan))
    expected = by_the_book(plan, outcome_of)
    events: list[AggregationEvent] = [plan, *outcome_of.values()]
    repeated = data.draw(st.lists(st.sampled_from(events), max_size=10))
    road = Road()

    for event in data.draw(st.permutations(events + repeated)):
        road.take(event)

    assert len(road.answers) == 1
    assert timeless(road.answers[0]) == timeless(expected)


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_results_in_any_causal_order_never_break_the_limits(data: st.DataObject) -> None:
    """Only calls that were given out come back, in any order, any event again at any time."""
    plan = data.draw(plans())
    outcome_of = data.draw(outcomes(plan))
    expected = by_the_book(plan, outcome_of)
    road = Road()
    running = road.take(plan)
    seen: list[AggregationEvent] = [plan]
    while running:
        if data.draw(st.booleans()):
            road.take(data.draw(st.sampled_from(seen)))
        event = outcome_of[running.pop(data.draw(st.integers(0, len(running) - 1)))]
        running += road.take(event)
        seen.append(event)

    assert len(road.answers) == 1
    assert timeless(road.answers[0]) == timeless(expected)


@settings(max_examples=examples(150), deadline=None)
@given(st.data())
def test_every_planned_trace_ends_at_its_deadline(data: st.DataObject) -> None:
    """Whatever came before it, when the deadline has passed there is exactly one answer."""
    plan = data.draw(plans())
    outcome_of = data.draw(outcomes(plan))
    some = data.draw(st.lists(st.sampled_from(list(outcome_of.values())), max_size=len(outcome_of)))
    road = Road()
    for event in data.draw(st.permutations([plan, *some])):
        road.take(event)

    passed = DeadlinePassed(trace_id=TRACE, tenant_id="acme", deadline_at=DEADLINE_AT, passed_at=DEADLINE_AT)
    road.take(passed, DEADLINE_AT)
    road.take(passed, DEADLINE_AT)

    assert len(road.answers) == 1
    assert len(road.answers[0].results) == len(plan.steps)


@settings(max_examples=examples(100), deadline=None)
@given(st.data())
def test_call_lost_in_a_crash_is_given_out_when_its_input_is_read_again(data: st.DataObject) -> None:
    """The row survives, its calls were never published: reading all input again repairs every one."""
    plan = data.draw(plans())
    outcome_of = data.draw(outcomes(plan))
    road = Road()
    running = road.take(plan)
    taken: list[AggregationEvent] = [plan]
    for _ in range(data.draw(st.integers(0, len(plan.steps)))):
        if not running or road.answers:
            break
        event = outcome_of[running.pop(data.draw(st.integers(0, len(running) - 1)))]
        running += road.take(event)
        taken.append(event)

    repaired = {name for event in taken for name in road.take(event)}

    assert repaired == (set() if road.answers else set(running))
