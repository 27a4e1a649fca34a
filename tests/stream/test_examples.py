"""The examples do what their README says, against a real worker."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import pytest

from tests.support.answering import answering
from tests.support.brokers import BrokerUnderTest
from tests.support.workers import Fleet, WorkerProcess

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


async def run_example(name: str, *arguments: str) -> tuple[int, str]:
    """Exit code and standard output; the program starts elsewhere, so that it can't import the house."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", str(EXAMPLES / name), *arguments, cwd="/", stdout=asyncio.subprocess.PIPE
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode()


@pytest.mark.parametrize("producer", ["ask_json.py", "ask_avro.py"])
async def test_a_plain_producer_asks_and_a_plain_consumer_reads_the_answer(
    producer: str, shared_fleet: Fleet, shared_worker: WorkerProcess
) -> None:
    """Published by one program, answered by the worker, printed by another program."""
    prefix = shared_fleet.topic_prefix
    at = ("--broker", shared_fleet.broker, "--tenant", "acme")

    code, asked = await run_example(
        producer, *at, "--topic", f"{prefix}ops.questions", "how many things are there?"
    )
    assert code == 0
    waiting = ("--question-id", asked.strip(), "--timeout-s", "30")
    code, read = await run_example("read_answers.py", *at, "--topic", f"{prefix}ops.answers", *waiting)

    assert code == 0
    answer = json.loads(read)
    assert answer["question_id"] == asked.strip()
    assert answer["tenant_id"] == "acme"
    assert answer["status"] == "success"
    assert "3" in answer["text"]


async def test_the_plain_consumer_reads_avro_too(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """A road that writes Avro is read by the same program."""
    at = ("--broker", broker.address)
    async with answering(broker.address, topic_prefix, clock=time.time, written="avro"):
        _, asked = await run_example(
            "ask_avro.py", *at, "--topic", f"{topic_prefix}ops.questions", "is it Avro?"
        )
        waiting = (
            "--topic",
            f"{topic_prefix}ops.answers",
            "--question-id",
            asked.strip(),
            "--timeout-s",
            "30",
        )
        code, read = await run_example("read_answers.py", *at, *waiting)
    assert code == 0
    assert json.loads(read)["text"] == "You asked: is it Avro?"


async def test_the_consumer_gives_up_when_told_to(shared_fleet: Fleet, shared_worker: WorkerProcess) -> None:
    """A question nobody asked has no answer: exit code 5."""
    code, read = await run_example(
        "read_answers.py", "--broker", shared_fleet.broker, "--topic", f"{shared_fleet.topic_prefix}ops.answers",
        "--question-id", "nobody asked this", "--timeout-s", "1",
    )  # fmt: skip
    assert (code, read) == (5, "")


def test_no_example_imports_the_house() -> None:
    """They stand for clients in any language."""
    house = {"schemas", "streams", "registry", "agents", "sinks", "cli", "packs", "opsloom"}
    for path in EXAMPLES.glob("*.py"):
        imported = {
            line.split()[1].partition(".")[0]
            for line in path.read_text().splitlines()
            if line.startswith(("import ", "from "))
        }
        assert not imported & house, path.name
