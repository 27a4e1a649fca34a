"""`opsloom ask` against a broker: what it prints and how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.main import app
from schemas.answers import Status
from schemas.errors import ErrorCode
from tests.support.answering import answering
from tests.support.brokers import BrokerUnderTest

ROOT = Path(__file__).resolve().parents[3]


async def ask(broker: BrokerUnderTest, prefix: str, *arguments: str) -> Result:
    """Run the command in a thread, since it has an event loop of its own."""
    given = ["ask", "how are you?", "--broker", broker.address, "--topic-prefix", prefix, *arguments]
    return await asyncio.to_thread(CliRunner().invoke, app, given)


@pytest.mark.parametrize(
    ("status", "code"),
    [(Status.SUCCESS, 0), (Status.PARTIAL_SUCCESS, 3), (Status.DEGRADED, 3), (Status.FAILED, 4), (None, 5)],
)
async def test_the_exit_code_tells_the_status(
    status: Status | None, code: int, broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """Scripts need not read the answer to know how it went."""
    async with answering(broker.address, topic_prefix, clock=time.time, status_of=lambda asked: status):
        result = await ask(broker, topic_prefix, "--timeout-s", "10" if status else "0.4")
    assert result.exit_code == code, result.output
    assert ("You asked: how are you?" in result.stdout) == (status is not None)


async def test_json_is_the_answer_and_nothing_else(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """One document on standard output, with all options on the way."""
    async with answering(broker.address, topic_prefix, clock=time.time) as seen:
        result = await ask(
            broker, topic_prefix, "--json", "--tenant", "acme", "--mode", "graph", "--deadline-s", "4",
            "--user", "dana", "--role", "admin", "--question-id", "q-7", "--codec", "avro", "--tool", "a",
        )  # fmt: skip
    answer = json.loads(result.stdout)
    assert (answer["question_id"], answer["tenant_id"], answer["mode"]) == ("q-7", "acme", "graph")
    assert (seen[0].user.id, seen[0].user.roles, seen[0].options.tools) == ("dana", ("admin",), ("a",))
    assert result.stderr == ""


async def test_a_dead_letter_is_told_with_its_code(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """Not a long silence."""
    async with answering(
        broker.address, topic_prefix, clock=time.time, status_of=lambda asked: ErrorCode.UNKNOWN_SCHEMA
    ):
        result = await ask(broker, topic_prefix)
    assert result.exit_code == 1
    assert "UNKNOWN_SCHEMA" in result.stderr


async def test_a_running_up_is_found_without_options(
    broker: BrokerUnderTest, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state it leaves in the data folder is enough, as long as it lives."""
    monkeypatch.delenv("OPSLOOM_BROKER", raising=False)
    state = {"ready": True, "broker": broker.address, "clickhouse": None, "topic_prefix": topic_prefix}
    given = ["ask", "hello?", "--data", str(tmp_path), "--timeout-s", "10"]
    async with answering(broker.address, topic_prefix, clock=time.time):
        (tmp_path / "up.json").write_text(json.dumps({**state, "pids": {"up": os.getpid()}}))
        found = await asyncio.to_thread(CliRunner().invoke, app, given)
        (tmp_path / "up.json").write_text(json.dumps({**state, "pids": {"up": 2**22 + 1}}))
        dead = await asyncio.to_thread(CliRunner().invoke, app, [*given, "--broker", "127.0.0.1:1"])
    assert found.exit_code == 0, found.output
    assert dead.exit_code == 1


async def test_ctrl_c_ends_quietly_with_130(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """While it waits for an answer that does not come."""
    async with answering(broker.address, topic_prefix, clock=time.time, status_of=lambda asked: None) as seen:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli.main", "ask", "hello?",
            "--broker", broker.address, "--topic-prefix", topic_prefix,
            cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(30):
            await _until(seen)
            process.send_signal(signal.SIGINT)
            out, err = await process.communicate()
    assert process.returncode == 130
    assert (out, err) == (b"", b"")


async def _until(seen: list[Any]) -> None:
    while not seen:  # noqa: ASYNC110  # another process decides when
        await asyncio.sleep(0.02)
