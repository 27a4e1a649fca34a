"""The examples on docs/http.md, the example program and the command line, against real processes."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.web_processes import WebProcess, running_web, token
from tests.support.workers import Fleet, WorkerProcess

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "http.md").read_text()
QUESTION = "how many things are there?"


@pytest.fixture(scope="module")
def web(shared_fleet: Fleet) -> Iterator[WebProcess]:
    """One web process beside the shared worker, whose topics it needs."""
    if not shared_fleet.workers:
        shared_fleet.started()
    with running_web(shared_fleet.broker, shared_fleet.topic_prefix, shared_fleet.folder) as processes:
        yield processes[0]


async def run(*command: str, **environment: str) -> tuple[int, str, str]:
    """Exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def test_every_example_of_the_page_runs(web: WebProcess, shared_worker: WorkerProcess) -> None:
    """In the page's order, in one shell; each curl succeeds but the one that shows an error."""
    if shutil.which("curl") is None:
        pytest.skip("the examples need curl (Debian: curl)")
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert blocks[0].startswith("export HTTP=")
    script = "set -euo pipefail\n" + "\necho; echo =====\n".join(blocks[1:])

    code, out, err = await run("bash", "-c", script, HTTP=web.url, TOKEN=token())

    assert code == 0, err + out
    asked, twice, fetched, watched, wrong, looked = out.split("\n=====\n")
    assert '"event":"AnswerComposed"' in asked
    assert re.search(r'"trace_id":"(\w+)"', twice)[1] == re.search(r'"trace_id":"(\w+)"', fetched)[1]  # type: ignore[index]
    assert "event: answer" in watched
    assert '"code":"INVALID_EVENT"' in wrong
    assert '{"ok":true}' in looked
    assert '"openapi":"3.1.0"' in looked
    assert "opsloom_http_requests_total" in looked


async def test_example_program_watches_and_prints_the_answer(
    web: WebProcess, shared_worker: WorkerProcess
) -> None:
    """Plan, tool and text."""
    example = str(ROOT / "examples" / "ask_http.py")
    code, out, err = await run(sys.executable, "-I", example, "--url", web.url, "--token", token(), QUESTION)

    lines = out.splitlines()
    assert code == 0, err
    assert lines[:3] == ["planned: 1 steps", "started: things", "ended: things: success"]
    assert lines[3].startswith("There are 3 [1] things")


async def test_command_line_says_what_runs_where_nothing_can_be_drawn(
    shared_fleet: Fleet, shared_worker: WorkerProcess
) -> None:
    """Lines on standard error; with --json nothing but the answer."""
    at = ("--broker", shared_fleet.broker, "--topic-prefix", shared_fleet.topic_prefix, "--tenant", "acme")
    command = (sys.executable, "-m", "cli.main", "ask", QUESTION, *at)

    code, out, err = await run(*command)
    assert code == 0, err
    assert "There are 3 [1] things" in out
    assert [line.split(":")[0] for line in err.splitlines()] == ["planned", "started", "ended"]

    code, out, err = await run(*command, "--json")
    assert (code, err) == (0, "")
    assert out.startswith('{"')
