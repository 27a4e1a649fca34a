"""Tools that call out, asked through the broker: what works, what fails, and where nobody may go."""

from __future__ import annotations

import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.brokers import BrokerUnderTest
from tests.support.roadside import Roadside, step
from tests.support.web_service import Service, web_service_in_thread
from tests.support.workers import Fleet, running_fleet

MCP_SERVER = Path(__file__).parents[1] / "support" / "mcp_server.py"
TOKEN = "ghp_ThisIsNotARealToken0123456789abcdef"


def pack(folder: Path, service: Service) -> Path:
    """A pack over the service: a desk that is opened, and sources that nobody opened."""
    opened = {"internal": True, "credential": {"secret": "env:DESK_TOKEN"}, "max_bytes": 1_000_000}
    sources = [
        {"id": "desk", "engine": "http", "location": service.url, "outbound": opened},
        {"id": "closed", "engine": "http", "location": service.url, "outbound": {"mode": "public"}},
        {
            "id": "metadata",
            "engine": "http",
            "location": "http://169.254.169.254",
            "outbound": {"internal": True},
        },
        {"id": "mcp_closed", "engine": "mcp", "location": f"{service.url}/echo"},
        {
            "id": "mcp_open",
            "engine": "mcp",
            "location": "stdio:",
            "outbound": {"command": [sys.executable, str(MCP_SERVER), "stdio"]},
        },
    ]
    requests: dict[str, tuple[str, dict[str, Any]]] = {
        "tickets": (
            "desk",
            {
                "path": "/tickets",
                "query": {"size": "{size}"},
                "rows": "items",
                "facts": {"total": "meta.total"},
            },
        ),
        "html": ("desk", {"path": "/html"}),
        "broken": ("desk", {"path": "/status/500"}),
        "slow": ("desk", {"path": "/slow"}),
        "large": ("desk", {"path": "/endless"}),
        "astray": ("desk", {"path": "/to", "query": {"to": "http://169.254.169.254/latest/meta-data/"}}),
        "inside": ("closed", {"path": "/tickets"}),
        "metadata": ("metadata", {"path": "/latest/meta-data/"}),
    }
    size = {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1, "default": 3}}}
    tools = [
        {
            "id": f"desk.{name}",
            "name": name,
            "description": f"The desk's {name}",
            "tool_type": "http_tool",
            "kind": "http",
            "source": source,
            "parameters": size,
            "http": request,
            "timeout_seconds": 2,
        }
        for name, (source, request) in requests.items()
    ]
    numbers = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    tools += [
        {
            "id": f"remote.{source}",
            "name": source,
            "tool_type": "mcp_tool",
            "kind": "mcp",
            "source": source,
            "parameters": numbers,
            "mcp": {"tool": "add"},
        }
        for source in ("mcp_closed", "mcp_open")
    ]
    template = {
        "id": "desk.tickets_now",
        "title": "Tickets at the desk",
        "tool": "desk.tickets",
        "mode": "config",
        "examples": ["which tickets lie at the desk?", "list the desk tickets"],
        "call": {"size": 2},
        "render": {"show": "table", "text": "The desk has {total|number} tickets."},
        "units": {"total": "number"},
    }
    policies = [
        {"id": f"desk.{name}", "policy_set": name.upper(), "timeout_s": 20, "retries": 0, "calls_per_minute": 9999,
         "calls_per_second": 999, "max_rows": 100}
        for name in ("http", "default")
    ]  # fmt: skip
    for kind, assets in {
        "sources": sources,
        "tools": tools,
        "templates": [template],
        "policies": policies,
    }.items():
        (folder / kind).mkdir(parents=True)
        (folder / kind / "all.yaml").write_text(json.dumps(assets))  # JSON is YAML

    manifest = {"id": "desk", "title": "A desk", "tenants": ["acme", "globex"]}
    (folder / "pack.yaml").write_text(json.dumps(manifest))
    return folder


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with web_service_in_thread() as running:
        yield running


@pytest.fixture(scope="module")
def desk_fleet(
    broker: BrokerUnderTest, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("desk")
    patch = pytest.MonkeyPatch()
    patch.setenv("DESK_TOKEN", TOKEN)
    with running_fleet(broker.address, "desk.", folder, packs=pack(folder / "pack", service)) as fleet:
        fleet.started()
        yield fleet
    patch.undo()


@pytest.fixture
async def desk(desk_fleet: Fleet) -> AsyncIterator[Roadside]:
    async with Roadside(desk_fleet.broker, desk_fleet.topic_prefix, also=("ops.aggregation",)) as roadside:
        yield roadside


async def test_question_in_words_is_answered_from_a_service(desk: Roadside, service: Service) -> None:
    """Planned by its template, called with the credential, told with the service's figure."""
    answer = await desk.answer(await desk.ask(question="which tickets lie at the desk?"))

    assert answer["status"] == "success", answer
    assert answer["main_result"]["rows"][0][:2] == [1, "ticket 1"]
    assert "25" in answer["text"]
    assert service.seen[-1]["headers"]["Authorization"] == f"Bearer {TOKEN}"


async def test_each_failure_is_coded_and_the_rest_of_the_answer_stays(desk: Roadside) -> None:
    expected = {
        "desk.html": "TOOL_BAD_REQUEST",
        "desk.broken": "UPSTREAM_UNAVAILABLE",
        "desk.slow": "TOOL_TIMEOUT",
        "desk.large": "MAX_ROWS_EXCEEDED",
        "desk.tickets": None,
    }

    answer = await desk.answer(
        await desk.ask(plan=[step(f"s{number}", tool) for number, tool in enumerate(expected)])
    )

    assert answer["status"] == "partial_success"
    assert {result["tool_id"]: result["error_code"] for result in answer["results"]} == expected


async def test_nobody_gets_where_nobody_may_go(desk: Roadside, service: Service) -> None:
    """A redirect to metadata, an internal service that nobody opened, metadata itself, an MCP server inside."""
    before = len(service.seen)
    refused = ("desk.astray", "desk.inside", "desk.metadata", "remote.mcp_closed")

    answer = await desk.answer(
        await desk.ask(plan=[step(f"s{number}", tool) for number, tool in enumerate(refused)])
    )

    assert {result["tool_id"]: result["error_code"] for result in answer["results"]} == dict.fromkeys(
        refused, "POLICY_DENY"
    )
    assert [seen["path"].partition("?")[0] for seen in service.seen[before:]] == ["/to"]
    assert "169.254" not in json.dumps(answer)
    assert "127.0.0.1" not in json.dumps(answer)


async def test_tool_of_an_mcp_server_answers(desk: Roadside) -> None:
    answer = await desk.answer(await desk.ask(plan=[step("s", "remote.mcp_open", a=2, b=40)]))

    assert answer["main_result"]["rows"] == [[42]], answer


async def test_no_credential_is_seen_anywhere(desk: Roadside, desk_fleet: Fleet) -> None:
    """Neither the tool's own, nor what the service gives away, nor one in an event nobody could read."""
    question = await desk.ask(plan=[step("s", "desk.broken")])
    await desk.send(
        "ops.questions", b'{"note": "Authorization: Bearer ' + TOKEN.encode() + b'", "password": "hunter2"'
    )
    answer = await desk.answer(question)
    await desk.until(lambda: bool(desk.records["ops.dead-letters"]), "the dead letter")

    letter = json.loads(desk.records["ops.dead-letters"][0].value)
    said = [json.dumps(answer), str(letter), desk_fleet.printed()]
    said += [str(record.value) for record in desk.records["ops.aggregation"]]
    for secret in (TOKEN, "hunter2"):
        assert not any(secret in text for text in said)
    import base64

    kept = base64.b64decode(letter["value_b64"]).decode()
    assert kept.count("***MASKED***") == 2
