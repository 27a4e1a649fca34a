"""A producer's own plan: taken when it is valid, refused with the step's name when it is not."""

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.planning.validation import Asker, check_plan, depths, strategy_of
from schemas.errors import ErrorCode
from schemas.plans import MAX_DEPTH, PlanFailed, PlanKind, PlanMade, ProducerPlan, ProducerStep, Strategy

NOW = 1_795_000_000.0


def step(step_id: str, *depends_on: str, tool_id: str = "plant_query", **fields: object) -> ProducerStep:
    return ProducerStep(step_id=step_id, tool_id=tool_id, depends_on=depends_on, **fields)


def plan_of(*steps: ProducerStep) -> ProducerPlan:
    return ProducerPlan(steps=steps)


def test_a_valid_plan_is_taken_and_its_tools_are_resolved(decide) -> None:
    """Tool type, kind, time limit, fallback, render, strategy and applied assets are filled in."""
    made = decide(
        "as I said",
        max_rows=7,
        plan=plan_of(
            step("a", params={"sql": "SELECT 1", "args": {}}),
            step("b", "a", tool_id="plant_series", params={"metric": "output"}, timeout_s=5.0),
            step("c", "a", tool_id="plant_links", timeout_s=100.0),
        ),
    )

    assert isinstance(made, PlanMade)
    assert (made.kind, made.planner, made.strategy) == (PlanKind.PLAN, "producer", Strategy.DAG)
    assert (made.trace_id, made.tenant_id, made.user_id, made.max_rows) == ("t-1", "north", "u-1", 7)
    assert (made.asked_at, made.planned_at, made.deadline_at) == (NOW, NOW, NOW + 120)
    a, b, c = made.steps
    assert (a.tool_type, a.kind, a.timeout_s, a.params) == (
        "direct_query", "sql", 30.0, {"sql": "SELECT 1", "args": {}},
    )  # fmt: skip
    assert b.fallback is not None
    assert (b.timeout_s, b.fallback.tool_id, b.depends_on) == (5.0, "plant_query", ("a",))
    assert (c.timeout_s, c.render.title) == (45.0, "Plant links")
    assert {(asset.kind, asset.asset_id) for asset in made.applied_assets} == {
        ("tool", "plant_query"), ("source", "plant_store"), ("policy", "policy.sql"),
        ("tool", "plant_series"), ("policy", "policy.default"),
        ("tool", "plant_links"), ("source", "plant_graph"), ("policy", "policy.graph"),
    }  # fmt: skip


def test_a_template_call_carries_the_templates_render(decide) -> None:
    """A producer may call a template by its id with arguments."""
    made = decide("x", plan=plan_of(step("a", params={"template": "worst_machines", "args": {"n": 3}})))

    assert made.steps[0].render.title == "Machines with most faults"
    assert ("template", "worst_machines") in {(asset.kind, asset.asset_id) for asset in made.applied_assets}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"template": "no_such", "args": {}}, "a template its tool does not have"),
        ({"template": "feeds", "args": {"machine": "boiler"}}, "a template its tool does not have"),
        ({"template": 5}, "a template its tool does not have"),
        ({"template": "worst_machines", "args": []}, "args that are not an object"),
        ({"template": "worst_machines", "args": {"m": 3}}, "does not declare"),
        ({"template": "worst_machines", "args": {"n": "3"}}, "is not a number"),
        ({"template": "worst_machines", "args": {"n": 3.5}}, "is not a whole number"),
        ({"template": "worst_machines", "args": {"n": True}}, "neither text nor a number"),
        ({"template": "worst_machines", "args": {"n": 51}}, "is above 50"),
        ({"template": "worst_machines", "args": {"n": 0}}, "is below 1"),
        ({"template": "machine_state"}, "lacks the argument machine"),
        ({"template": "machine_state", "args": {"machine": "x"}, "sql": "SELECT 1"}, "mixes a template"),
    ],
)
def test_a_template_call_that_does_not_fit_is_refused(decide, params: dict[str, object], said: str) -> None:
    """The step is named, and what is wrong with it."""
    failed = decide("x", plan=plan_of(step("first", params=params)))

    assert isinstance(failed, PlanFailed)
    assert failed.error.code is ErrorCode.PLAN_INVALID
    assert "Step 'first'" in failed.error.message
    assert said in failed.error.message


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([step("a"), step("a")], "Two steps are called 'a'"),
        ([step("a", "b")], "Step 'a' depends on 'b', which is not in the plan"),
        ([step("a", "c"), step("b", "a"), step("c", "b")], "a → c → b → a"),
        ([step("a", "a")], "a → a"),
        ([step(f"s{n}", *([f"s{n - 1}"] if n else [])) for n in range(MAX_DEPTH + 1)], "is 7 steps deep"),
        ([step("a", tool_id="nobody_knows")], "Step 'a'"),
        ([step("a", tool_id="draft_query")], "Step 'a'"),
        ([step("a", tool_id="south_query")], "Step 'a'"),
        ([step("a", tool_id="plant_pay")], "Step 'a'"),
    ],
)
def test_a_plan_that_does_not_hold_is_refused_naming_the_step(
    decide, steps: list[ProducerStep], said: str
) -> None:
    """PLAN_INVALID, whatever the fault."""
    failed = decide("x", plan=plan_of(*steps))

    assert isinstance(failed, PlanFailed)
    assert failed.error.code is ErrorCode.PLAN_INVALID
    assert said in failed.error.message


def test_unknown_foreign_and_forbidden_tools_read_the_same_to_the_asker(decide) -> None:
    """Nobody can find out what another tenant has; operators see the difference."""
    errors = [
        decide("x", plan=plan_of(step("a", tool_id=tool_id))).error
        for tool_id in ("nobody_knows", "south_query", "draft_query", "plant_pay")
    ]

    assert len({error.message for error in errors}) == 1
    assert len({error.detail for error in errors}) == 4


def test_the_questions_own_choice_of_tools_binds_its_plan(decide) -> None:
    """A plan may not go beyond options.tools."""
    steps = plan_of(step("a"), step("b", tool_id="plant_links"))

    assert isinstance(decide("x", plan=steps, tools=("plant_query", "plant_links")), PlanMade)
    assert isinstance(decide("x", plan=steps, tools=("plant_query",)), PlanFailed)


def test_one_plan_for_two_askers_is_checked_for_each(decide) -> None:
    """What is remembered for one tenant or role never lets another through."""
    wages, south = plan_of(step("a", tool_id="plant_pay")), plan_of(step("a", tool_id="south_query"))

    assert isinstance(decide("x", plan=wages, roles=("manager",)), PlanMade)
    assert isinstance(decide("x", plan=wages, roles=("viewer",)), PlanFailed)
    assert isinstance(decide("x", plan=south, tenant_id="south"), PlanMade)
    assert isinstance(decide("x", plan=south, tenant_id="north"), PlanFailed)
    assert isinstance(decide("x", plan=south, tenant_id="nowhere"), PlanFailed)


def test_the_deadline_is_the_earliest_of_budget_and_options(decide) -> None:
    """120 s, or less if the question asks for less; one already past fails at once."""
    steps = plan_of(step("a"))
    soon = datetime.fromtimestamp(NOW + 3, UTC)
    late = datetime.fromtimestamp(NOW + 999, UTC)

    assert decide("x", plan=steps).deadline_at == NOW + 120
    assert decide("x", plan=steps, deadline_s=10.0).deadline_at == NOW + 10
    assert decide("x", plan=steps, deadline_s=10.0, deadline=soon).deadline_at == NOW + 3
    assert decide("x", plan=steps, deadline=late).deadline_at == NOW + 120
    past = decide("which machines are stopped?", deadline=datetime.fromtimestamp(NOW, UTC))
    assert isinstance(past, PlanFailed)
    assert past.error.code is ErrorCode.PLAN_TIMEOUT


def _dag(edges: list[tuple[int, int]], count: int) -> list[ProducerStep]:
    """Steps whose edges all point backwards, so that no cycle can be."""
    parents: dict[int, set[int]] = {n: set() for n in range(count)}
    for child, parent in edges:
        low, high = sorted((child % count, parent % count))
        if low != high:
            parents[high].add(low)
    return [step(f"s{n}", *(f"s{each}" for each in sorted(parents[n]))) for n in range(count)]


_EDGES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30)


@given(edges=_EDGES, count=st.integers(1, 20))
def test_every_dag_is_valid_unless_it_is_too_deep(plant, edges: list[tuple[int, int]], count: int) -> None:
    """Random DAGs validate; their depth decides."""
    steps = _dag(edges, count)
    deepest = max(depths({each.step_id: each.depends_on for each in steps}).values())

    refused = check_plan(steps, plant, Asker("north", ("viewer",)))

    assert (refused is None) == (deepest <= MAX_DEPTH)
    if refused is not None:
        assert f"{deepest} steps deep" in refused.message


@given(edges=_EDGES, ring=st.lists(st.integers(0, 19), min_size=1, max_size=8, unique=True))
def test_every_cycle_is_refused_with_its_path(plant, edges: list[tuple[int, int]], ring: list[int]) -> None:
    """The path printed is a cycle of the plan: each step depends on the one after it, the last is the first."""
    parents = {each.step_id: set(each.depends_on) for each in _dag(edges, 20)}
    for at, child in enumerate(ring):
        parents[f"s{child}"].add(f"s{ring[(at + 1) % len(ring)]}")
    steps = [step(step_id, *sorted(known)) for step_id, known in parents.items()]

    refused = check_plan(steps, plant, Asker("north", ("viewer",)))

    assert refused is not None
    assert refused.code is ErrorCode.PLAN_INVALID
    path = refused.message.removeprefix("The steps wait for one another: ").removesuffix(".").split(" → ")
    assert path[0] == path[-1]
    assert len(path) >= 2
    assert all(parent in parents[child] for child, parent in pairwise(path))


def test_strategies_tell_how_steps_wait() -> None:
    """None waits, each for the one before, or anything else."""
    assert strategy_of([step("a"), step("b")]) is Strategy.PARALLEL
    assert strategy_of([step("a"), step("b", "a"), step("c", "b")]) is Strategy.SERIAL
    assert strategy_of([step("a"), step("b", "a"), step("c", "a")]) is Strategy.DAG
