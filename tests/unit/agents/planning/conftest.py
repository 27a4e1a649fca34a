"""A small plant whose tenants north and south ask questions; the moment is fixed."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.packs import load_pack
from registry.registry import Registry
from schemas.plans import PlanFailed, PlanMade
from schemas.questions import Mode, QuestionAsked, QuestionOptions, User

NOW = 1_795_000_000.0
"""2026-11-18, 11:06:40 UTC, a Wednesday."""
MACHINES = ("press-7", "boiler", "mixer", "packer", "Old Lathe")

Decide = Callable[..., PlanMade | PlanFailed]


@pytest.fixture(scope="session")
def plant() -> Registry:
    folder = Path(__file__).parent / "plant_pack"
    return Registry.of(load_pack(folder, {"data": "/nowhere"}))


@pytest.fixture(scope="session")
def planning(plant: Registry) -> Planning:
    def known_values(tenant_id: str, template_id: str) -> tuple[str, ...]:
        return MACHINES if template_id == "machines" else ()

    return Planning(plant, [RulesPlanner()], known_values=known_values)


def asked(text: str, **fields: Any) -> QuestionAsked:
    options = {
        name: fields.pop(name) for name in ("max_rows", "deadline_s", "deadline", "tools") if name in fields
    }
    return QuestionAsked(
        schema_version=1,
        question_id="q-1",
        tenant_id=fields.pop("tenant_id", "north"),
        user=User(id="u-1", roles=fields.pop("roles", ("viewer",))),
        question=text,
        created_at=datetime.fromtimestamp(NOW, UTC),
        mode=Mode(fields.pop("mode", "all")),
        options=QuestionOptions(**options),
        **fields,
    )


@pytest.fixture(scope="session")
def ask() -> Callable[..., QuestionAsked]:
    """Makes a question of tenant north; options are given by name like the other fields."""
    return asked


@pytest.fixture(scope="session")
def decide(planning: Planning) -> Decide:
    """Decides on a question of tenant north at the fixed moment."""

    def decided(text: str, **fields: Any) -> PlanMade | PlanFailed:
        return planning.decide(asked(text, **fields), trace_id="t-1", now=NOW)

    return decided
