"""What every tool promises on the guarded path, each over a real store."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from agents.llm.client import LlmClient
from agents.llm.settings import LlmSettings
from registry.assets import SourceAsset, ToolAsset
from registry.outbound_assets import HttpCall, McpCall, OutboundSpec
from schemas.calls import ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support import execution_stores as stores
from tests.support.llm_server import KEY, LlmServer, Say
from tests.support.mcp_process import running_mcp_server
from tests.support.web_service import web_service_in_thread


@dataclass(frozen=True)
class Case:
    """How one tool is called in an ordinary way, for many rows, and for longer than anyone waits."""

    tool_id: str
    ordinary: dict[str, Any]
    many: dict[str, Any]
    slow: dict[str, Any]
    slow_timeout_s: float = 0.2
    source: str | None = None
    """Its store, when that is a file."""
    remote: str = ""
    """Its source, when that is a service."""
    secrets: tuple[str, ...] = field(default=())

    def __str__(self) -> str:
        return self.tool_id


_EVERY_PAIR = "numbers a, numbers b, numbers c"
_EXTRACT: dict[str, Any] = {
    "task": "extract",
    "inputs": [{"name": "anvil"}],
    "schema": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"}}}},
}
CASES = (
    Case(
        "query_inventory",
        {"sql": "SELECT name FROM servers WHERE rack = :rack", "args": {"rack": "r1"}},
        {"sql": "SELECT name, rack FROM servers ORDER BY name"},
        {"sql": f"SELECT COUNT(*) FROM {_EVERY_PAIR} WHERE a.n + b.n + c.n < -1"},
        source="inventory",
        secrets=("servers", "rack", "memory"),
    ),
    Case(
        "query_ducks",
        {"sql": "SELECT name FROM servers WHERE rack = :rack", "args": {"rack": "r1"}},
        {"sql": "SELECT name, rack FROM servers ORDER BY name"},
        {"sql": f"SELECT COUNT(*) FROM {_EVERY_PAIR} WHERE (a.n * b.n + c.n) % 7 = 3"},
        source="ducks",
        secrets=("servers", "rack", "memory"),
    ),
    Case(
        "relate",
        {"cypher": "MATCH (a:Package) WHERE a.name = $name RETURN a.name, a.size", "args": {"name": "p1"}},
        {"cypher": "MATCH (a:Package) RETURN a.name ORDER BY a.name"},
        {
            "cypher": "MATCH (a:Package), (b:Package), (c:Package), (d:Package), (e:Package) "
            "WHERE a.size + b.size + c.size + d.size + e.size < -1 RETURN COUNT(*)"
        },
        source="graph_store",
        secrets=("Package", "DEPENDS_ON"),
    ),
    Case(
        "search",
        {"query": "redrive dead letters"},
        {"query": "broker", "top_k": 50, "min_relevance": 0.0},
        {"query": " ".join(stores.WORDS), "min_relevance": 0.0, "top_k": 100},
        slow_timeout_s=0.003,
        source="library",
        secrets=("chunks", "documents", "fts5"),
    ),
    Case(
        "measure",
        {"metric": "load", "series": "host", "since": "15m"},
        {"metric": "load", "series": "host", "since": "2h"},
        {"metric": "load", "since": "2h"},
        slow_timeout_s=0.002,
        source="samples_store",
        secrets=("host_samples", "tenant_id"),
    ),
    Case(
        "tabulate",
        {"table": "host_samples", "filters": [{"field": "metric", "op": "eq", "value": "load"}], "limit": 5},
        {"table": "host_samples", "fields": ["at", "value"]},
        {"table": "host_samples", "aggregates": [{"fn": "p99", "field": "value", "as": "p99"}]},
        slow_timeout_s=0.002,
        source="samples_store",
        secrets=("host_samples", "tenant_id"),
    ),
    Case("probe", {"value": 7}, {"rows": 500}, {"sleep_s": 60.0}),
    Case(
        "llm_tool",
        {**_EXTRACT, "instructions": "one name"},
        {**_EXTRACT, "instructions": "all names"},
        {**_EXTRACT, "instructions": "take your time"},
    ),
    Case("call", {"what": "tickets"}, {"what": "tickets"}, {"what": "slow"}, remote="service"),
    Case("remote", {"rows": 1}, {"rows": 50}, {"seconds": 20.0}, remote="mcp_server", slow_timeout_s=0.5),
)

every_tool = pytest.mark.parametrize("case", CASES, ids=str)
every_store = pytest.mark.parametrize("case", [case for case in CASES if case.source], ids=str)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    for build in (
        stores.build_inventory,
        stores.build_ducks,
        stores.build_samples,
        stores.build_documents,
        stores.build_graph,
    ):
        build(folder)
    return folder


@pytest.fixture(scope="module")
def model() -> Iterator[LlmServer]:
    """A server that speaks a language model's protocol."""
    with LlmServer() as server:
        server.on("one name", Say({"found": [{"name": "anvil"}]}))
        server.on("all names", Say({"found": [{"name": "anvil"}] * 200}))
        server.on("take your time", Say({"found": []}, wait_s=20.0))
        yield server


@pytest.fixture(scope="module")
def services() -> Iterator[tuple[SourceAsset | ToolAsset, ...]]:
    """A service over HTTP and one over MCP, with a tool for each."""
    opened = OutboundSpec(internal=True)
    words = {"type": "object", "properties": {"what": {"type": "string"}}, "required": ["what"]}
    numbers = {"type": "object", "properties": {"rows": {"type": "integer"}, "seconds": {"type": "number"}}}
    with web_service_in_thread() as web, running_mcp_server() as mcp:
        yield (
            SourceAsset(id="service", engine="http", location=web.url, outbound=opened),
            SourceAsset(id="mcp_server", engine="mcp", location=mcp, outbound=opened),
            stores.tool(
                "call",
                "http_tool",
                "http",
                "service",
                http=HttpCall(path="/{what}", rows="items"),
                parameters=words,
            ),
            stores.tool(
                "remote", "mcp_tool", "mcp", "mcp_server", mcp=McpCall(tool="work"), parameters=numbers
            ),
        )


def clock() -> float:
    return stores.NOW


Make = Callable[..., Execution]


@pytest.fixture
async def make(
    folder: Path,
    model: LlmServer,
    services: tuple[SourceAsset | ToolAsset, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Make]:
    """Executions over the stores, closed at the end."""
    made: list[Execution] = []
    monkeypatch.setenv("TEST_LLM_KEY", KEY)
    llm = LlmClient(LlmSettings(url=model.url, model="small", key_reference="env:TEST_LLM_KEY"))

    def build(*more: Any, threads: int = 4, **options: Any) -> Execution:
        registry = stores.registry_over(folder, *services, *more)
        tools = build_tools(registry, clock=clock, threads=threads, llm=llm)
        made.append(Execution(registry, tools, clock, chance=lambda: 0.0, **options))
        return made[-1]

    yield build
    for execution in made:
        await execution.close()


def asked(case: Case, params: dict[str, Any], **fields: Any) -> ToolCalled:
    return stores.call(case.tool_id, params, now=stores.NOW, **fields)


def output_of(result: ToolSucceeded | ToolFailed) -> ToolOutput:
    assert isinstance(result, ToolSucceeded), result
    return result.output


def code_of(result: ToolSucceeded | ToolFailed) -> ErrorCode:
    assert isinstance(result, ToolFailed), result
    return result.error.code


@every_tool
async def test_an_ordinary_call_says_what_was_found_where_and_how(case: Case, make: Make) -> None:
    """Ids are carried over; source, question and row count are there."""
    result = await make().run(asked(case, case.ordinary))

    output = output_of(result)
    assert (result.trace_id, result.call_id, result.step_id) == ("trace", "call", "step")
    assert output.facts["row_count"] == len(output.rows)
    assert output.source == (case.source or case.remote)
    assert output.query.startswith(case.tool_id)
    assert all(len(row) == len(output.columns) for row in output.rows)
    assert not output.truncated


@every_tool
async def test_rows_beyond_the_cap_are_cut_and_the_output_says_so(case: Case, make: Make) -> None:
    output = output_of(await make().run(asked(case, case.many, max_rows=3)))

    assert len(output.rows) == 3
    assert output.truncated
    assert output.facts["row_count"] == 3


@every_tool
async def test_bytes_beyond_the_cap_are_cut_and_the_output_says_so(case: Case, make: Make) -> None:
    whole = output_of(await make().run(asked(case, case.many)))
    most = len(msgspec.json.encode(whole)) - 20

    output = output_of(await make(max_output_bytes=most).run(asked(case, case.many)))

    assert len(msgspec.json.encode(output)) <= most
    assert 0 < len(output.rows) < len(whole.rows)
    assert output.truncated
    assert output.facts["row_count"] == len(output.rows)


@every_tool
async def test_a_call_longer_than_its_time_ends_in_time(case: Case, make: Make) -> None:
    """TOOL_TIMEOUT, soon after the time is over."""
    began = time.monotonic()

    result = await make().run(asked(case, case.slow, timeout_s=case.slow_timeout_s))

    assert code_of(result) is ErrorCode.TOOL_TIMEOUT
    assert time.monotonic() - began < 4 * case.slow_timeout_s + 1.0


@every_store
async def test_a_call_whose_time_is_over_frees_its_thread(case: Case, make: Make) -> None:
    """With one thread, the next call runs only if the work of the first was stopped."""
    execution = make(threads=1)
    assert code_of(await execution.run(asked(case, case.slow, timeout_s=case.slow_timeout_s)))

    output = output_of(await execution.run(asked(case, case.ordinary, timeout_s=5.0)))

    assert output.rows


@every_store
async def test_a_call_cancelled_from_outside_frees_its_thread(case: Case, make: Make) -> None:
    execution = make(threads=1)
    slow = asyncio.create_task(execution.run(asked(case, case.slow)))
    await asyncio.sleep(0)

    slow.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slow

    assert output_of(await execution.run(asked(case, case.ordinary, timeout_s=5.0))).rows


@every_store
async def test_calls_run_side_by_side(case: Case, make: Make) -> None:
    """Several calls at once all come back, each with its own rows."""
    execution = make()

    results = await asyncio.gather(*(execution.run(asked(case, case.ordinary)) for _ in range(8)))

    assert len({str(output_of(result).rows) for result in results}) == 1


@pytest.mark.parametrize("case", CASES[:2], ids=str)
async def test_a_slow_call_holds_up_no_other(case: Case, make: Make) -> None:
    execution = make()
    slow = asyncio.create_task(execution.run(asked(case, case.slow, timeout_s=5.0)))

    output = output_of(await execution.run(asked(case, case.ordinary)))

    assert output.rows
    assert not slow.done()
    slow.cancel()


@every_tool
async def test_another_tenant_is_refused(case: Case, make: Make) -> None:
    result = await make().run(asked(case, case.ordinary, tenant_id=stores.OTHER_TENANT))

    assert code_of(result) is ErrorCode.TENANT_MISMATCH


@every_tool
async def test_a_role_without_the_right_is_refused(case: Case, make: Make) -> None:
    assert code_of(await make().run(asked(case, case.ordinary, roles=()))) is ErrorCode.PERMISSION_DENIED


@every_tool
@pytest.mark.parametrize(
    "params", [{"surprise": 1}, {"template": "nowhere", "args": 3}, {"args": None}, {"template": None}]
)
async def test_parameters_that_do_not_fit_are_refused(case: Case, params: dict[str, Any], make: Make) -> None:
    assert code_of(await make().run(asked(case, params))) is ErrorCode.INVALID_PARAMS


@every_tool
async def test_a_template_nobody_published_is_refused(case: Case, make: Make) -> None:
    result = await make().run(asked(case, {"template": "nowhere", "args": {}}))

    assert code_of(result) is ErrorCode.ASSET_LOAD_FAILED


@every_tool
async def test_a_call_after_its_deadline_is_not_run(case: Case, make: Make) -> None:
    result = await make().run(asked(case, case.ordinary, deadline_at=stores.NOW))

    assert code_of(result) is ErrorCode.TOOL_TIMEOUT


@every_store
async def test_a_store_that_is_away_is_tried_again_and_leaks_nothing(
    case: Case, make: Make, folder: Path
) -> None:
    """UPSTREAM_UNAVAILABLE after the policy's retries; the path is for operators only."""
    source = next(each for each in _sources(folder) if each.id == case.source)
    away = source.model_copy(update={"location": str(folder / "no" / "such" / "place.db")})

    result = await make(away).run(asked(case, case.ordinary))

    assert isinstance(result, ToolFailed)
    assert result.error.code is ErrorCode.UPSTREAM_UNAVAILABLE
    assert result.retries >= 1
    assert_tells_nothing(result, case)


@every_store
async def test_a_store_that_is_broken_leaks_nothing(
    case: Case, make: Make, folder: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database, whatever its name says. " * 200)
    source = next(each for each in _sources(folder) if each.id == case.source)

    result = await make(source.model_copy(update={"location": str(broken)})).run(asked(case, case.ordinary))

    assert isinstance(result, ToolFailed)
    assert_tells_nothing(result, case)


@every_store
async def test_closing_releases_the_files(case: Case, make: Make, folder: Path) -> None:
    execution = make()
    output_of(await execution.run(asked(case, case.ordinary)))

    await execution.close()

    assert not [path for path in _open_files() if str(folder) in path]


def assert_tells_nothing(result: ToolFailed, case: Case) -> None:
    public = result.error.public()
    text = f"{public.message} {public.suggestion}"
    assert "/" not in text
    assert not [secret for secret in case.secrets if secret.lower() in text.lower()]


def _sources(folder: Path) -> list[SourceAsset]:
    return [*stores.registry_over(folder).sources.values()]


def _open_files() -> list[str]:
    found = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found.append(os.readlink(descriptor))
        except OSError:
            continue
    return found
