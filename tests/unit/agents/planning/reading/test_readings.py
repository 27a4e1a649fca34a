"""Questions nobody wrote down, and the queries they are read as: many wordings of each, English and Korean."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.packs import load_pack
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolOutput, ToolSucceeded
from schemas.plans import PlanKind, PlanMade
from schemas.questions import Mode, QuestionAsked, User
from tests.support.works_store import NOW, make_works, names_of

PACK = Path(__file__).parents[4] / "packs" / "works"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_works(tmp_path_factory.mktemp("works")).parent


@pytest.fixture(scope="module")
def registry(folder: Path) -> Registry:
    return Registry.of(load_pack(PACK, {"data": str(folder)}))


@pytest.fixture(scope="module")
def planning(registry: Registry) -> Planning:
    return Planning(registry, [RulesPlanner()], known_values=names_of)


def decided(planning: Planning, text: str, **fields: Any) -> PlanMade:
    question = QuestionAsked(
        schema_version=1,
        question_id="q",
        tenant_id=fields.pop("tenant_id", "acme"),
        user=User(id="u", roles=("viewer",)),
        question=text,
        created_at=datetime.fromtimestamp(NOW, UTC),
        mode=Mode(fields.pop("mode", "all")),
        **fields,
    )
    plan = planning.decide(question, trace_id="t", now=NOW)
    assert isinstance(plan, PlanMade)
    return plan


def outputs(registry: Registry, plan: PlanMade) -> list[ToolOutput]:
    """What the plan's calls find on the guarded path."""

    async def run() -> list[ToolOutput]:
        execution = Execution(registry, build_tools(registry, clock=lambda: NOW), lambda: NOW)
        found = []
        for step in plan.steps:
            called = ToolCalled(
                trace_id="t",
                tenant_id=plan.tenant_id,
                user_id="u",
                roles=("viewer",),
                call_id=f"c-{step.step_id}",
                step_id=step.step_id,
                tool_id=step.tool_id,
                tool_type=step.tool_type,
                kind=step.kind,
                params=step.params,
                timeout_s=10,
                deadline_at=NOW + 60,
                called_at=NOW,
            )
            result = await execution.run(called)
            assert isinstance(result, ToolSucceeded), result
            found.append(result.output)
        await execution.close()
        return found

    return asyncio.run(run())


COUNTS = {
    "how many outages did we have yesterday": 1,
    "number of incidents on checkout this week": 2,
    "count the sev1 outages of this month": 2,
    "how many critical incidents were there in November?": 2,
    "how many incidents are still open": 1,
    "how many outages have not been closed": 1,
    "outages that are ongoing, how many?": 1,
    "how many incidents did kim lead": 2,
    "how many outages without a commander": 1,
    "how many incidents were closed yesterday?": 1,
    "sev2 or worse outages, how many": 3,
    "how many incidents lasted more than an hour": 2,
    "outages longer than 100 minutes, how many": 1,
    "how many db machines do we have": 2,
    "how many servers in us-east?": 2,
    "number of hosts with more than 8 cores": 1,
    "how many machines have at least 64 GB of memory": 2,
    "how many hosts were not seen in the last 24 hours?": 1,
    "how many alarms are firing on db hosts": 1,
    "how many different services had incidents": 2,
    "how many orders over 200 EUR": 2,
    "how many sales were cancelled yesterday": 1,
    "어제 장애 몇 건이야?": 1,
    "이번 달 sev1 장애 건수": 2,
    "미해결 장애는 몇 건인가요": 1,
    "체크아웃이 아니라 payments 장애 건수": 2,
    "데이터베이스 서버는 몇 대야?": 2,
    "유럽 리전 장비 수": 1,
    "발생 중인 경보 몇 개?": 2,
}


@pytest.mark.parametrize(("question", "wanted"), COUNTS.items())
def test_what_is_counted_is_counted_right(
    planning: Planning, registry: Registry, question: str, wanted: int
) -> None:
    """The figure, not the query, is what people see."""
    plan = decided(planning, question)

    assert plan.kind is PlanKind.PLAN, (plan.text, plan.reasons)
    (output,) = outputs(registry, plan)
    found = output.rows[0][0] if "aggregates" in plan.steps[0].params else output.facts["total"]
    assert found == wanted, plan.steps[0].params


FIGURES = {
    "average duration of outages on checkout": 90.0,
    "mttr of sev1 incidents": 60.0,
    "what was the longest outage": 240.0,
    "how long did the last sev1 incident take?": 90.0,
    "total memory of db hosts": 192,
    "revenue in EUR yesterday": 350.5,
    "how much revenue did we make in euros yesterday": 350.5,
    "어제 유로 매출": 350.5,
    "average latency of checkout this week": 200.0,
    "지난 7일 checkout 평균 지연": 200.0,
    "highest latency of checkout this week": 300.0,
    "what percentage of sales was cancelled": 25.0,
    "cancelled sales as a share of all": 25.0,
    "median amount of orders in EUR": 250.5,
}


@pytest.mark.parametrize(("question", "wanted"), FIGURES.items())
def test_figures_are_right(planning: Planning, registry: Registry, question: str, wanted: float) -> None:
    """Averages, sums, extremes and shares, over rows that are the asker's alone."""
    plan = decided(planning, question)

    assert plan.kind is PlanKind.PLAN, (plan.text, plan.reasons)
    (output,) = outputs(registry, plan)
    assert any(
        value == pytest.approx(wanted) for value in output.rows[0] if isinstance(value, int | float)
    ), (
        plan.steps[0].params,
        output.rows,
    )


FIRST = {
    "which service had the most outages?": "checkout",
    "top service by number of sev1 incidents this week": "checkout",
    "which commander led the most incidents": "kim",
    "who was commander of the latest outage on payments": "kim",
    "what was the root cause of the last checkout incident that is closed": "bad release",
    "which host has the most memory?": 128,
    "where is web-1?": "us-east",
    "in which region is db-2": "eu-central",
    "how many cores does db-2 have?": 16,
    "when was db-1 last seen": "2026-11-18 10:00:00",
    "latest incident": 1,
    "oldest outage": 4,
    "outage 3": 3,
    "which customer ordered the most?": "C-1",
    "most expensive order": 500.0,
    "number of machines per region": "us-east",
    "리전별 서버 수": "us-east",
    "장애가 가장 많은 서비스는?": "checkout",
    "가장 최근 장애": 1,
    "메모리가 가장 많은 서버는?": 128,
    "which service had the highest latency yesterday": "checkout",
    "which alarms fire on eu-central machines?": None,
}


@pytest.mark.parametrize(("question", "wanted"), FIRST.items())
def test_the_first_row_is_the_one_that_was_asked_for(
    planning: Planning, registry: Registry, question: str, wanted: Any
) -> None:
    """Rankings, the latest, rows called by name or number, and nothing where there is nothing."""
    plan = decided(planning, question)

    assert plan.kind is PlanKind.PLAN, (plan.text, plan.reasons)
    (output,) = outputs(registry, plan)
    assert (output.rows[0][0] if output.rows else None) == wanted, (plan.steps[0].params, output.rows)


@pytest.mark.parametrize(
    "question",
    [
        "outages of foobar last week",
        "how many incidents did zebulon lead",
        "alarms on db-77",
        "incidents by mood",
    ],
)
def test_a_name_that_nobody_knows_is_no_guess(planning: Planning, question: str) -> None:
    """The rejection says what is not known and what could be asked instead."""
    plan = decided(planning, question)

    assert plan.kind is PlanKind.REJECT, plan.steps
    assert plan.suggestions


@pytest.mark.parametrize(
    "question", ["delete all outages", "restart checkout", "close outage 3", "장애 삭제해줘"]
)
def test_orders_are_refused(planning: Planning, question: str) -> None:
    """opsloom looks things up and changes nothing."""
    plan = decided(planning, question)

    assert plan.kind is PlanKind.REJECT
    english = question.isascii()
    assert plan.text == (
        "I can look things up, but I change nothing."
        if english
        else "조회는 할 수 있지만 아무것도 변경하지 않습니다."
    )


def test_another_tenants_names_mean_nothing_here(planning: Planning) -> None:
    """db-9 is globex's machine."""
    assert decided(planning, "where is db-9?", tenant_id="globex").kind is PlanKind.PLAN
    assert decided(planning, "where is db-9?").kind is PlanKind.REJECT


def test_two_periods_are_compared(planning: Planning, registry: Registry) -> None:
    """One call, both figures, the change between them."""
    plan = decided(planning, "compare incidents this week with last week")

    (output,) = outputs(registry, plan)
    assert [column.name for column in output.columns] == ["first", "second", "change", "change_percent"]
    assert output.rows == [[2, 1, 1, 100.0]]


def test_last_week_is_told_both_ways(planning: Planning, registry: Registry) -> None:
    """The calendar's week first, then the seven days up to now, because people mean either."""
    plan = decided(planning, "how many incidents last week")

    (output,) = outputs(registry, plan)
    assert output.rows == [[1, 2]]
    assert any("past 7 days" in reason for reason in plan.reasons)


def test_a_time_told_by_an_event_is_a_plan_of_two_steps(planning: Planning) -> None:
    """The second step takes its time from the first's row."""
    plan = decided(planning, "alarms since the last outage of payments")

    first, second = plan.steps
    assert first.params["table"] == "outages"
    assert second.depends_on == ("s1",)
    assert second.params["filters"][-1]["value"] == {"$from": "s1", "path": 'rows[0]."opened_at"'}


def test_two_asks_are_two_steps(planning: Planning, registry: Registry) -> None:
    """A period that is said once holds for both."""
    plan = decided(planning, "how many incidents and how many sales were there yesterday?")

    assert [output.rows[0][0] for output in outputs(registry, plan)] == [1, 4]


def test_slips_of_the_keyboard_are_read_and_said(planning: Planning) -> None:
    """No silent guess."""
    plan = decided(planning, "how many incidnts on chekout yesterday")

    assert plan.kind is PlanKind.PLAN
    assert "read 'chekout' as 'checkout'" in plan.reasons


def test_a_day_is_the_askers(planning: Planning) -> None:
    """In Seoul yesterday began nine hours earlier."""
    plan = decided(planning, "how many incidents yesterday", context={"time_zone": "Asia/Seoul"})

    times = [each["value"] for each in plan.steps[0].params["filters"] if each["field"] == "opened_at"]
    assert times == ["2026-11-16 15:00:00", "2026-11-17 15:00:00"]


def test_a_mode_narrows_what_may_be_asked(planning: Planning) -> None:
    """Tables are no documents."""
    assert decided(planning, "how many incidents yesterday", mode="document").kind is PlanKind.REJECT
    assert decided(planning, "how many incidents yesterday", mode="history").kind is PlanKind.PLAN


def test_the_plan_says_how_it_read_the_question(planning: Planning) -> None:
    """Words, dataset, period; and the dataset's version is among what shaped the plan."""
    plan = decided(planning, "how many incidents yesterday")

    assert plan.reasons[0].startswith("read 'how', 'incidents', 'yesterday' with the dataset works.outages")
    assert ("works.outages", "dataset", 1) in {(a.asset_id, a.kind, a.version) for a in plan.applied_assets}
