"""Judging an answer: plan, parameters, and figures that carry a reference."""

from __future__ import annotations

import dataclasses
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from regression.evaluation.cases import Case
from regression.evaluation.holdings import holdings_of
from regression.evaluation.judging import fits, judge, unanswered
from regression.evaluation.report import Report
from regression.evaluation.truths import Truths
from schemas.answers import (
    AnswerComposed,
    Block,
    BlockKind,
    BudgetSummary,
    Reference,
    Status,
    ToolResult,
)
from schemas.calls import Column, Shape, ToolOutput, Unit
from schemas.plans import PlanKind, PlanMade, Step

MOMENT = datetime(2026, 11, 21, tzinfo=UTC)


def answer(
    rows: Sequence[Sequence[Any]] = ((42,),),
    *,
    columns: tuple[Column, ...] = (Column(name="n", unit=Unit.NUMBER),),
    text: str = "There are 42 [1] of them.",
    kind: PlanKind = PlanKind.PLAN,
    referenced: bool = True,
    tools: tuple[str, ...] = ("plant.table",),
    facts: dict[str, Any] | None = None,
) -> AnswerComposed:
    references = tuple(
        Reference(
            reference_id=str(number), step_id=f"s{number}", call_id=f"c{number}", tool_id=tool, source="plant.db",
            query="q", row_count=len(rows), read_at=MOMENT,
        )
        for number, tool in enumerate(tools, start=1)
    )  # fmt: skip
    return AnswerComposed(
        answer_id="a", trace_id="t", question_id="q", tenant_id="acme", user_id="u", question="?", mode="all",
        status=Status.SUCCESS, plan_kind=kind, text=text,
        results=tuple(
            ToolResult(
                step_id=f"s{number}", tool_id=tool, call_id=f"c{number}", success=True, status="success",
                duration_ms=1.0,
            )
            for number, tool in enumerate(tools, start=1)
        ),
        main_result=ToolOutput(
            shape=Shape.TABLE, columns=columns, rows=[list(row) for row in rows], facts=facts or {}, source="plant.db"
        ),
        budget=BudgetSummary(total_ms=1, elapsed_ms=1, remaining_ms=0, exhausted=False),
        blocks=(
            Block(
                kind=BlockKind.TABLE, columns=columns, rows=tuple(tuple(row) for row in rows),
                references=("1",) if referenced else (),
            ),
        ),
        references=references if referenced else (),
        asked_at=MOMENT, answered_at=MOMENT,
    )  # fmt: skip


def case(**expect: Any) -> Case:
    return Case.model_validate({"id": "x", "tenant": "acme", "question": "?", "expect": expect})


def plan(**params: Any) -> PlanMade:
    step = Step(step_id="s1", tool_id="plant.table", tool_type="dynamic", kind="sql", params=params)
    return PlanMade(
        trace_id="t", tenant_id="acme", question_id="q", user_id="u", roles=(), question="?", mode="all",
        kind=PlanKind.PLAN, asked_at=0.0, planned_at=0.0, deadline_at=1.0, steps=(step,),
    )  # fmt: skip


@pytest.fixture
def truths(tmp_path: Path) -> Truths:
    path = tmp_path / "plant.db"
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE tickets (tenant_id TEXT, status TEXT)")
        db.executemany("INSERT INTO tickets VALUES (?, 'open')", [("acme",)] * 42 + [("globex",)] * 7)
    db.close()
    return Truths(path)


@pytest.mark.parametrize(
    ("expected", "tolerance", "held"),
    [
        (42, 0, True), (42.0, 0, True), (43, 0, False), (43, 1, True), (41.5, 0.4, False), ("42", 0, True),
        ("of them", 0, True), ("nobody", 0, False),
    ],
)  # fmt: skip
def test_values_are_held_within_their_tolerance(expected: Any, tolerance: float, held: bool) -> None:
    """Numbers by their size, texts as a part of a cell or sentence."""
    assert holdings_of(answer()).holds(expected, tolerance) is held


def test_what_carries_no_reference_is_not_held() -> None:
    """Neither a row nor a sentence without a mark."""
    assert not holdings_of(answer(referenced=False)).holds(42)
    assert not holdings_of(answer(rows=(), text="Surely 42 of them.")).holds(42)


def test_figures_are_read_out_of_sentences() -> None:
    """With thousands' commas; the mark itself is no figure."""
    held = holdings_of(answer(rows=(), text="Revenue was 1,234.5 [1] EUR, 3 % less."))
    assert held.holds(1234.5)
    assert held.holds(3)
    assert not held.holds(1)


@pytest.mark.parametrize("cell", ["2026-11-20 14:05:00", "2026-11-20T14:05:00Z", "2026-11-20T14:05:00+00:00"])
def test_moments_are_the_same_in_every_spelling(cell: str) -> None:
    """As text, or as Unix seconds in a column of moments."""
    named = (Column(name="at", unit=Unit.TEXT),)
    assert holdings_of(answer(rows=((cell,),), columns=named, text="")).holds("2026-11-20 14:05:00")
    timed = (Column(name="at", unit=Unit.TIMESTAMP),)
    at = datetime(2026, 11, 20, 14, 5, tzinfo=UTC).timestamp()
    assert holdings_of(answer(rows=((at,),), columns=timed, text="")).holds("2026-11-20 14:05:00")


def test_nothing_found_holds_a_count_of_nothing() -> None:
    """Nothing else."""
    held = holdings_of(answer(rows=(), text="Nothing was found."))
    assert held.holds(0)
    assert not held.holds(1)


def test_the_truth_comes_from_the_plant(truths: Truths) -> None:
    """All scalars of all rows have to be there; `:tenant` is the case's."""
    sql = "SELECT count(*) FROM tickets WHERE tenant_id = :tenant"
    right = judge(case(tools=["plant.table"], values=[{"sql": sql}]), answer(), (), truths)
    assert (right.plan, right.figures) == (True, True)
    both = "SELECT count(*) FROM tickets GROUP BY tenant_id"
    wrong = judge(case(values=[{"sql": both}]), answer(), (), truths)
    assert (wrong.plan, wrong.figures) == (True, False)
    assert wrong.misses[0].expected == "7"


def test_sql_that_cannot_be_run_is_a_miss_that_says_so(truths: Truths) -> None:
    """It is the case that is wrong, and it is not passed over."""
    verdict = judge(case(values=[{"sql": "SELECT nonsense"}]), answer(), (), truths)
    assert verdict.figures is False
    assert verdict.misses[0].what == "truth"


def test_no_truth_at_all_wants_an_answer_that_found_nothing(truths: Truths) -> None:
    """An empty list is right only if the answer's is empty as well."""
    expected = case(values=[{"sql": "SELECT status FROM tickets WHERE status = 'lost'"}])
    assert judge(expected, answer(rows=(), text="Nothing was found."), (), truths).figures is True
    assert judge(expected, answer(), (), truths).figures is False


@pytest.mark.parametrize(
    ("expect", "kind", "right"),
    [
        ({"reject": True}, PlanKind.REJECT, True),
        ({"reject": True}, PlanKind.PLAN, False),
        ({"tools": ["plant.table"]}, PlanKind.REJECT, False),
        ({"tools": ["plant.table"]}, PlanKind.PLAN, True),
        ({"tools": ["plant.table", "plant.graph"]}, PlanKind.PLAN, False),
        ({}, PlanKind.REJECT, False),
        ({}, PlanKind.DIRECT, True),
    ],
)
def test_a_plan_calls_the_tools_named_or_rejects(
    expect: dict[str, Any], kind: PlanKind, right: bool, truths: Truths
) -> None:
    """Others may be called beside."""
    assert judge(case(**expect), answer(kind=kind), (), truths).plan is right


@pytest.mark.parametrize(
    ("wanted", "right"),
    [
        ({"table": "tickets"}, True),
        ({"table": "TICKETS", "status": "open"}, True),
        ({"queue": ["payments"]}, True),
        ({"service": "checkout"}, True),
        ({"status": "closed"}, False),
        ({"limit": 5}, False),
    ],
)
def test_parameters_are_found_where_a_call_carries_them(
    wanted: dict[str, Any], right: bool, truths: Truths
) -> None:
    """By name, among a template's arguments, or as a filter on a field of that name."""
    made = plan(
        table="tickets",
        args={"service": "checkout"},
        filters=[
            {"field": "status", "op": "eq", "value": "open"},
            {"field": "queue", "op": "in", "value": ["payments"]},
        ],
    )
    assert judge(case(params={"plant.table": wanted}), answer(), (made,), truths).plan is right


def test_parameters_without_a_plan_to_look_at_are_a_miss(truths: Truths) -> None:
    """What cannot be compared is not right."""
    assert judge(case(params={"plant.table": {"table": "tickets"}}), answer(), (), truths).plan is False


def test_objects_fit_by_the_fields_they_name() -> None:
    """Lists in any order."""
    came = {
        "table": "t",
        "filters": [{"field": "a", "op": "eq", "value": 1}, {"field": "b", "op": "gt", "value": 2}],
    }
    assert fits({"filters": [{"field": "b"}, {"value": 1.0}]}, came)
    assert not fits({"filters": [{"field": "c"}]}, came)


def test_shares_count_questions(truths: Truths) -> None:
    """Figures only where some are expected; a goal has to be reached by both shares."""
    sql = "SELECT count(*) FROM tickets WHERE tenant_id = :tenant"
    verdicts = (
        judge(case(values=[{"sql": sql}]), answer(), (), truths),
        judge(case(values=[{"value": 5}]), answer(), (), truths),
        judge(case(tools=["plant.table"]), answer(), (), truths),
        unanswered(case(tools=["plant.table"]), "no answer in time"),
    )
    report = Report(verdicts)
    assert (report.plans.right, report.plans.of) == (3, 4)
    assert (report.figures.right, report.figures.of) == (1, 2)
    assert report.reaches(0.5)
    assert not report.reaches(0.6)
    said = report.as_json()
    assert [len(said["misses"]), said["right"]["right"]] == [2, 2]
    assert any("no answer in time" in line for line in report.lines())
    assert dataclasses.asdict(report.plans) == {"right": 3, "of": 4}
