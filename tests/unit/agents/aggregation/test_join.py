"""The fold, rule by rule."""

import dataclasses
from collections.abc import Iterable

import pytest

from agents.aggregation.join import Dispatch, Publish, fold
from agents.aggregation.trace import Trace, read_trace, write_trace
from schemas.answers import AnswerComposed, Status
from schemas.calls import DeadlinePassed, Shape, ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, ops_error
from schemas.events import AggregationEvent
from schemas.ids import answer_id, call_id, trace_id
from schemas.plans import PlanFailed, PlanKind, PlanMade, Render, Step, Strategy

TENANT = "acme"
TRACE = trace_id(TENANT, "q-1")
ASKED_AT = 1_790_000_000.0
NOW = ASKED_AT + 1


def step(name: str, *needs: str) -> Step:
    render = Render(title=f"Title {name}")
    return Step(
        step_id=name, tool_id=f"tool_{name}", tool_type="t", kind="sql", depends_on=needs, render=render
    )


def plan(
    *steps: Step, kind: PlanKind = PlanKind.PLAN, strategy: Strategy = Strategy.DAG, **more: object
) -> PlanMade:
    return PlanMade(
        trace_id=TRACE,
        tenant_id=TENANT,
        question_id="q-1",
        user_id="u",
        roles=("viewer",),
        question="what?",
        mode="all",
        kind=kind,
        asked_at=ASKED_AT,
        planned_at=ASKED_AT + 0.1,
        deadline_at=ASKED_AT + 30,
        steps=steps,
        strategy=strategy,
        **more,  # type: ignore[arg-type]  # fields of the plan by name
    )


def success(name: str, value: int = 1, **more: object) -> ToolSucceeded:
    fields: dict[str, object] = {
        "trace_id": TRACE,
        "tenant_id": TENANT,
        "call_id": call_id(TRACE, name, 0),
        "step_id": name,
        "tool_id": f"tool_{name}",
        "tool_type": "t",
        "group": 0,
        "started_at": ASKED_AT + 0.2,
        "ended_at": ASKED_AT + 0.4,
        "output": ToolOutput(shape=Shape.FACTS, facts={"value": value}),
    }
    return ToolSucceeded(**{**fields, **more})  # type: ignore[arg-type]  # fields by name


def failure(name: str, code: ErrorCode = ErrorCode.UPSTREAM_UNAVAILABLE) -> ToolFailed:
    return ToolFailed(
        trace_id=TRACE,
        tenant_id=TENANT,
        call_id=call_id(TRACE, name, 0),
        step_id=name,
        tool_id=f"tool_{name}",
        tool_type="t",
        group=0,
        started_at=ASKED_AT + 0.2,
        ended_at=ASKED_AT + 0.4,
        error=ops_error(code, detail="db-7.internal:5432 refused"),
    )


def deadline(at: float = ASKED_AT + 30, phase: str = "total") -> DeadlinePassed:
    return DeadlinePassed(
        trace_id=TRACE,
        tenant_id=TENANT,
        phase=phase,  # type: ignore[arg-type]  # one of two words
        deadline_at=at,
        passed_at=at + 0.2,
    )


class Folding:
    """A trace folded event by event, its row written and read between any two."""

    def __init__(self) -> None:
        self.state: Trace | None = None
        self.calls: list[ToolCalled] = []
        self.answers: list[AnswerComposed] = []

    def take(self, *events: AggregationEvent, now: float = NOW) -> list[str]:
        """Step ids of the calls that these events gave out."""
        given: list[str] = []
        for event in events:
            self.state, outputs = fold(self.state, event, now)
            if self.state is not None:
                assert read_trace(write_trace(self.state)) == self.state
                self.state = read_trace(write_trace(self.state))
            self.calls += [out.call for out in outputs if isinstance(out, Dispatch)]
            self.answers += [out.answer for out in outputs if isinstance(out, Publish)]
            given += [out.call.step_id for out in outputs if isinstance(out, Dispatch)]
        return given

    @property
    def answer(self) -> AnswerComposed:
        assert len(self.answers) == 1
        return self.answers[0]


@pytest.fixture
def trace() -> Folding:
    return Folding()


def names(results: Iterable[object]) -> list[tuple[object, ...]]:
    return [(r.step_id, r.status, r.cause) for r in results]  # type: ignore[attr-defined]  # tool results


def test_plan_gives_out_calls_whose_dependencies_are_met(trace: Folding) -> None:
    """Given a diamond, only its head is called at first, then its sides together, then its foot."""
    diamond = plan(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))

    assert trace.take(diamond) == ["a"]
    assert trace.take(success("a")) == ["b", "c"]
    assert trace.take(success("b")) == []
    assert trace.take(success("c")) == ["d"]
    assert trace.take(success("d")) == []

    assert trace.answer.status is Status.SUCCESS
    assert [call.group for call in trace.calls] == [0, 1, 1, 2]


def test_call_carries_what_a_tool_may_know(trace: Folding) -> None:
    """A call has a deterministic id, the asker's roles and the sooner of deadline and execution budget."""
    trace.take(plan(step("a"), max_rows=7))

    call = trace.calls[0]
    assert call.call_id == call_id(TRACE, "a", 0)
    assert (call.tenant_id, call.user_id, call.roles, call.max_rows) == (TENANT, "u", ("viewer",), 7)
    assert (call.called_at, call.deadline_at) == (NOW, ASKED_AT + 30)


def test_at_most_ten_calls_are_in_flight(trace: Folding) -> None:
    """Given 12 independent steps, two wait for room and get it one by one."""
    twelve = plan(*[step(f"s{n}") for n in range(12)])

    assert len(trace.take(twelve)) == 10
    assert trace.take(success("s3")) == ["s10"]
    assert trace.take(failure("s4")) == ["s11"]
    assert trace.take(success("s0")) == []


def test_serial_runs_one_step_at_a_time_in_order(trace: Folding) -> None:
    """Serial gives out the next step only when the one before has ended, failed or not."""
    assert trace.take(plan(step("a"), step("b"), step("c"), strategy=Strategy.SERIAL)) == ["a"]
    assert trace.take(failure("a")) == ["b"]
    assert trace.take(success("b")) == ["c"]
    assert [call.group for call in trace.calls] == [0, 1, 2]


def test_failed_step_skips_its_dependents_with_the_cause(trace: Folding) -> None:
    """Independent steps go on; what waits for a failed step, however far, names it."""
    trace.take(plan(step("a"), step("b", "a"), step("c", "b"), step("d")))
    trace.take(failure("a"), success("d"))

    assert trace.answer.status is Status.PARTIAL_SUCCESS
    assert names(trace.answer.results) == [
        ("a", "error", None),
        ("b", "skipped", "a"),
        ("c", "skipped", "a"),
        ("d", "success", None),
    ]
    assert trace.answer.failed_tools == ("tool_a", "tool_b", "tool_c")


def test_result_of_a_dependent_that_should_not_have_run_does_not_count(trace: Folding) -> None:
    """A result of b is kept, but a failed, so b is skipped: order must not decide."""
    trace.take(plan(step("a"), step("b", "a")), success("b"), failure("a"))

    assert names(trace.answer.results) == [("a", "error", None), ("b", "skipped", "a")]


def test_results_before_the_plan_are_kept(trace: Folding) -> None:
    """Given results that overtook their plan, the plan calls only what is missing."""
    assert trace.take(success("a"), failure("b")) == []
    assert trace.take(plan(step("a"), step("b"), step("c"))) == ["c"]
    trace.take(success("c"))

    assert [result.status for result in trace.answer.results] == ["success", "error", "success"]


def test_early_results_whose_plan_never_comes_are_forgotten(trace: Folding) -> None:
    """There is no question to answer; the row leaves at its own deadline."""
    trace.take(success("a"))
    due_at = trace.state.deadline_at if trace.state else 0.0

    trace.take(deadline(due_at))

    assert due_at == NOW + 120
    assert (trace.state, trace.answers) == (None, [])


@pytest.mark.parametrize(
    "stranger",
    [
        success("a", call_id="0" * 32),
        success("a", call_id=call_id(TRACE, "a", 1)),
        success("x"),
        success("a", tenant_id="other"),
    ],
    ids=["unknown id", "other attempt", "unknown step", "other tenant"],
)
def test_result_of_an_unknown_call_is_ignored(trace: Folding, stranger: ToolSucceeded) -> None:
    """Before or after the plan, what is not a call of this trace changes nothing."""
    trace.take(stranger)
    assert trace.take(plan(step("a"))) == ["a"]
    state = trace.state
    assert trace.take(stranger) == []
    assert trace.state == state


def test_event_read_again_changes_nothing_and_keeps_the_very_state() -> None:
    """A shell may tell by identity that there is no row to write."""
    state, _ = fold(None, plan(step("a"), step("b", "a")), NOW)
    state, _ = fold(state, success("a"), NOW)

    for event in (plan(step("a"), step("b", "a")), success("a")):
        again, _ = fold(state, event, NOW + 5)
        assert again is state


def test_event_read_again_repeats_the_unfinished_calls_it_released(trace: Folding) -> None:
    """A call may be lost between the row and its publication; only the event that released it repeats it."""
    made = plan(step("a"), step("b"), step("c", "a"))
    trace.take(made, success("a"))

    assert trace.take(made) == ["b"]
    assert trace.take(success("a")) == ["c"]
    trace.take(success("c"))
    assert trace.take(success("a")) == []
    assert len({call.call_id for call in trace.calls}) == 3


def test_second_result_of_a_call_does_not_replace_the_first(trace: Folding) -> None:
    """A call that ran twice has one result: the first that was folded."""
    trace.take(plan(step("a"), step("b")), success("a", 1), success("a", 2), failure("a"), success("b"))

    assert trace.answer.status is Status.SUCCESS
    assert "value 1 [1]" in trace.answer.text


def test_answered_trace_is_a_marker_and_stays_silent(trace: Folding) -> None:
    """Nothing comes out after the answer, whatever comes in."""
    made = plan(step("a"))
    trace.take(made, success("a"))
    assert trace.state == Trace(trace_id=TRACE, answered_at=NOW)

    assert trace.take(made, success("a"), failure("a"), deadline()) == []
    assert trace.answer.answer_id == answer_id(TRACE)


def test_deadline_answers_with_what_there_is(trace: Folding) -> None:
    """A hung step is TOOL_TIMEOUT with the time it had; its dependents are skipped because of it."""
    trace.take(plan(step("a"), step("b"), step("c", "b")), success("a"))
    trace.take(deadline(), now=ASKED_AT + 30.2)

    answer = trace.answer
    assert answer.status is Status.PARTIAL_SUCCESS
    assert names(answer.results) == [("a", "success", None), ("b", "timeout", None), ("c", "skipped", "b")]
    assert answer.results[1].error_code is ErrorCode.TOOL_TIMEOUT
    assert answer.results[1].duration_ms == pytest.approx(29_200)
    assert "tool_b did not answer in time (TOOL_TIMEOUT), so “Title b” is missing." in answer.text
    assert answer.budget.exhausted


def test_deadline_without_any_success_fails(trace: Folding) -> None:
    """Nothing usable: failed, because execution ran out of time."""
    trace.take(plan(step("a")), deadline())

    assert trace.answer.status is Status.FAILED
    assert trace.answer.error is not None
    assert trace.answer.error.code is ErrorCode.EXECUTE_TIMEOUT


def test_stale_deadline_is_ignored(trace: Folding) -> None:
    """One earlier than the trace's own changes nothing."""
    trace.take(plan(step("a")))
    state = trace.state
    trace.take(deadline(ASKED_AT + 29))

    assert trace.state == state
    assert trace.answers == []


def test_deadline_of_an_unknown_trace_changes_nothing(trace: Folding) -> None:
    """There is nothing to answer."""
    trace.take(deadline())

    assert trace.state is None
    assert trace.answers == []


def test_execution_deadline_ends_a_trace_before_its_total(trace: Folding) -> None:
    """Execution has 60 s from the plan, whatever the question's own deadline."""
    trace.take(dataclasses.replace(plan(step("a")), deadline_at=ASKED_AT + 120))
    assert trace.calls[0].deadline_at == pytest.approx(ASKED_AT + 60.1)

    trace.take(deadline(ASKED_AT + 60.1, phase="execution"))

    assert trace.answer.status is Status.FAILED


def test_nothing_found_is_no_failure(trace: Folding) -> None:
    """DATA_NOT_FOUND: the status is success, dependents run, the text says that nothing was found."""
    trace.take(plan(step("a"), step("b", "a")))
    assert trace.take(failure("a", ErrorCode.DATA_NOT_FOUND)) == ["b"]
    trace.take(success("b"))

    assert trace.answer.status is Status.SUCCESS
    assert trace.answer.results[0].error_code is ErrorCode.DATA_NOT_FOUND
    assert "Title a: nothing was found [1]." in trace.answer.text


def test_direct_plan_is_answered_at_once(trace: Folding) -> None:
    """No tool is needed to say it."""
    assert trace.take(plan(kind=PlanKind.DIRECT, text="Hello.")) == []

    assert (trace.answer.status, trace.answer.text, trace.answer.error) == (Status.SUCCESS, "Hello.", None)


def test_rejected_question_is_told_what_to_ask(trace: Folding) -> None:
    """A rejection fails with PLAN_INVALID and suggestions."""
    trace.take(plan(kind=PlanKind.REJECT, text="I know nothing of that.", suggestions=("Ask about disks",)))

    answer = trace.answer
    assert answer.status is Status.FAILED
    assert answer.error is not None
    assert (answer.error.code, answer.error.message) == (ErrorCode.PLAN_INVALID, "I know nothing of that.")
    assert answer.suggestions == ("Ask about disks",)


def plan_failed() -> PlanFailed:
    return PlanFailed(
        trace_id=TRACE,
        tenant_id=TENANT,
        question_id="q-1",
        user_id="u",
        question="what?",
        mode="all",
        asked_at=ASKED_AT,
        planned_at=ASKED_AT + 0.1,
        deadline_at=ASKED_AT - 5,
        error=ops_error(ErrorCode.PLAN_TIMEOUT, detail="host secret-1"),
    )


def test_failed_plan_is_a_failed_answer(trace: Folding) -> None:
    """The error's public side is told, its detail is not."""
    trace.take(plan_failed())

    assert trace.answer.status is Status.FAILED
    assert trace.answer.error is not None
    assert trace.answer.error.code is ErrorCode.PLAN_TIMEOUT
    assert "secret" not in repr(trace.answer)


def test_first_decision_of_the_planner_stands(trace: Folding) -> None:
    """A planner that died after its plan may decide again, and too late: the plan goes on."""
    trace.take(plan(step("a")), plan_failed(), success("a"))

    assert trace.answer.status is Status.SUCCESS


@pytest.mark.parametrize(
    "steps",
    [(step("a", "b"), step("b", "a")), (step("a", "ghost"),), (), (step("a", "a"),)],
    ids=["cycle", "unknown", "empty", "itself"],
)
def test_plan_that_cannot_go_on_ends_at_once(trace: Folding, steps: tuple[Step, ...]) -> None:
    """Nothing would ever come: the answer does not wait for the deadline."""
    assert trace.take(plan(*steps)) == []
    assert trace.answer.status is Status.FAILED
    assert trace.answer.error is not None
    assert trace.answer.error.code is ErrorCode.PLAN_INVALID
