"""The fold where a plan does not go straight: references, serial tools, fallbacks, replans, phases, composers."""

from __future__ import annotations

import dataclasses

import pytest

from agents.aggregation.join import Ask, Dispatch, Publish, fold
from agents.aggregation.trace import Trace, read_trace, write_trace
from schemas.answers import AnswerComposed, Status
from schemas.calls import Column, DeadlinePassed, Shape, ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import SUBSTITUTABLE, ErrorCode, ops_error
from schemas.events import AggregationEvent
from schemas.ids import call_id, stand_in_call_id, trace_id
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

TRACE = trace_id("acme", "q")
ASKED_AT = 1_790_000_000.0
NOW = ASKED_AT + 1


def step(name: str, *needs: str, **more: object) -> Step:
    fields: dict[str, object] = {
        "step_id": name,
        "tool_id": f"tool_{name}",
        "tool_type": "t",
        "kind": "sql",
        "depends_on": needs,
    }
    return Step(**{**fields, **more})  # type: ignore[arg-type]  # fields by name


def with_fallback(name: str, *needs: str, **more: object) -> Step:
    other = Fallback(tool_id=f"copy_{name}", tool_type="t", kind="graph", params={"of": name}, timeout_s=3.0)
    return step(name, *needs, fallback=other, **more)


def plan(*steps: Step, **more: object) -> PlanMade:
    fields: dict[str, object] = {
        "trace_id": TRACE,
        "tenant_id": "acme",
        "question_id": "q",
        "user_id": "u",
        "roles": ("viewer",),
        "question": "what?",
        "mode": "all",
        "kind": PlanKind.PLAN,
        "asked_at": ASKED_AT,
        "planned_at": ASKED_AT,
        "deadline_at": ASKED_AT + 120,
        "steps": steps,
        "strategy": Strategy.DAG,
    }
    return PlanMade(**{**fields, **more})  # type: ignore[arg-type]  # fields by name


def _common(call: ToolCalled) -> dict[str, object]:
    return {
        "trace_id": TRACE,
        "tenant_id": "acme",
        "call_id": call.call_id,
        "step_id": call.step_id,
        "tool_id": call.tool_id,
        "tool_type": "t",
        "group": call.group,
        "started_at": NOW,
        "ended_at": NOW + 0.1,
    }


def found(call: ToolCalled, *rows: list[object], **facts: object) -> ToolSucceeded:
    columns = tuple(Column(name=f"c{n}") for n in range(len(rows[0]) if rows else 0))
    output = ToolOutput(shape=Shape.TABLE, columns=columns, rows=list(rows), facts=facts or {"value": 1})
    return ToolSucceeded(**_common(call), output=output)  # type: ignore[arg-type]  # fields by name


def fails(call: ToolCalled, code: ErrorCode = ErrorCode.UPSTREAM_UNAVAILABLE) -> ToolFailed:
    return ToolFailed(**_common(call), error=ops_error(code, detail="db-7 refused"))  # type: ignore[arg-type]


def deadline(at: float, phase: str = "execution") -> DeadlinePassed:
    return DeadlinePassed(
        trace_id=TRACE,
        tenant_id="acme",
        deadline_at=at,
        passed_at=at,
        phase=phase,  # type: ignore[arg-type]
    )


class Road:
    """A trace folded event by event, its row written and read between any two."""

    def __init__(self) -> None:
        self.state: Trace | None = None
        self.calls: dict[str, ToolCalled] = {}
        self.asked: list[ReplanRequested] = []
        self.answers: list[AnswerComposed] = []

    def take(self, event: AggregationEvent, now: float = NOW) -> list[str]:
        """Tool ids of the calls that this event gave out."""
        self.state, outputs = fold(self.state, event, now)
        assert self.state is not None
        assert read_trace(write_trace(self.state)) == self.state
        given = []
        for output in outputs:
            if isinstance(output, Dispatch):
                self.calls[output.call.tool_id] = output.call
                given.append(output.call.tool_id)
            elif isinstance(output, Ask):
                self.asked.append(output.request)
            elif isinstance(output, Publish):
                self.answers.append(output.answer)
        return given

    @property
    def answer(self) -> AnswerComposed:
        assert len(self.answers) == 1
        return self.answers[0]


@pytest.fixture
def road() -> Road:
    return Road()


# References


def test_a_reference_is_replaced_by_what_the_earlier_step_found(road: Road) -> None:
    """The call carries the value, in place, nested and of its own type."""
    params = {"n": {"$from": "a", "path": "rows[0].c1"}, "in": [{"all": {"$from": "a", "path": "rows[].c0"}}]}
    road.take(plan(step("a"), step("b", "a", params=params)))

    road.take(found(road.calls["tool_a"], ["x", 7], ["y", 8]))

    assert road.calls["tool_b"].params == {"n": 7, "in": [{"all": ["x", "y"]}]}


@pytest.mark.parametrize("path", ["rows[9].c0", "facts.nothing", "rows[0].c0.deeper", "sum(rows[].c0)"])
def test_a_reference_that_leads_nowhere_fails_its_step_alone(road: Road, path: str) -> None:
    """INVALID_PARAMS names step and path; what depends on it is skipped; the rest of the answer stays."""
    params = {"n": {"$from": "a", "path": path}}
    road.take(plan(step("a"), step("b", "a", params=params), step("c", "b"), step("d", "a")))

    assert road.take(found(road.calls["tool_a"], ["x"])) == ["tool_d"]
    road.take(found(road.calls["tool_d"]))

    by_step = {result.step_id: result for result in road.answer.results}
    assert by_step["b"].error_code is ErrorCode.INVALID_PARAMS
    assert "Step 'a'" in (by_step["b"].error or "")
    assert path in (by_step["b"].error or "")
    assert (by_step["c"].status, by_step["c"].cause) == ("skipped", "b")
    assert road.answer.status is Status.PARTIAL_SUCCESS


def test_a_reference_to_what_found_nothing_sees_no_rows(road: Road) -> None:
    """DATA_NOT_FOUND is no failure: an empty list is what it gave."""
    road.take(plan(step("a"), step("b", "a", params={"ids": {"$from": "a", "path": "rows[].id"}})))

    road.take(fails(road.calls["tool_a"], ErrorCode.DATA_NOT_FOUND))

    assert road.calls["tool_b"].params == {"ids": []}


# Serial tools and stops


def test_a_serial_tool_never_runs_beside_another_call_of_itself(road: Road) -> None:
    """Three calls of one serial tool run one by one; another tool runs beside them."""
    same = {"tool_id": "one", "serial": True}
    steps = [step("a", **same), step("b", **same), step("c", **same), step("d")]

    assert road.take(plan(*steps)) == ["one", "tool_d"]
    assert road.take(found(road.calls["tool_d"])) == []
    assert road.take(found(road.calls["one"])) == ["one"]
    assert road.take(found(road.calls["one"])) == ["one"]
    road.take(found(road.calls["one"]))

    assert road.answer.status is Status.SUCCESS


def test_fail_fast_answers_at_the_first_failure(road: Road) -> None:
    """What still runs is not waited for and told as skipped with the cause."""
    road.take(plan(step("a"), step("b"), step("c", "b"), fail_fast=True))

    road.take(fails(road.calls["tool_a"]))

    told = [(result.step_id, result.status, result.cause) for result in road.answer.results]
    assert told == [("a", "error", None), ("b", "skipped", "a"), ("c", "skipped", "a")]


def test_a_step_that_must_not_be_passed_over_stops_what_has_not_begun(road: Road) -> None:
    """Calls under way are waited for, nothing new is begun."""
    road.take(plan(step("a", continue_on_error=False), step("b"), step("c", "b")))

    assert road.take(fails(road.calls["tool_a"])) == []
    assert not road.answers
    assert road.take(found(road.calls["tool_b"])) == []

    told = [(result.step_id, result.status, result.cause) for result in road.answer.results]
    assert told == [("a", "error", None), ("b", "success", None), ("c", "skipped", "a")]


# Fallbacks


def test_a_fallback_stands_in_and_the_answer_is_degraded_and_says_so(road: Road) -> None:
    """Its call is derived, names whom it stands in for, and has its own limits; what depends on the step goes on."""
    road.take(plan(with_fallback("a"), step("b", "a", params={"v": {"$from": "a", "path": "facts.value"}})))

    assert road.take(fails(road.calls["tool_a"], ErrorCode.TOOL_TIMEOUT)) == ["copy_a"]
    call = road.calls["copy_a"]
    assert (call.call_id, call.stands_in_for) == (stand_in_call_id(TRACE, "a", 0), "tool_a")
    assert (call.kind, call.params, call.timeout_s) == ("graph", {"of": "a"}, 3.0)
    road.take(found(call, value=5))
    assert road.calls["tool_b"].params == {"v": 5}
    road.take(found(road.calls["tool_b"]))

    answer = road.answer
    assert answer.status is Status.DEGRADED
    assert answer.fallback_used
    assert answer.fallback_details is not None
    assert answer.fallback_details.reason == "primary_timeout"
    assert (answer.fallback_details.tool_attempted, answer.fallback_details.tool_used_fallback) == (
        "tool_a",
        "copy_a",
    )
    assert "tool_a did not answer in time (TOOL_TIMEOUT), so copy_a stood in for it." in answer.text
    assert answer.failed_tools == ("tool_a",)
    assert answer.successful_tools == ("copy_a", "tool_b")
    told = [(result.tool_id, result.status, result.stands_in_for) for result in answer.results]
    assert told == [("tool_a", "timeout", None), ("copy_a", "success", "tool_a"), ("tool_b", "success", None)]


@pytest.mark.parametrize("code", [code for code in list(ErrorCode)[:19] if code not in SUBSTITUTABLE])
def test_no_fallback_is_a_way_round_a_refusal(road: Road, code: ErrorCode) -> None:
    """Refusals, wrong parameters and empty results are no case for a substitute."""
    road.take(plan(with_fallback("a")))

    assert road.take(fails(road.calls["tool_a"], code)) == []
    assert not road.answer.fallback_used


def test_a_fallback_that_fails_too_leaves_the_step_failed_with_both_told(road: Road) -> None:
    """Its own error is the step's."""
    road.take(plan(with_fallback("a"), step("b")))
    road.take(found(road.calls["tool_b"]))
    road.take(fails(road.calls["tool_a"], ErrorCode.CIRCUIT_OPEN))
    road.take(fails(road.calls["copy_a"], ErrorCode.TOOL_TIMEOUT))

    answer = road.answer
    assert answer.status is Status.PARTIAL_SUCCESS
    assert [result.error_code for result in answer.results] == ["CIRCUIT_OPEN", "TOOL_TIMEOUT", None]
    assert set(answer.failed_tools) == {"tool_a", "copy_a"}


def test_a_fallback_still_running_at_the_deadline_is_a_timeout(road: Road) -> None:
    """The answer is on time and tells of both calls."""
    road.take(plan(with_fallback("a")))
    road.take(fails(road.calls["tool_a"]))

    road.take(deadline(ASKED_AT + 60), ASKED_AT + 60.1)

    told = [(result.tool_id, result.status) for result in road.answer.results]
    assert told == [("tool_a", "error"), ("copy_a", "timeout")]


# Replans


def another(asked: ReplanRequested, tool_id: str | None) -> PlanMade:
    """What a planner answers: another tool for each step that failed, or no change."""
    failed = {failure.step_id for failure in asked.failures} if tool_id else set()
    steps = tuple(
        dataclasses.replace(one, tool_id=tool_id, attempt=asked.attempt, fallback=None)
        if one.step_id in failed
        else one
        for one in asked.plan.steps
    )
    changes = tuple(
        StepChange(step_id=one.step_id, tool_before=one.tool_id, tool_after=str(tool_id))
        for one in asked.plan.steps
        if one.step_id in failed
    )
    patch = PlanPatch(replaced=changes, reason="same capability")
    record = ReplanRecord(
        attempt=asked.attempt,
        trigger=asked.trigger,
        severity=asked.severity,
        reason=asked.reason,
        failures=asked.failures,
        patch=patch,
    )
    return dataclasses.replace(
        asked.plan,
        steps=steps,
        attempt=asked.attempt,
        patch=patch,
        replan_records=(*asked.plan.replan_records, record),
    )


def test_another_plan_is_asked_for_when_nothing_runs_any_more(road: Road) -> None:
    """One request names what failed; results that succeeded stay; the new tool's result is told as a substitute."""
    road.take(plan(step("a"), step("b"), step("c", "a"), max_replans=1))
    road.take(fails(road.calls["tool_a"], ErrorCode.TOOL_TIMEOUT))
    assert not road.asked
    road.take(found(road.calls["tool_b"]))

    asked = road.asked[0]
    assert (asked.attempt, asked.trigger, asked.severity) == (1, "timeout", "high")
    assert [(one.step_id, one.tool_ids) for one in asked.failures] == [("a", ("tool_a",))]
    assert (asked.succeeded, asked.avoid) == (("b",), ("tool_a",))

    assert road.take(another(asked, "other")) == ["other"]
    assert road.calls["other"].call_id == call_id(TRACE, "a", 1)
    assert road.take(found(road.calls["other"])) == ["tool_c"]
    road.take(found(road.calls["tool_c"]))

    answer = road.answer
    assert (answer.status, answer.replans) == (Status.DEGRADED, 1)
    assert "so other stood in for it" in answer.text
    assert answer.replan_records[0].trigger == "timeout"
    assert [result.attempt for result in answer.results] == [1, 0, 0]


def test_a_replan_that_changes_nothing_ends_the_question(road: Road) -> None:
    """There was no other way: the answer comes at once and no further plan is asked for."""
    road.take(plan(step("a"), max_replans=3))
    road.take(fails(road.calls["tool_a"]))

    road.take(another(road.asked[0], None))

    assert len(road.asked) == 1
    assert road.answer.status is Status.FAILED
    assert road.answer.replans == 1


def test_at_most_three_replans(road: Road) -> None:
    """Whatever a plan says it may be asked."""
    road.take(plan(step("a"), max_replans=9))
    road.take(fails(road.calls["tool_a"]))
    for n in range(3):
        road.take(another(road.asked[n], f"other{n}"))
        road.take(fails(road.calls[f"other{n}"]))

    assert len(road.asked) == 3
    assert road.asked[2].avoid == ("tool_a", "other0", "other1")
    assert road.answer.status is Status.FAILED


@pytest.mark.parametrize(
    ("code", "trigger"),
    [
        (ErrorCode.UPSTREAM_UNAVAILABLE, "error"),
        (ErrorCode.TOOL_TIMEOUT, "timeout"),
        (ErrorCode.POLICY_DENY, "policy_violation"),
        (ErrorCode.RATE_LIMITED, "policy_violation"),
        (ErrorCode.SQL_BLOCKED, "policy_violation"),
        (ErrorCode.INVALID_PARAMS, None),
        (ErrorCode.TENANT_MISMATCH, None),
    ],
)
def test_what_a_step_failed_of_decides_whether_and_why(
    road: Road, code: ErrorCode, trigger: str | None
) -> None:
    """Error, timeout and policy violation are triggers."""
    road.take(plan(step("a"), max_replans=1))
    road.take(fails(road.calls["tool_a"], code))

    assert [asked.trigger for asked in road.asked] == ([trigger] if trigger else [])
    assert bool(road.answers) == (trigger is None)


def test_no_replan_without_time_left(road: Road) -> None:
    """Another plan could not run anything."""
    road.take(plan(step("a"), max_replans=3))
    road.take(fails(road.calls["tool_a"]), ASKED_AT + 59.95)

    assert not road.asked
    assert road.answer


def test_the_deadline_ends_a_trace_whose_replan_never_comes(road: Road) -> None:
    """And what comes after it changes nothing."""
    road.take(plan(step("a"), step("b"), max_replans=1))
    road.take(found(road.calls["tool_b"]))
    road.take(fails(road.calls["tool_a"]))
    asked = road.asked[0]

    road.take(deadline(ASKED_AT + 60), ASKED_AT + 60.1)
    assert road.take(another(asked, "other")) == []

    assert road.answer.status is Status.PARTIAL_SUCCESS


def test_a_replan_lost_in_a_crash_is_asked_for_again_and_a_late_plan_changes_nothing(road: Road) -> None:
    """The event that released the request, read again, gives it out again, the same; older plans are ignored."""
    first = plan(step("a"), max_replans=2)
    road.take(first)
    failure = fails(road.calls["tool_a"])
    road.take(failure, NOW)
    road.take(failure, NOW + 5)
    assert road.asked[0] == road.asked[1]

    second = another(road.asked[0], "other")
    assert road.take(second) == ["other"]
    assert road.take(first) == []
    assert road.take(failure) == []
    assert road.take(second) == ["other"]
    road.take(found(road.calls["other"]))

    assert road.answer.status is Status.DEGRADED
    assert len(road.asked) == 2


# Phases


def test_the_execution_phase_ends_before_the_whole_deadline(road: Road) -> None:
    """60 s from the plan: what has not come is a timeout that names phase, elapsed and limit."""
    road.take(plan(step("a")))
    assert road.state is not None
    assert road.state.deadline_at == ASKED_AT + 60

    road.take(deadline(ASKED_AT + 60), ASKED_AT + 60.2)

    error = road.answer.error
    assert error is not None
    assert error.code is ErrorCode.EXECUTE_TIMEOUT
    assert error.details == {"phase": "execution", "elapsed_ms": 60_200.0, "timeout_ms": 60_000.0}


# Composers

COMPOSER = Step(step_id="text", tool_id="writer", tool_type="llm", kind="llm", params={"style": "short"})


def test_a_composer_is_asked_last_and_held_to_the_figures(road: Road) -> None:
    """It gets question and outputs; sentences with figures that nobody found are left out, and that is said."""
    road.take(plan(step("a"), composer=COMPOSER))
    assert road.take(found(road.calls["tool_a"], ["disk", 42])) == ["writer"]
    call = road.calls["writer"]
    assert (call.params["question"], call.params["style"]) == ("what?", "short")
    assert call.params["outputs"][0]["rows"] == [{"c0": "disk", "c1": 42}]
    assert call.deadline_at == NOW + 20

    road.take(found(call, text="The disk is 42 percent full. It will be full in 93 days."))

    assert "The disk is 42 percent [1] full." in road.answer.text
    assert "93" not in road.answer.text
    assert "one sentence with figures that no tool found" in road.answer.text
    assert road.answer.status is Status.SUCCESS


def test_a_composer_that_is_late_costs_its_budget_and_nothing_else(road: Road) -> None:
    """The deterministic text comes, and COMPOSE_TIMEOUT names its phase."""
    road.take(plan(step("a"), composer=COMPOSER))
    road.take(found(road.calls["tool_a"]))
    assert road.state is not None
    assert road.state.deadline_at == NOW + 20

    road.take(deadline(NOW + 20, "compose"), NOW + 20.5)

    answer = road.answer
    assert answer.status is Status.SUCCESS
    assert "no summary in time" in answer.text
    last = answer.results[-1]
    assert last.error_details is not None
    assert (last.tool_id, last.error_code) == ("writer", ErrorCode.COMPOSE_TIMEOUT)
    assert last.error_details.details == {"phase": "compose", "elapsed_ms": 20_500.0, "timeout_ms": 20_000.0}


def test_a_composer_runs_on_what_the_execution_deadline_left(road: Road) -> None:
    """The cut step's late result does not change what the text is written of."""
    road.take(plan(step("a"), step("b"), composer=COMPOSER))
    road.take(found(road.calls["tool_a"]))
    assert road.take(deadline(ASKED_AT + 60), ASKED_AT + 60.1) == ["writer"]
    assert road.take(found(road.calls["tool_b"]), ASKED_AT + 61) == []
    assert road.take(deadline(ASKED_AT + 60), ASKED_AT + 61) == ["writer"]

    road.take(fails(road.calls["writer"]), ASKED_AT + 62)

    told = {result.step_id: result.status for result in road.answer.results}
    assert told == {"a": "success", "b": "timeout", "text": "error"}
