"""Capabilities, fallbacks and other plans: which tool does the work, and which one instead."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.execution.tools.direct_query import DirectQueryParameters
from agents.execution.tools.probe import Probe
from agents.planning.planning import Planning
from agents.planning.replanner import unchanged
from agents.planning.replanning import Replanning
from agents.planning.rules import RulesPlanner
from registry.packs import load_pack
from registry.registry import Registry
from schemas.errors import ErrorCode
from schemas.health import ToolHealth
from schemas.plans import (
    PlanFailed,
    PlanMade,
    ProducerPlan,
    ProducerStep,
    ReplanRequested,
    StepFailure,
    Strategy,
)
from schemas.questions import QuestionAsked, QuestionOptions, User

NOW = 1_795_000_000.0
PACK = Path(__file__).parents[3] / "packs" / "probe"


class Queries:
    """What planning knows of direct_query."""

    parameters = DirectQueryParameters
    statement_field = "sql"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.of(load_pack(PACK, {"data": "/nowhere"}))


def planning_of(registry: Registry, **more: Any) -> Planning:
    adapters = {"probe": Probe(), "direct_query": Queries()}
    return Planning(registry, [RulesPlanner()], adapters=adapters, **more)


@pytest.fixture(scope="module")
def planning(registry: Registry) -> Planning:
    return planning_of(registry)


def step(step_id: str, tool_id: str | None = "probe", *after: str, **fields: Any) -> ProducerStep:
    return ProducerStep(step_id=step_id, tool_id=tool_id, depends_on=after, **fields)


def decided(
    planning: Planning, *steps: ProducerStep, strategy: Strategy | None = None, **options: Any
) -> PlanMade | PlanFailed:
    question = QuestionAsked(
        schema_version=1,
        question_id="q",
        tenant_id="acme",
        user=User(id="u", roles=("viewer",)),
        question="x",
        created_at=datetime.fromtimestamp(NOW, UTC),
        options=QuestionOptions(**options),
        plan=ProducerPlan(steps=steps, strategy=strategy),
    )
    return planning.decide(question, trace_id="t", now=NOW)


def made(planning: Planning, *steps: ProducerStep, **more: Any) -> PlanMade:
    plan = decided(planning, *steps, **more)
    assert isinstance(plan, PlanMade), plan
    return plan


def refused(planning: Planning, *steps: ProducerStep, **more: Any) -> str:
    plan = decided(planning, *steps, **more)
    assert isinstance(plan, PlanFailed)
    assert plan.error.code is ErrorCode.PLAN_INVALID
    return plan.error.message


def test_a_capability_becomes_the_best_tool_and_says_why(planning: Planning, registry: Registry) -> None:
    """By expected time as declared; by what was observed and the breaker once something is known."""
    plan = made(planning, step("a", None, capability="append_only"))
    assert (plan.steps[0].tool_id, plan.steps[0].capability) == ("probe_left", "append_only")
    assert "probe_left for append_only" in plan.reasons[-1]
    assert plan.max_replans == 3

    def health(tool_id: str) -> ToolHealth | None:
        return (
            ToolHealth(tool_id=tool_id, breaker="open", at=NOW, worker="w")
            if tool_id == "probe_left"
            else None
        )

    resting = made(planning_of(registry, health=health), step("a", None, capability="append_only"))
    assert resting.steps[0].tool_id == "probe_right"


def test_the_questions_own_tools_bound_a_capability(planning: Planning) -> None:
    """`options.tools` holds for what the registry chooses too."""
    plan = made(planning, step("a", None, capability="append_only"), tools=("probe_right",))
    assert (plan.steps[0].tool_id, plan.max_replans) == ("probe_right", 0)
    assert "'a' asks for a capability" in refused(
        planning, step("a", None, capability="append_only"), tools=("probe",)
    )


def test_references_add_dependencies_and_modes_are_resolved(planning: Planning) -> None:
    """Depth and cycles count them; serial tools are marked; the strategy may be asked for."""
    plan = made(
        planning,
        step("a"),
        step("b", "probe_serial", params={"value": {"$from": "a", "path": "facts.value"}}),
    )
    assert (plan.steps[1].depends_on, plan.steps[1].serial) == (("a",), True)
    assert made(planning, step("a"), step("b"), strategy=Strategy.SERIAL).strategy is Strategy.SERIAL


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (step("bad", "probe", params={"sleep_s": -1}), "sleep_s"),
        (step("bad", "probe", params={"nothing": 1}), "nothing"),
        (step("bad", "things", params={"args": {}}), "sql"),
        (step("bad", "probe", params={"value": {"$from": "ok"}}), "has other parts than $from and path"),
        (step("bad", "probe", params={"value": {"$from": "bad", "path": "x"}}), "bad → bad"),
        (step("bad", "probe", fallback="nowhere"), "names a fallback"),
        (step("bad", "probe", fallback="probe"), "names a fallback"),
        (step("bad", "probe", fallback="things"), "by its fallback"),
        (step("bad", "probe", capability="probe"), "a tool or a capability, and not both"),
    ],
)
def test_what_cannot_work_is_refused_with_its_step(planning: Planning, bad: ProducerStep, said: str) -> None:
    """Before anything runs."""
    message = refused(planning, step("ok"), bad)
    assert said in message
    assert "bad" in message


def test_literal_parameters_are_judged_beside_references(planning: Planning) -> None:
    """What is not there yet is the executor's to judge; what is there is judged now."""
    params = {"sleep_s": {"$from": "a", "path": "facts.value"}, "rows": "many"}
    assert "rows" in refused(planning, step("a"), step("b", params=params))
    assert made(planning, step("a"), step("b", params={**params, "rows": 1}))


def test_a_fallback_is_given_what_a_template_says(planning: Planning) -> None:
    """A template belongs to one tool; another of the same type gets its statement and arguments."""
    by_template = {"template": "things_by_kind", "args": {}}
    plan = made(planning, step("a", "things", params=by_template, fallback="statements_without_a_guard"))

    fallback = plan.steps[0].fallback
    assert fallback is not None
    assert fallback.params["sql"].startswith("SELECT kind")
    assert fallback.params["args"] == {}


def request(plan: PlanMade, *tool_ids: str, code: ErrorCode = ErrorCode.TOOL_TIMEOUT) -> ReplanRequested:
    failure = StepFailure(step_id=plan.steps[0].step_id, tool_ids=tool_ids, code=code)
    return ReplanRequested(
        trace_id=plan.trace_id,
        tenant_id=plan.tenant_id,
        attempt=plan.attempt + 1,
        trigger="timeout",
        severity="high",
        reason="it failed",
        requested_at=NOW + 1,
        plan=plan,
        failures=(failure,),
        avoid=tool_ids,
    )


@pytest.fixture
def replanning(registry: Registry, planning: Planning) -> Replanning:
    return Replanning(registry, planning.resolution)


def test_another_tool_of_the_capability_is_asked_instead(planning: Planning, replanning: Replanning) -> None:
    """Only the failed step changes; budgets count from the first plan; patch and record tell what and why."""
    plan = made(
        planning, step("a", None, capability="append_only", params={"value": 1}), step("b", "probe", "a")
    )

    again = replanning.decide(request(plan, "probe_left"), NOW + 2)

    assert [(each.tool_id, each.attempt) for each in again.steps] == [("probe_right", 1), ("probe", 0)]
    assert (again.steps[0].kind, again.steps[0].params) == ("document", {"value": 1})
    assert (again.attempt, again.planned_at, again.deadline_at) == (1, plan.planned_at, plan.deadline_at)
    assert again.patch is not None
    assert again.patch.replaced[0].tool_after == "probe_right"
    assert again.replan_records[0].decided_at == NOW + 2
    assert "probe_right" in {asset.asset_id for asset in again.applied_assets}


def test_a_named_tool_is_replaced_by_one_that_means_the_same(
    planning: Planning, replanning: Replanning
) -> None:
    """The same declared output; a tool that merely works alike is no alternative."""
    alike = made(planning, step("a", "probe_left"))
    assert (alike.max_replans, made(planning, step("a", "probe")).max_replans) == (3, 0)

    assert replanning.decide(request(alike, "probe_left"), NOW).steps[0].tool_id == "probe_right"


def test_where_there_is_no_other_way_the_plan_stands_and_says_so(
    planning: Planning, replanning: Replanning
) -> None:
    """The join is told at once instead of waiting for its deadline."""
    plan = made(planning, step("a", None, capability="append_only"))

    again = replanning.decide(request(plan, "probe_left", "probe_right"), NOW)

    assert (again.steps, again.attempt) == (plan.steps, 1)
    assert again.patch is not None
    assert not again.patch.changes
    assert "no other tool" in again.patch.reason
    assert unchanged(request(plan, "x"), NOW, "why").patch is not None


def test_a_replan_asks_nothing_that_the_asker_may_not_use(planning: Planning, replanning: Replanning) -> None:
    """The question's own restriction holds for it too."""
    plan = made(planning, step("a", "probe_left"), tools=("probe_left",))

    assert replanning.decide(request(plan, "probe_left"), NOW).steps == plan.steps


def test_a_plan_of_twenty_steps_is_validated_quickly(planning: Planning) -> None:
    """The goal is 1 ms at the median; here with room for a busy machine."""
    reference = {"value": {"$from": "s0", "path": "facts.value"}}
    steps = [step("s0")] + [step(f"s{n}", params=reference) for n in range(1, 20)]
    took = []
    for n in range(30):
        steps[-1] = step(f"last{n}", params=reference)
        began_at = time.process_time()
        made(planning, *steps)
        took.append(time.process_time() - began_at)

    assert sorted(took)[15] < 0.005


def test_a_tool_that_needs_another_runs_after_it(registry: Registry) -> None:
    """Where the plan has both; where what it needs is not published the step is refused."""
    needy = registry.tools["probe"].model_copy(update={"id": "needy", "depends_on": ("probe_left",)})
    lost = needy.model_copy(update={"id": "lost", "depends_on": ("nowhere",)})
    planning = planning_of(registry.register(needy).register(lost))

    plan = made(planning, step("b", "needy"), step("a", "probe_left"))

    assert plan.steps[0].depends_on == ("a",)
    assert "may not be used here" in refused(planning, step("a", "lost"))
