"""Nothing that narrows a question is dropped in silence: it is a condition of the query, or it is said."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.datasets import DatasetAsset
from registry.packs import load_pack
from registry.registry import Registry
from schemas.plans import PlanKind, PlanMade
from schemas.questions import QuestionAsked, User

PACK = load_pack(
    Path(__file__).parents[5] / "packs" / "plant", {"data": "DATA", "clickhouse": "http://127.0.0.1:1"}
)
NOW = 1_795_250_000.0
PEOPLE = ("alice", "bob", "carol", "minji")
SERVICES = (
    "checkout",
    "payments",
    "catalog",
    "search",
    "cart",
    "inventory",
    "shipping",
    "billing",
    "gateway",
)


def names_of(tenant: str, key: str) -> tuple[str, ...]:
    dataset, _, field = key.partition(":")
    if field in ("assignee", "commander", "deployed_by", "granted_to"):
        return PEOPLE
    return SERVICES if field == "service" or dataset == "plant_service_names" else ()


PLANNING = Planning(Registry.of(PACK), [RulesPlanner()], known_values=names_of)


def decided(text: str) -> PlanMade:
    question = QuestionAsked(
        schema_version=1,
        question_id="q",
        tenant_id="acme",
        user=User(id="u", roles=("viewer",)),
        question=text,
        created_at=datetime.fromtimestamp(NOW, UTC),
    )
    plan = PLANNING.decide(question, trace_id="t", now=NOW)
    assert isinstance(plan, PlanMade)
    return plan


def said(plan: PlanMade) -> str:
    """Everything of a plan in which a word may be accounted for: parameters, texts of answers, slips read."""
    steps = [f"{step.params} {step.render}" for step in plan.steps]
    return " ".join(
        (plan.text, *steps, *(each for each in plan.reasons if each.startswith("read '")))
    ).casefold()


FRAMES = (
    "how many {} tickets are open?",
    "how many incidents of {} were there last week?",
    "number of tickets in the {} queue",
    "deployments by {} yesterday",
    "how many alerts on {}?",
    "orders in {}",
    "average resolution time of tickets for {}",
)


@settings(max_examples=120, deadline=None)
@given(
    word=st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=5, max_size=10),
    frame=st.sampled_from(FRAMES),
)
def test_a_word_nobody_knows_is_never_passed_over_in_silence(word: str, frame: str) -> None:
    """Given a word where a name stands, when the question is read, then it is refused, used or named."""
    plan = decided(frame.format(word))

    assert plan.kind is PlanKind.REJECT or word in said(plan), (frame, word, plan.reasons)


def _values() -> Iterator[tuple[DatasetAsset, str, str, str]]:
    for dataset in PACK.datasets:
        if dataset.default_measure is not None:
            continue
        for name, field in dataset.fields.items():
            if field.type == "enum":
                yield from ((dataset, name, value, value.replace("_", " ")) for value in field.values)


def _conditions(held: Any) -> Iterator[dict[str, Any]]:
    """All conditions anywhere in a call's parameters."""
    if isinstance(held, dict):
        if {"field", "op"} <= held.keys():
            yield held
        for each in held.values():
            yield from _conditions(each)
    elif isinstance(held, list | tuple):
        for each in held:
            yield from _conditions(each)


@pytest.mark.parametrize(
    ("dataset", "field", "value", "word"),
    [pytest.param(*each, id=f"{each[0].table}-{each[1]}-{each[2]}") for each in _values()],
)
def test_each_value_of_each_table_narrows_what_is_counted(
    dataset: DatasetAsset, field: str, value: str, word: str
) -> None:
    """Given a declared value, when rows of it are counted, then it is a condition, in whatever place it stands."""
    noun = dataset.nouns[0]
    for question in (
        f"how many {noun}s have {field.replace('_', ' ')} {word}?",
        f"how many {word} {noun}s are there?",
    ):
        plan = decided(question)

        held = [each for step in plan.steps for each in _conditions(dict(step.params))]
        assert any(
            each["field"] == field and value in (each.get("value"), *(each.get("value") or ()))
            for each in held
        ), (question, plan.reasons, held)


@pytest.mark.parametrize(
    ("question", "condition"),
    [
        ("tickets that aren't resolved or closed - how many", ("status", "not_in", ["resolved", "closed"])),
        ("how many hosts that are not db or cache", ("role", "not_in", ["db", "cache"])),
        ("hosts outside us-east", ("region", "ne", "us-east")),
        ("hosts with more than 16 cores, how many?", ("cpu_cores", "gt", 16)),
        ("tickets with an sla of 60 minutes, how many?", ("sla_minutes", "eq", 60)),
        ("how many alerts are firing at the moment?", ("state", "eq", "firing")),
        ("orders of customer C-11012", ("customer_ref", "ilike", "c-11012")),
        ("how many alerts haven't been cleared?", ("state", "ne", "cleared")),
        ("지금 열려 있는 티켓이 몇 개야?", ("status", "eq", "open")),
        ("현재 발생 중인 알림은 몇 개?", ("state", "eq", "firing")),
        ("메모리가 64GB 이상인 호스트는 몇 대?", ("mem_gb", "gte", 64)),
    ],
)
def test_conditions_are_read_wherever_they_stand(question: str, condition: tuple[str, str, Any]) -> None:
    """Given a condition said in some way, when the question is read, then the query holds it."""
    held = [each for step in decided(question).steps for each in _conditions(dict(step.params))]

    assert {"field": condition[0], "op": condition[1], "value": condition[2]} in held, held
