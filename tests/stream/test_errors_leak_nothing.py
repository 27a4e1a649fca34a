"""Whatever fails, a user reads what happened and nothing of the inside: over Kafka, HTTP, SSE and the command line.

Every tool's failures are driven; the texts are searched for tables, files, paths, addresses, programs and secrets.
Names that the asker wrote in the question, and ids of published tools, are the asker's own.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support import ground
from tests.support.llm_server import KEY, LlmServer, Say
from tests.support.roadside import Roadside, step
from tests.support.web_processes import WebProcess, bearer, running_web
from tests.support.web_service import Service
from tests.support.workers import ROOT, Fleet

JSON = {"Content-Type": "application/json"}
COUNT = "SELECT COUNT(*) AS n FROM tickets"
FAILURES: dict[str, dict[str, Any]] = {
    **{f"http-{name}": step("s", f"ground.{name}") for name in ground.REQUESTS if name != "tickets"},
    "http-params": step("s", "ground.tickets", size={"$from": "first", "path": "facts.value"}),
    "mcp-fails": step("s", "ground.mcp_fail"),
    "mcp-params": step("s", "ground.mcp_add", a="x"),
    "mcp-inside": step("s", "ground.mcp_inside"),
    "mcp-metadata": step("s", "ground.mcp_metadata"),
    **{f"sql-{name}": step("s", f"ground.{name}", sql=COUNT) for name in ("hollow", "garbage", "missing")},
    **{f"table-{name}": step("s", f"ground.{name}_table", table="tickets", fields=["title"])
       for name in ("hollow", "garbage", "missing")},
    "sql-unlisted": step("s", "ground.sql", sql="SELECT v FROM crown_"),
    "sql-catalogue": step("s", "ground.sql", sql="SELECT name FROM sqlite_master"),
    "sql-nonsense": step("s", "ground.sql", sql="SELEC FROM WHERE ((("),
    "sql-types": step("s", "ground.sql", sql="SELECT json_extract(title, '$[') AS a FROM tickets"),
    "table-unlisted": step("s", "ground.sql_table", table="secrets", fields=["v"]),
    "prometheus-syntax": step("s", "ground.prom", promql="sum(rate("),
    "llm-fails": step("s", "llm_tool", inputs=[{"note": "x"}]),
    "probe-bug": step("s", "ground.probe", fail_code="INTERNAL_ERROR"),
    "probe-slow": step("s", "ground.brief", sleep_s=30),
    "unknown-tool": step("s", "no.such_tool"),
    "forbidden-tool": step("s", "ground.for_admins"),
    "foreign-tool": step("s", "ground.of_globex"),
}  # fmt: skip

_SHAPES = re.compile(
    r"""
      Traceback | \bFile\s\\?" | \.py\b | \bline\s\d+,\sin\b | 0x[0-9a-f]{6,}          # stack traces
    | (?<![\w/.])/(?:srv|tmp|home|root|usr|var|etc|work|opt|dev|proc)\b                # paths
    | \b\d{1,3}(?:\.\d{1,3}){3}\b | \blocalhost\b | \bdb\.internal\b | :5432           # addresses
    | \bsqlite\w*\b | \bOperationalError\b | \bDatabaseError\b | no\ such\ table:       # the programs inside
    | \baiohttp\b | \bpydantic\b | \bsqlglot\b | \bValueError\b | \bTypeError\b
    | \.db\b | nothing_that_is_listed | \bcrown\b | \bdenied\b | \btenant_id\ TEXT\b   # stores and tables
    | hunter2 | ghp_\w+ | \bBearer\s(?!<token>) | password                                       # secrets
    """,
    re.VERBOSE | re.IGNORECASE,
)


def leaks(text: str, *more: str) -> list[str]:
    """What of the inside stands in a text."""
    found = [text[max(0, match.start() - 60) : match.end() + 60] for match in _SHAPES.finditer(text)]
    return found + [each for each in (ground.TOKEN, KEY, *more) if each in text]


@pytest.fixture(scope="module")
def places(ground_fleet: Fleet, ground_service: Service) -> tuple[str, ...]:
    """Where this installation lies and listens."""
    return str(ground_fleet.folder), str(ROOT), f":{ground_service.port}", ground_fleet.broker


@pytest.fixture(scope="module")
def web(ground_fleet: Fleet) -> Iterator[WebProcess]:
    with running_web(ground_fleet.broker, ground_fleet.topic_prefix, ground_fleet.folder) as processes:
        yield processes[0]


@pytest.fixture
def failing_model(ground_model: LlmServer) -> Iterator[LlmServer]:
    """Answers with an error that tells where it lives, and its key."""
    before, ground_model.otherwise = ground_model.otherwise, Say(status=500)
    yield ground_model
    ground_model.otherwise = before


def plan_of(failure: dict[str, Any]) -> list[dict[str, Any]]:
    return [step("first", "ground.probe", value="a text"), failure]


@pytest.mark.parametrize("name", FAILURES)
async def test_no_answer_tells_of_the_inside(
    name: str, proving: Roadside, failing_model: LlmServer, places: tuple[str, ...]
) -> None:
    """The failure has a code and a sentence; tables, files, addresses, programs and secrets are not in it."""
    answer = await proving.answer(await proving.ask(plan=plan_of(FAILURES[name])))

    codes = [each["error_code"] for each in answer["results"] if each["step_id"] == "s"]
    assert codes or answer["error"]["code"] == "PLAN_INVALID"
    assert None not in codes, f"{name} did not fail"
    assert answer["text"]
    assert leaks(json.dumps(answer, ensure_ascii=False), *places) == []


async def test_nothing_leaks_over_http_either(
    proving: Roadside, failing_model: LlmServer, web: WebProcess, places: tuple[str, ...]
) -> None:
    """Bodies of `POST /ops/ask`, every event of the stream, and what bad requests get."""
    steps = [
        {**each, "step_id": f"s{number}"}
        for number, each in enumerate(FAILURES.values())
        if "." in each["tool_id"]
    ]
    known = [
        each
        for each in steps
        if each["tool_id"] not in ("no.such_tool", "ground.for_admins", "ground.of_globex")
    ]
    asked = [
        {"question": "?", "plan": {"steps": [steps_first(), *known[n : n + 9]]}}
        for n in range(0, len(known), 9)
    ]
    asked += [{"question": "?", "plan": {"steps": [each]}} for each in steps if each not in known]
    said: list[str] = []
    async with aiohttp.ClientSession(headers=bearer()) as http:
        for body in asked:
            for path in ("/ops/ask", "/ops/ask/stream"):
                async with http.post(web.url + path, json=body) as response:
                    said.append(await response.text())
        for raw in (b"{", b"[]", b'{"question": 7}', b'{"question": "?", "plan": {"steps": [{"x": 1}]}}'):
            async with http.post(f"{web.url}/ops/ask", data=raw, headers=JSON) as response:
                assert response.status in (400, 422)
                said.append(await response.text())
        async with http.get(f"{web.url}/no/such/place") as response:
            said.append(await response.text())
    async with (
        aiohttp.ClientSession(headers={"Authorization": "Bearer nonsense"}) as http,
        http.post(f"{web.url}/ops/ask", json=asked[0]) as response,
    ):
        assert response.status == 401
        said.append(await response.text())

    assert "UPSTREAM_UNAVAILABLE" in "".join(said)
    assert {text[:200]: found for text in said if (found := leaks(text, *places))} == {}


def steps_first() -> dict[str, Any]:
    return step("first", "ground.probe", value="a text")


async def test_nothing_leaks_on_the_command_line(
    proving: Roadside, ground_fleet: Fleet, failing_model: LlmServer, places: tuple[str, ...], tmp_path: Path
) -> None:
    """What `opsloom ask` draws and prints, and the list of dead letters."""
    await proving.dead_letter(await proving.send("ops.questions", b'{"password": "hunter2", '))
    names = ("sql-hollow", "http-broken", "mcp-fails", "table-missing", "llm-fails")
    steps = [{**FAILURES[name], "step_id": f"s{number}"} for number, name in enumerate(names)]
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps({"steps": steps}))
    at = ("--broker", ground_fleet.broker, "--topic-prefix", ground_fleet.topic_prefix)
    ask = ("ask", "check these", "--plan", str(plan), "--tenant", "acme", *at)
    letters = ("dead-letters", "list", "--source", "topic", *at)

    said = await asyncio.gather(*(_printed(*each) for each in (ask, (*ask, "--json"), letters)))

    assert all(said)
    assert [found for text in said if (found := leaks(text, *places))] == []


async def _printed(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli.main", *arguments,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=ROOT,
    )  # fmt: skip
    out, _ = await asyncio.wait_for(process.communicate(), 120)
    return out.decode()


def test_the_search_finds_what_it_looks_for() -> None:
    """It would see each kind of leak."""
    for text in (
        'Traceback (most recent call last):\\n File "/srv/x.py", line 3, in run',
        "no such table: tickets",
        "could not open /tmp/ground/hollow.db",
        "connection to 10.0.0.7 refused",
        "db.internal:5432",
        f"Authorization: Bearer {ground.TOKEN}",
    ):
        assert leaks(text)
    assert not leaks(
        "ground.hollow failed: What it asks is not available (UPSTREAM_UNAVAILABLE), so “hollow” is missing."
    )
