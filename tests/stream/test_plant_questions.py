"""Questions about the plant with known truths, through the broker: `opsloom evaluate` against a real worker."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from opsloom import AnswerComposed, Client
from packs.plant.making import FOLDER, make_plant
from packs.plant.world.spec import PlantSpec
from packs.plant.world.vocabulary import CANARIES, TENANTS
from tests.support.brokers import BrokerUnderTest
from tests.support.workers import Fleet, running_fleet

QUESTIONS = Path(__file__).resolve().parents[2] / "packs" / "plant" / "questions"
EVERY = 24
"""One of so many lines of each file is asked here; all of them are for `opsloom evaluate` itself."""
GOAL = 0.8
"""Far below what all lines reach: a sample this small swings."""


@pytest.fixture(scope="module")
def plant_fleet(broker: BrokerUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A plant of today and one worker that answers about it."""
    folder = tmp_path_factory.mktemp("plant")
    make_plant(folder / FOLDER, PlantSpec(datetime.now(UTC).date()))
    prefix = f"plant-{uuid.uuid4().hex[:8]}."
    with running_fleet(broker.address, prefix, folder, packs="plant") as fleet:
        fleet.started()
        yield fleet


def evaluate_command(fleet: Fleet, file: Path, *more: str) -> list[str]:
    at = ("--broker", fleet.broker, "--topic-prefix", fleet.topic_prefix, "--data", str(fleet.folder))
    return [sys.executable, "-m", "cli.main", "evaluate", str(file), *at, "--json", *more]


async def evaluated(fleet: Fleet, file: Path, *more: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, report and standard error."""
    process = await asyncio.create_subprocess_exec(
        *evaluate_command(fleet, file, *more), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await asyncio.wait_for(process.communicate(), 120)
    return process.returncode or 0, json.loads(out) if out else {}, err.decode()


async def test_most_plans_and_figures_are_right(plant_fleet: Fleet, tmp_path: Path) -> None:
    """A sample of both files: both shares reach the goal, and the command says so."""
    lines = [
        line
        for name in ("built_with.jsonl", "measured_only.jsonl")
        for line in (QUESTIONS / name).read_text(encoding="utf-8").splitlines()[::EVERY]
    ]
    file = tmp_path / "sample.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")

    code, report, err = await evaluated(plant_fleet, file, "--goal", str(GOAL))

    assert report, err
    assert report["questions"] == len(lines) >= 30
    assert report["plans"]["share"] >= GOAL, report["misses"]
    assert report["figures"]["share"] >= GOAL, report["misses"]
    assert code == 0


async def test_a_wrong_truth_is_a_miss_and_misses_the_goal(plant_fleet: Fleet, tmp_path: Path) -> None:
    """What was expected, what came, and exit code 1."""
    case = {"id": "wrong", "tenant": "acme", "question": "how many hosts do we have?",
            "expect": {"tools": ["plant.table"], "values": [{"value": 987_654_321}]}}  # fmt: skip
    file = tmp_path / "wrong.jsonl"
    file.write_text(json.dumps(case))

    code, report, _ = await evaluated(plant_fleet, file, "--goal", "1")

    assert code == 1
    assert report["figures"] == {"right": 0, "of": 1, "share": 0.0}
    miss = report["misses"][0]["misses"][0]
    assert (miss["what"], miss["expected"]) == ("value", "987654321")
    assert "32" in miss["came"]


async def test_a_bad_line_is_refused_with_its_number(plant_fleet: Fleet, tmp_path: Path) -> None:
    """Nothing is asked."""
    file = tmp_path / "bad.jsonl"
    file.write_text('{"id": "a", "tenant": "acme", "question": "?"}\n{"id": "b"}\n')

    code, report, said = await evaluated(plant_fleet, file)

    assert (code, report) == (1, {})
    assert "Line 2" in said


@pytest.mark.parametrize("tenant", TENANTS)
async def test_a_tenant_sees_its_own_canary_and_never_the_other(plant_fleet: Fleet, tenant: str) -> None:
    """In documents, tickets, the change log and the service graph."""
    questions = (
        "show me the runbook for checkout",
        "what do the documents say about the document mark?",
        "postmortem of search",
        "list all tickets with their bodies",
        "show the notes of the change log",
        "what does payments depend on?",
        "why is checkout slow?",
        f"what do the documents say about {CANARIES['acme']} and {CANARIES['globex']}?",
    )
    async with Client(plant_fleet.broker, tenant_id=tenant, topic_prefix=plant_fleet.topic_prefix) as client:
        answers = await asyncio.gather(*(client.ask(question, timeout_s=60.0) for question in questions))

    held = "\n".join(_without_the_question(answer) for answer in answers)
    other = next(each for each in TENANTS if each != tenant)
    assert CANARIES["acme" if tenant == "acme" else "globex"] in held
    assert CANARIES["acme" if other == "acme" else "globex"] not in held


def _without_the_question(answer: AnswerComposed) -> str:
    """The answer as it travels, but for what the asker wrote himself."""
    quiet = dataclasses.replace(
        answer,
        question="",
        reasons=(),
        references=tuple(dataclasses.replace(each, query="") for each in answer.references),
        main_result=None if answer.main_result is None else dataclasses.replace(answer.main_result, query=""),
    )
    return json.dumps(dataclasses.asdict(quiet), default=str, ensure_ascii=False)
