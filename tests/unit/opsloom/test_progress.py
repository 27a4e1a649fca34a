"""What is told of a trace: each thing once, in an order that makes sense, whatever comes first."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from opsloom.progress import Progress
from opsloom.watching import TRACE
from schemas.answers import AnswerComposed, BudgetSummary, Status, ToolResult
from schemas.calls import Shape, ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, ops_error
from schemas.events import Event
from schemas.ids import call_id
from schemas.plans import PlanKind, PlanMade, Step
from streams.codecs import Codec
from streams.schema_ids import FileIds

T = "ab" * 16
NOW = 1_800_000_000.0
MOMENT = datetime(2027, 1, 15, 8, tzinfo=UTC)


def step(name: str) -> Step:
    return Step(step_id=name, tool_id=f"tool-{name}", tool_type="probe", kind="sql")


PLAN = PlanMade(
    trace_id=T, tenant_id="acme", question_id="q", user_id="u", roles=(), question="?", mode="all",
    kind=PlanKind.PLAN, asked_at=NOW, planned_at=NOW, deadline_at=NOW + 9, steps=(step("a"), step("b")),
)  # fmt: skip


def called(name: str) -> ToolCalled:
    return ToolCalled(
        trace_id=T, tenant_id="acme", user_id="u", roles=(), call_id=call_id(T, name, 0), step_id=name,
        tool_id=f"tool-{name}", tool_type="probe", kind="sql", params={}, timeout_s=1, deadline_at=NOW + 9,
        called_at=NOW,
    )  # fmt: skip


def succeeded(name: str) -> ToolSucceeded:
    return ToolSucceeded(
        trace_id=T, tenant_id="acme", call_id=call_id(T, name, 0), step_id=name, tool_id=f"tool-{name}",
        tool_type="probe", group=0, started_at=NOW, ended_at=NOW + 0.5, output=ToolOutput(shape=Shape.FACTS),
    )  # fmt: skip


def failed(name: str, code: ErrorCode) -> ToolFailed:
    return ToolFailed(
        trace_id=T, tenant_id="acme", call_id=call_id(T, name, 0), step_id=name, tool_id=f"tool-{name}",
        tool_type="probe", group=0, started_at=NOW, ended_at=NOW + 0.5, error=ops_error(code, detail="secret"),
    )  # fmt: skip


def answer(*results: ToolResult, **more: Any) -> AnswerComposed:
    fields: dict[str, Any] = {
        "answer_id": "x", "trace_id": T, "question_id": "q", "tenant_id": "acme", "user_id": "u", "question": "?",
        "mode": "all", "status": Status.SUCCESS, "plan_kind": PlanKind.PLAN, "text": "", "results": results,
        "budget": BudgetSummary(total_ms=1, elapsed_ms=1, remaining_ms=0, exhausted=False),
        "asked_at": MOMENT, "answered_at": MOMENT, **more,
    }  # fmt: skip
    return AnswerComposed(**fields)


def result(name: str, status: Any = "success", call: str | None = None) -> ToolResult:
    return ToolResult(
        step_id=name, tool_id=f"tool-{name}", call_id=call_id(T, name, 0) if call is None else call,
        success=status == "success", status=status, duration_ms=1.0,
    )  # fmt: skip


EVENTS: list[Event] = [
    PLAN,
    called("a"),
    called("b"),
    succeeded("a"),
    failed("b", ErrorCode.TOOL_BAD_REQUEST),
]


@pytest.mark.parametrize("seen", range(len(EVENTS) + 1))
def test_whatever_came_in_whatever_order_all_is_told_once_and_in_order(seen: int) -> None:
    """Every choice and order of events, some twice; what did not come is taken from the answer."""
    whole = answer(result("a"), result("b", "error"))
    for events in itertools.permutations(EVENTS, seen):
        progress = Progress(T)
        told = [each for event in (*events, *events[:1]) for each in progress.take(event)]
        told += progress.finish(whole)
        names = [(each.event, getattr(each, "step_id", "")) for each in told]
        assert len(set(names)) == len(names) == 6
        assert (names[0][0], names[-1][0]) == ("planned", "answer")
        for name in "ab":
            assert names.index(("tool_started", name)) < names.index(("tool_ended", name))


def test_skipped_steps_never_started() -> None:
    """They are told as skipped, without a call."""
    told = Progress(T).finish(answer(result("a", "skipped", call="")))
    assert [each.event for each in told] == ["planned", "tool_ended", "answer"]


@pytest.mark.parametrize(
    ("code", "status"),
    [
        (ErrorCode.DATA_NOT_FOUND, "success"),
        (ErrorCode.TOOL_TIMEOUT, "timeout"),
        (ErrorCode.SQL_BLOCKED, "error"),
    ],
)
def test_failures_are_told_as_the_answer_will_and_without_what_operators_see(
    code: ErrorCode, status: str
) -> None:
    """The public part of the error alone."""
    progress = Progress(T)
    progress.take(PLAN)
    ended = progress.take(failed("a", code))[-1]
    assert (ended.event, getattr(ended, "status", "")) == ("tool_ended", status)
    assert "secret" not in str(ended)


def test_plan_that_failed_is_not_told_as_one() -> None:
    """The answer says it."""
    error = ops_error(ErrorCode.PLAN_INVALID).public()
    assert [each.event for each in Progress(T).finish(answer(error=error))] == ["answer"]


@pytest.mark.parametrize("written", ["json", "avro"])
def test_first_id_in_a_call_is_its_trace(written: Any) -> None:
    """So that calls of others need not be decoded."""
    found = TRACE.search(Codec(FileIds.load(), written).encode(called("a")))
    assert found is not None
    assert found.group() == T.encode()
