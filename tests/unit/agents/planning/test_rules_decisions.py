"""What the rules planner decides beside the template: parameters, refusals, joined asks, help, modes, tenants."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from schemas.plans import PlanFailed, PlanKind, PlanMade, Strategy
from schemas.questions import MAX_QUESTION_CHARACTERS
from tests.support.effort import examples

NOW = 1_795_000_000.0
DAY_S = 86_400.0


def args_of(plan: PlanMade) -> dict[str, object]:
    return plan.steps[0].params["args"]


def test_parameters_are_read_from_the_words_of_the_question(decide) -> None:
    """A name, a time range, a count, a choice and a number."""
    midnight = NOW - NOW % DAY_S

    assert args_of(decide("state of press 7")) == {"machine": "press-7"}
    assert args_of(decide("faults yesterday")) == {"period_from": midnight - DAY_S, "period_to": midnight}
    assert args_of(decide("the three worst machines")) == {"n": 3}
    assert args_of(decide("show the heat meter")) == {"meter": "temperature"}
    assert args_of(decide("machines hotter than 70.5 degrees")) == {"limit": 70.5}
    assert args_of(decide("way from mixer to boiler")) == {"start": "mixer", "goal": "boiler"}
    assert args_of(decide('search the manuals for "bearing noise"')) == {"query": "bearing noise"}


def test_defaults_and_bounds_are_applied_and_said(decide) -> None:
    """What was not asked for is filled in openly, and what is out of bounds is cut openly."""
    default = decide("which machines fail most often?")
    cut = decide("top 500 machines by faults")

    assert args_of(default) == {"n": 10}
    assert "no number given for n: 10" in default.reasons
    assert args_of(cut) == {"n": 50}
    assert "read n as 50 instead of 500, its bound" in cut.reasons


def test_a_mistyped_name_is_read_as_the_known_one_and_said_so(decide) -> None:
    """No silent guess."""
    plan = decide("is the boilr running?")

    assert args_of(plan) == {"machine": "boiler"}
    assert "read machine as 'boiler', the known name most like 'boilr'" in plan.reasons


def test_an_unknown_name_is_never_answered_with_something_else(decide) -> None:
    """The template that was meant is left out, and no lesser one stands in for it."""
    plan = decide("what does furnace-99 feed?")

    assert plan.kind is PlanKind.REJECT
    assert "furnace-99" in plan.text
    assert any("'furnace-99' is not a known machine" in reason for reason in plan.reasons)
    assert plan.suggestions


def test_a_number_out_of_bounds_is_not_replaced_by_a_default(decide) -> None:
    """Nothing can be hotter than the bound: the template does not apply."""
    plan = decide("machines hotter than 99999 degrees")

    assert all(step.params["template"] != "hot_machines" for step in plan.steps)


def test_reasons_tell_the_words_the_score_and_the_next_candidate(decide) -> None:
    """An operator sees at once why this template was chosen."""
    plan = decide("which machines are stopped?")

    assert plan.score > 3
    assert "matched 'machines', 'stopped' of template stopped_machines; score" in plan.reasons[0]
    assert ", next " in plan.reasons[0]


def test_a_combo_runs_all_its_templates_side_by_side(decide) -> None:
    """One question, several tools, and the combo's version among the applied assets."""
    plan = decide("give me an overview of the plant")

    assert [step.params["template"] for step in plan.steps] == ["output_now", "stopped_machines", "faults"]
    assert plan.strategy is Strategy.PARALLEL
    assert ("combo", "plant_overview", 1) in {(a.kind, a.asset_id, a.version) for a in plan.applied_assets}


def test_two_asks_joined_by_and_become_a_plan_of_both(decide) -> None:
    """Each part is understood by itself."""
    plan = decide("which machines are stopped and what is the current output?")

    assert [step.params["template"] for step in plan.steps] == ["stopped_machines", "output_now"]
    assert plan.reasons[0] == "the question joins 2 asks"


def test_an_and_within_one_ask_does_not_split_it(decide) -> None:
    """The second half asks nothing by itself."""
    plan = decide("faults between 2026-11-01 and 2026-11-05")

    assert [step.params["template"] for step in plan.steps] == ["faults"]


@pytest.mark.parametrize(
    "question", ["help", "what can you do?", "What can I ask you?", "무엇을 물어볼 수 있나요?"]
)
def test_help_lists_what_can_be_asked(decide, question: str) -> None:
    """Direct: no tool runs, the registry itself is the answer, with examples in the language of the question."""
    plan = decide(question)

    assert plan.kind is PlanKind.DIRECT
    assert ("which machines do we have?" if question.isascii() else "기계 목록을 보여줘") in plan.text
    assert "wages" not in plan.text
    assert plan.steps == ()


def test_mode_restricts_the_templates(decide) -> None:
    """The same words mean another template, or none, in another mode."""
    assert decide("what is the current output?", mode="metric").steps[0].params["template"] == "output_now"
    plan = decide("what is the current output?", mode="document")
    assert all(step.params["template"] == "manuals" for step in plan.steps)


def test_only_tools_open_to_tenant_role_and_question_are_planned(decide) -> None:
    """A tenant's template, a manager's template, and the question's own restriction."""
    stock = "how much steel is in stock?"
    assert decide(stock, tenant_id="south").steps[0].params["template"] == "south_stock"
    assert decide(stock, tenant_id="north").kind is PlanKind.REJECT
    assert decide(stock, tenant_id="elsewhere").kind is PlanKind.REJECT

    assert decide("what are the wages?", roles=("manager",)).steps[0].params["template"] == "wages"
    assert decide("what are the wages?", roles=("viewer",)).kind is PlanKind.REJECT
    assert decide("what are the wages?", roles=()).kind is PlanKind.REJECT

    allowed = decide("which machines are stopped?", tools=("plant_series",))
    assert all(step.tool_id == "plant_series" for step in allowed.steps)


def test_another_tenants_templates_change_no_score(plant, ask) -> None:
    """North's scores are the same whether or not south has templates of its own."""
    question = ask("which machines are stopped?")
    beside = Planning(plant, [RulesPlanner()]).decide(question, trace_id="t", now=NOW)
    south_tool = plant.tool("south_query")
    alone = plant.register(south_tool.model_copy(update={"version": 2, "status": "deleted"}))

    assert Planning(alone, [RulesPlanner()]).decide(question, trace_id="t", now=NOW) == beside


def test_names_of_one_tenant_are_not_known_to_another(plant, ask) -> None:
    """Known values are asked for with the tenant."""
    planning = Planning(
        plant,
        [RulesPlanner()],
        known_values=lambda tenant_id, _: ("oven",) if tenant_id == "south" else ("kiln",),
    )

    south = planning.decide(ask("is the oven running?", tenant_id="south"), trace_id="t", now=NOW)
    north = planning.decide(ask("is the oven running?"), trace_id="t", now=NOW)
    assert south.steps[0].params["args"] == {"machine": "oven"}
    assert north.kind is PlanKind.REJECT


def test_new_names_are_seen_when_the_caller_hands_in_a_new_list(plant, ask) -> None:
    """The index of names lives as long as the list it was made of."""
    names = [("boiler",), ("boiler", "grinder")]
    planning = Planning(plant, [RulesPlanner()], known_values=lambda tenant, template: names[0])
    question = ask("state of the grinder")

    assert planning.decide(question, trace_id="t", now=NOW).kind is PlanKind.REJECT
    del names[0]
    assert planning.decide(question, trace_id="t", now=NOW).steps[0].params["args"] == {"machine": "grinder"}


@settings(max_examples=examples(150), deadline=None)
@given(text=st.text(min_size=1, max_size=400))
def test_any_text_gets_a_decision_and_twice_the_same(decide, text: str) -> None:
    """The question is data: whatever it holds, planning neither fails nor wavers."""
    first = decide(text)

    assert isinstance(first, PlanMade | PlanFailed)
    assert decide(text) == first


_TELLING = (
    "what which machines press-7 boilr feed faults and , last 5 minutes top 3 since yesterday 2026-11-31 over 70 "
    "manual about \" ' 지난 10분 상위 5개 기계 은 나 0 9999999 half a few / .. -"
)
_WORDS = st.sampled_from(_TELLING.split(" "))


@settings(max_examples=examples(150), deadline=None)
@given(words=st.lists(_WORDS, min_size=1, max_size=60))
def test_any_mix_of_telling_words_gets_a_decision_and_twice_the_same(decide, words: list[str]) -> None:
    """Words that resolvers look for, in every disorder."""
    text = " ".join(words)

    assert decide(text) == decide(text)


@pytest.mark.parametrize(
    "piece",
    ["machines ", "what does press-7 feed and which machines are stopped? ", "가", "ﷺ", "\u0301", "a", "last 5 ",
     "top 5 ", "' ", "(", "x1 y2 ", "press-8 ", "how is the plant doing, and "],
)  # fmt: skip
def test_the_longest_question_is_planned_quickly(decide, piece: str) -> None:
    """8,000 characters of anything: under 20 ms at rest; the bound here leaves room for a busy machine."""
    text = (piece * MAX_QUESTION_CHARACTERS)[:MAX_QUESTION_CHARACTERS]
    took_s = []
    for _ in range(5):
        started_at = time.process_time()
        decide(text)
        took_s.append(time.process_time() - started_at)

    assert min(took_s) < 0.1
