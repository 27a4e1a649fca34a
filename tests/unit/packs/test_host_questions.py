"""The examples of the host pack lead to the template or combo that gives them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.assets import ComboAsset, TemplateAsset
from registry.packs import load_pack
from registry.registry import Registry
from schemas.plans import PlanMade
from schemas.questions import QuestionAsked, User

FOLDER = Path(__file__).parents[3] / "packs" / "host"
PACK = load_pack(FOLDER, {"data": "DATA", "clickhouse": "http://127.0.0.1:1"})
NOW = 1_800_000_000.0

PACKAGES = [
    "aiohttp", "aiokafka", "clickhouse-connect", "fastavro", "faust-streaming", "multidict", "numpy", "orjson",
    "pydantic", "typing_extensions", "yarl", "bash", "git", "libc6", "libssl3", "openssl", "zlib1g",
]  # fmt: skip
KNOWN = {
    "host_disks": ["/", "/dev", "/dev/shm"],
    "host_process_names": ["bash", "python", "systemd"],
    "package_names": PACKAGES,
    "python_package_names": PACKAGES[:11],
    "debian_package_names": PACKAGES[11:],
}

PLANNING = Planning(
    Registry.of(PACK), [RulesPlanner()], known_values=lambda _, template_id: KNOWN.get(template_id, [])
)


def templates_for(question: str) -> list[str]:
    asked = QuestionAsked(
        schema_version=1,
        question_id="q",
        tenant_id="local",
        user=User(id="u", roles=("viewer",)),
        question=question,
        created_at=datetime.fromtimestamp(NOW, UTC),
    )
    made = PLANNING.decide(asked, trace_id="t", now=NOW)
    assert isinstance(made, PlanMade)
    return [step.params["template"] for step in made.steps]


@pytest.mark.parametrize("asset", [*PACK.templates, *PACK.combos], ids=lambda asset: asset.id)
def test_each_example_leads_to_its_own_asset(asset: TemplateAsset | ComboAsset) -> None:
    """No example is caught by another template."""
    expected = list(asset.templates) if isinstance(asset, ComboAsset) else [asset.id]

    assert {example: templates_for(example) for example in asset.examples} == dict.fromkeys(
        asset.examples, expected
    )


@pytest.mark.parametrize(
    ("question", "template"),
    [
        ("how much memory is free?", "memory_now"),
        ("how full is the disk?", "host_disks"),
        ("what version of numpy do we run?", "package_version"),
        ("top 3 processes by memory", "host_processes_by_memory"),
        ("what depends on yarl?", "dependents_of"),
        ("how do I get dead letters redriven?", "ask_runbook"),
        ("what was installed today?", "changes_between"),
        ("메모리 얼마나 남았어?", "memory_now"),
    ],
)
def test_other_words_for_the_same_lead_there_too(question: str, template: str) -> None:
    """Questions that are no example."""
    assert templates_for(question) == [template]
