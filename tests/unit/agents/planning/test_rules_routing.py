"""Which template a question is for: a table of wordings nobody wrote into the pack, English and Korean."""

import pytest

from schemas.plans import PlanKind, PlanMade

QUESTIONS = {
    "show me every machine": "machines",
    "what machines are there": "machines",
    "inventory of machines please": "machines",
    "is the boiler running": "machine_state",
    "state of press-7": "machine_state",
    "what's the status of the mixer?": "machine_state",
    "is the big press running?": "machine_state",
    "is old lathe stopped": "machine_state",
    "which machines stand still": "stopped_machines",
    "are any machines stopped?": "stopped_machines",
    "machines that are idle": "stopped_machines",
    "faults today": "faults",
    "what broke in the last 3 hours?": "faults",
    "which failures did we have yesterday": "faults",
    "faults since 2026-11-01": "faults",
    "any faults this week?": "faults",
    "which 3 machines fail most often?": "worst_machines",
    "the five worst machines": "worst_machines",
    "top 7 machines by number of faults": "worst_machines",
    "current production": "output_now",
    "how much are we producing right now": "output_now",
    "what's the output at the moment?": "output_now",
    "output of the last 2 hours": "output_series",
    "how did production develop over the past day?": "output_series",
    "chart of the output since yesterday": "output_series",
    "electricity consumption": "energy_series",
    "how much power did we use in the last 24 hours?": "energy_series",
    "energy use today": "energy_series",
    "what does the temperature meter say": "meter",
    "reading of the pressure gauge": "meter",
    "show the humidity meter": "meter",
    "machines hotter than 70 degrees": "hot_machines",
    "which machines are over 90.5 degrees?": "hot_machines",
    "what does the mixer feed?": "feeds",
    "which machines come after press-7": "feeds",
    "what feeds the packer": "fed_by",
    "which machines come before the mixer?": "fed_by",
    "way from the boiler to the packer": "path_between",
    "how does material get from press-7 to the packer?": "path_between",
    "search the manuals for oil pressure": "manuals",
    "what does the manual say about cold starts?": "manuals",
    "how are things at the plant?": "plant_overview",
    "plant overview": "plant_overview",
    "기계 목록": "machines",
    "boiler 상태 알려줘": "machine_state",
    "멈춘 기계 알려줘": "stopped_machines",
    "어제 고장은?": "faults",
    "지난 3일 동안 고장난 것은?": "faults",
    "고장이 가장 많은 기계 5개": "worst_machines",
    "현재 생산량 알려줘": "output_now",
    "지난 2시간 생산량": "output_series",
    "매뉴얼에서 베어링 찾아줘": "manuals",
    "공장 상황은?": "plant_overview",
}


def wanted_of(plan: PlanMade) -> str:
    combos = [asset.asset_id for asset in plan.applied_assets if asset.kind == "combo"]
    return combos[0] if combos else "+".join(str(step.params["template"]) for step in plan.steps)


@pytest.mark.parametrize(("question", "template"), QUESTIONS.items())
def test_a_question_in_other_words_reaches_its_template(decide, question: str, template: str) -> None:
    """The wording differs from all examples; the template is the same."""
    plan = decide(question)

    assert isinstance(plan, PlanMade)
    assert (plan.kind, wanted_of(plan)) == (PlanKind.PLAN, template), plan.reasons


def test_every_example_of_the_pack_reaches_its_own_template(decide, plant) -> None:
    """What an author writes as an example is what retrieval must learn."""
    manager = ("manager",)
    for template in plant.templates("north"):
        for example in template.examples:
            plan = decide(example, roles=manager)
            assert wanted_of(plan) == template.id, (example, plan.reasons)


@pytest.mark.parametrize(
    "question",
    [
        "what is the weather in Paris?",
        "tell me a joke",
        "who won the world cup in 1998",
        "asdf qwer zxcv",
        "'; DROP TABLE machines; --",
        "book a flight to Tokyo tomorrow",
        "오늘 서울 날씨 어때?",
        "12345",
        "?",
        "the of and",
    ],
)
def test_what_nobody_can_answer_is_rejected_with_a_way_on(decide, question: str) -> None:
    """A rejection says why and names questions that can be answered."""
    plan = decide(question)

    assert plan.kind is PlanKind.REJECT
    assert plan.text
    assert plan.reasons
    assert 1 <= len(plan.suggestions) <= 3
    assert plan.steps == ()
