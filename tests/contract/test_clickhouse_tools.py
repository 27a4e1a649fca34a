"""ClickHouse behind direct_query and baseline_metrics, over the embedded engine's HTTP interface."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from registry.assets import SourceAsset, TemplateAsset, ToolAsset
from registry.registry import Registry
from schemas.calls import Shape, ToolFailed, ToolOutput, ToolSucceeded, Unit
from schemas.errors import ErrorCode
from sinks.client import command, connect, insert
from sinks.embedded_clickhouse import EmbeddedClickHouse
from tests.support.execution_stores import NOW, OTHER_TENANT, TENANT, call, tool

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("chdb") is None,
    reason="needs the extra embedded: pip install 'opsloom[embedded]'",
)

_TABLE = """CREATE TABLE host_samples(tenant_id String, at DateTime64(3, 'UTC'), series String, metric String,
            value Float64) ENGINE = MergeTree ORDER BY (tenant_id, metric, series, at)"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse")) as engine:
        command(connect(engine.url, "default", wait_s=10), "CREATE DATABASE opsloom")
        client = connect(engine.url)
        command(client, _TABLE)
        rows: list[dict[str, Any]] = [
            {"tenant_id": TENANT, "at": NOW - second, "series": "host", "metric": "load", "value": 50.0}
            for second in range(3_000)
        ]
        rows.append(
            {"tenant_id": OTHER_TENANT, "at": NOW, "series": "host", "metric": "load", "value": 999.0}
        )
        insert(client, "host_samples", rows)
        yield engine.url


def registry_at(url: str) -> Registry:
    source = SourceAsset(
        id="samples_store",
        engine="clickhouse",
        location=url,
        tables={"host_samples": ["tenant_id", "at", "series", "metric", "value"]},
        tenant_column="tenant_id",
    )
    template = TemplateAsset.model_validate(
        {
            "id": "load_since",
            "title": "Load",
            "tool": "query_samples",
            "mode": "metric",
            "examples": ["load?"],
            "parameters": {
                "range": {"type": "time_range", "resolver": "time_range", "default": "last 1 hour"},
                "n": {"type": "integer", "resolver": "top_n", "default": 5},
            },
            "statement": "SELECT at, value FROM host_samples WHERE at >= toDateTime64(:range_from, 3) "
            "AND at < toDateTime64(:range_to, 3) ORDER BY at DESC LIMIT :n",
            "units": {"at": "timestamp"},
        }
    )
    tools: list[ToolAsset] = [
        tool("query_samples", "direct_query", "sql", "samples_store"),
        tool("measure", "baseline_metrics", "timeseries", "samples_store"),
    ]
    registry = Registry.of().register(source)
    for each in tools:
        registry = registry.register(each)
    return registry.register(template)


@pytest.fixture
async def execution(url: str) -> AsyncIterator[Execution]:
    registry = registry_at(url)
    made = Execution(registry, build_tools(registry, clock=lambda: NOW, threads=2), lambda: NOW)
    yield made
    await made.close()


def output_of(result: ToolSucceeded | ToolFailed) -> ToolOutput:
    assert isinstance(result, ToolSucceeded), result
    return result.output


def code_of(result: ToolSucceeded | ToolFailed) -> ErrorCode:
    assert isinstance(result, ToolFailed), result
    return result.error.code


async def test_a_template_runs_with_values_bound_by_the_server(execution: Execution) -> None:
    """Moments come back as Unix seconds with their unit; the question is told in words."""
    params = {"template": "load_since", "args": {"range_from": NOW - 10, "range_to": NOW, "n": 3}}

    output = output_of(await execution.run(call("query_samples", params, now=NOW)))

    assert output.rows == [[NOW - 1, 50.0], [NOW - 2, 50.0], [NOW - 3, 50.0]]
    assert [column.unit for column in output.columns] == [Unit.TIMESTAMP, Unit.NUMBER]
    assert output.query == "load_since(range_from=2027-01-15T07:59:50Z, range_to=2027-01-15T08:00:00Z, n=3)"


async def test_rows_of_another_tenant_do_not_exist(execution: Execution) -> None:
    sql = {"sql": "SELECT MAX(value) AS most, COUNT(*) AS n FROM host_samples"}

    output = output_of(await execution.run(call("query_samples", sql, now=NOW)))

    assert output.rows == [[50.0, 3_000]]


async def test_hostile_values_stay_values(execution: Execution) -> None:
    params = {
        "sql": "SELECT COUNT(*) AS n FROM host_samples WHERE series = :series",
        "args": {"series": "x' OR '1'='1"},
    }

    assert output_of(await execution.run(call("query_samples", params, now=NOW))).rows == [[0]]


async def test_figures_of_a_series_come_from_all_points_though_rows_are_thinned(execution: Execution) -> None:
    params = {"metric": "load", "series": "host", "since": "2h"}

    output = output_of(await execution.run(call("measure", params, now=NOW)))

    assert output.shape is Shape.SERIES
    assert output.facts["count"] == 3_000
    assert output.facts["max"] == 50.0
    assert len(output.rows) == 1_000
    assert output.truncated
    assert output.rows[0][0] == NOW - 2_999
    assert output.rows[-1][0] == NOW


_SLOW = {
    "sql": "SELECT COUNT(*) FROM host_samples a, host_samples b, host_samples c WHERE a.value + b.value + c.value < 0"
}


async def test_a_slow_statement_is_stopped_when_its_time_is_over(execution: Execution) -> None:
    """With two threads and two slow calls over, the next one finds a thread."""
    began = time.monotonic()
    slow = [execution.run(call("query_samples", _SLOW, now=NOW, timeout_s=0.3)) for _ in range(2)]
    assert {code_of(result) for result in await asyncio.gather(*slow)} == {ErrorCode.TOOL_TIMEOUT}

    params = {"sql": "SELECT 1 AS one"}
    assert output_of(await execution.run(call("query_samples", params, now=NOW, timeout_s=10.0))).rows == [
        [1]
    ]
    assert time.monotonic() - began < 10


async def test_writing_is_refused_by_the_engine_too(url: str) -> None:
    """The second wall: even a statement that no guard saw cannot write."""
    from agents.execution.tools.engines.clickhouse import ClickHouseEngine
    from agents.execution.tools.engines.engine import Question
    from agents.execution.tools.threads import Stop
    from schemas.errors import OpsError

    source = registry_at(url).source("samples_store")
    assert source is not None
    engine = ClickHouseEngine()

    answer = engine.ask(
        Question(source, TENANT, "CREATE TABLE x(a Int8) ENGINE = Memory", {}, 10, 5.0), Stop()
    )

    assert isinstance(answer, OpsError)
    engine.close()


async def test_a_missing_column_is_told_to_operators_only(execution: Execution) -> None:
    result = await execution.run(call("query_samples", {"sql": "SELECT nope FROM host_samples"}, now=NOW))

    assert isinstance(result, ToolFailed)
    assert result.error.code is ErrorCode.SQL_BLOCKED
    assert "nope" not in result.error.message
    assert "nope" in (result.error.detail or "")


async def test_a_server_that_is_away_is_unavailable_and_not_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    registry = registry_at(address)
    execution = Execution(registry, build_tools(registry), lambda: NOW, chance=lambda: 0.0)

    result = await execution.run(call("query_samples", {"sql": "SELECT 1 AS one"}, now=NOW))

    assert isinstance(result, ToolFailed)
    assert result.error.code is ErrorCode.UPSTREAM_UNAVAILABLE
    assert result.retries == 1
    assert "127.0.0.1" not in f"{result.error.message}{result.error.suggestion}"
    await execution.close()
