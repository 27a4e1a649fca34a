"""The demo's checks see through wrong figures: they compare with the system itself, not with the answer."""

from __future__ import annotations

import dataclasses
import os
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from cli.demo import truths
from cli.demo.script import HANGING_PLAN, SCRIPT
from cli.packs import pack_folder
from registry.packs import load_pack
from registry.registry import Registry
from schemas.answers import AnswerComposed, Block, BlockKind
from schemas.calls import Column, Shape, ToolOutput
from schemas.plans import ProducerPlan, ProducerStep
from schemas.questions import QuestionAsked, User
from tests.support.answering import MOMENT, answer_for

LINUX = pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="reads /proc")


def answer(*rows: dict[str, Any], tools: tuple[str, ...] = ("t",)) -> AnswerComposed:
    """An answer whose main result has these rows."""
    columns = tuple(Column(name=name) for name in rows[0]) if rows else ()
    output = ToolOutput(shape=Shape.TABLE, columns=columns, rows=[list(row.values()) for row in rows])
    asked = QuestionAsked(
        schema_version=1,
        question_id="q",
        tenant_id="local",
        user=User(id="u", roles=()),
        question="?",
        created_at=MOMENT,
    )
    return dataclasses.replace(answer_for(asked), main_result=output, successful_tools=tools)


@LINUX
def test_memory_is_compared_with_the_kernels_own_figures() -> None:
    """A total off by one byte is wrong; available may have moved a little."""
    own = truths.meminfo()
    right = {"memory_total_bytes": own["MemTotal"], "memory_available_bytes": own["MemAvailable"]}
    assert truths.memory(answer(right)).ok
    assert not truths.memory(answer({**right, "memory_total_bytes": own["MemTotal"] + 1})).ok
    assert not truths.memory(answer({**right, "memory_available_bytes": 0})).ok


def test_disks_are_compared_with_statvfs() -> None:
    """Every mount that the answer names."""
    own = os.statvfs("/")
    right = {
        "mountpoint": "/",
        "total_bytes": own.f_blocks * own.f_frsize,
        "free_bytes": own.f_bavail * own.f_frsize,
    }
    assert truths.disks(answer(right)).ok
    assert not truths.disks(answer({**right, "total_bytes": 1})).ok


def test_versions_are_compared_with_the_installed_ones() -> None:
    """As `pip list` says."""
    check = truths.version_of("aiokafka")
    assert check(answer({"name": "aiokafka", "version": metadata.version("aiokafka")})).ok
    assert not check(answer({"name": "aiokafka", "version": "0.0.1"})).ok


def test_links_are_compared_with_the_packages_requirements() -> None:
    """One too many or one too few is told by name."""
    check = truths.dependencies_of("aiokafka")
    own = truths._requirements("aiokafka", truths._names())
    rows = [{"from": "aiokafka", "to": name} for name in sorted(own)]
    assert check(answer(*rows)).ok
    more = check(answer(*rows, {"from": "aiokafka", "to": "no-such-thing"}))
    assert not more.ok
    assert "no-such-thing" in more.difference
    assert not check(answer(*rows[1:])).ok


def test_quotes_are_compared_with_the_document() -> None:
    """Words that do not stand in the runbook are told."""
    runbook = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"
    body = next(text for text in runbook.read_text().split("\n\n") if len(text) > 200 and "#" not in text)
    assert truths.runbook(answer({"chunk_text": f"runbook › x: {body}"})).ok
    assert not truths.runbook(answer({"chunk_text": "runbook › x: call the wizard of the north at once"})).ok


def test_an_answer_without_figures_is_no_true_answer() -> None:
    """No check passes for want of something to compare."""
    for line in SCRIPT:
        assert not line.check(answer()).ok, line.question


def test_a_curve_is_judged_by_its_last_point() -> None:
    """Far from what the kernel says is wrong."""
    block = Block(kind=BlockKind.TIME_SERIES, rows=((0.0, 1_000.0),))
    found = truths.memory_series(dataclasses.replace(answer(), blocks=(block,)))
    assert not found.ok


def test_all_kinds_of_knowledge_are_asked() -> None:
    """Five modes and a question that needs several tools; at least twelve in all."""
    assert {line.kind for line in SCRIPT} == {"config", "metric", "history", "graph", "document", "several"}
    assert len(SCRIPT) >= 12
    assert len({line.question for line in SCRIPT}) == len(SCRIPT)


def test_the_hanging_plan_names_tools_and_templates_that_exist() -> None:
    """It is an honest tool of a pack that ships, declared like any other."""
    places = {"data": "/d", "clickhouse": "http://c/opsloom", "home": "/h"}
    registry = Registry.of(*(load_pack(pack_folder(name), places) for name in ("host", "demo")))
    plan = ProducerPlan(steps=tuple(ProducerStep(**step) for step in HANGING_PLAN["steps"]))
    for step in plan.steps:
        template = registry.template(step.params["template"])
        assert template is not None
        assert template.tool == step.tool_id
        assert registry.tool(step.tool_id) is not None
