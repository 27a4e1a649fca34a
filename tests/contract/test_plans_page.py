"""docs/plans.md: its examples are plans, its lists are the code's."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from agents.execution.toolbox import build_tools
from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from agents.references import _FUNCTIONS, MAX_PATH_CHARACTERS, MAX_VALUE_BYTES
from registry.packs import load_pack
from registry.registry import Registry
from schemas.errors import SUBSTITUTABLE
from schemas.plans import PlanMade, ProducerPlan, ProducerStep
from schemas.questions import QuestionAsked, User

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plans.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
NOW = 1_800_000_000.0


@pytest.fixture(scope="module")
def planning() -> Planning:
    pack = load_pack(ROOT / "packs" / "host", {"data": "DATA", "clickhouse": "http://127.0.0.1:1"})
    registry = Registry.of(pack)
    return Planning(registry, [RulesPlanner()], adapters=build_tools(registry))


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_a_valid_plan_of_the_host_pack(planning: Planning, example: str) -> None:
    """What the page shows can be sent."""
    plan = TypeAdapter(ProducerPlan).validate_json(json.dumps(json.loads(example)))
    question = QuestionAsked(
        schema_version=1,
        question_id="q",
        tenant_id="local",
        user=User(id="u", roles=("viewer",)),
        question="x",
        created_at=datetime.fromtimestamp(NOW, UTC),
        plan=plan,
    )

    made = planning.decide(question, trace_id="t", now=NOW)

    assert isinstance(made, PlanMade), made.error
    assert all(step.tool_id.startswith("host_") for step in made.steps)
    assert [step.fallback is not None for step in made.steps] == [
        step.fallback is not None for step in plan.steps
    ]


def test_the_lists_are_those_of_the_code() -> None:
    """Fields of a step, codes with a substitute, functions and bounds of a path."""
    assert all(f"`{field.name}`" in PAGE for field in fields(ProducerStep))
    codes = PAGE.split("<!-- substitutable -->")[1].split("<!-- end -->")[0]
    assert set(re.findall(r"`(\w+)`", codes)) == {code.value for code in SUBSTITUTABLE}
    functions = PAGE.split("Functions: ")[1].split(". One value")[0]
    assert set(re.split(r",\s+", functions)) == _FUNCTIONS
    assert f"at most {MAX_PATH_CHARACTERS} characters" in PAGE
    assert f"weigh {MAX_VALUE_BYTES // 1024} KiB" in PAGE
