"""Adapters over real stores: what each of them adds to the common promises."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import MissingExtra, build_tools
from agents.execution.tools.engines.engine import Question
from agents.execution.tools.engines.sqlite import SqliteEngine
from agents.execution.tools.threads import Stop
from registry.assets import TemplateAsset
from registry.registry import Registry
from schemas.calls import Shape, ToolFailed, ToolOutput, ToolSucceeded, Unit
from schemas.errors import ErrorCode, OpsError
from tests.support import execution_stores as stores
from tests.support.execution_stores import NOW, call

DISKS = TemplateAsset.model_validate(
    {
        "id": "servers_of_rack",
        "title": "Servers",
        "tool": "query_inventory",
        "mode": "config",
        "examples": ["servers?"],
        "parameters": {"rack": {"type": "string", "resolver": "entity", "values": ["r0"]}},
        "statement": "SELECT name, memory_bytes FROM servers WHERE rack = :rack ORDER BY name",
        "units": {"memory_bytes": "bytes"},
    }
)
EDGES = TemplateAsset.model_validate(
    {
        "id": "needs",
        "title": "Needs",
        "tool": "relate",
        "mode": "graph",
        "examples": ["needs?"],
        "parameters": {"name": {"type": "string", "resolver": "entity", "values": ["p1"]}},
        "statement": "MATCH (a:Package)-[:DEPENDS_ON]->(b:Package) WHERE a.name = $name "
        "RETURN a.name AS `from`, 'needs' AS relation, b.name AS `to` ORDER BY b.size",
    }
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stores")
    for build in (stores.build_inventory, stores.build_samples, stores.build_documents, stores.build_graph):
        build(folder)
    return folder


@pytest.fixture
async def execution(folder: Path) -> AsyncIterator[Execution]:
    registry = stores.registry_over(folder, DISKS, EDGES)
    made = Execution(registry, build_tools(registry, clock=lambda: NOW), lambda: NOW)
    yield made
    await made.close()


async def found(execution: Execution, tool_id: str, params: dict[str, Any]) -> ToolOutput:
    result = await execution.run(call(tool_id, params, now=NOW))
    assert isinstance(result, ToolSucceeded), result
    return result.output


async def code(execution: Execution, tool_id: str, params: dict[str, Any]) -> ErrorCode:
    result = await execution.run(call(tool_id, params, now=NOW))
    assert isinstance(result, ToolFailed), result
    return result.error.code


async def test_a_templates_units_and_words_reach_the_output(execution: Execution) -> None:
    output = await found(
        execution, "query_inventory", {"template": "servers_of_rack", "args": {"rack": "r0"}}
    )

    assert [(column.name, column.unit) for column in output.columns] == [
        ("name", Unit.TEXT),
        ("memory_bytes", Unit.BYTES),
    ]
    assert output.query == "servers_of_rack(rack=r0)"
    assert output.read_at == NOW


async def test_hostile_values_stay_values(execution: Execution) -> None:
    args = {"rack": "r0' OR '1'='1"}

    assert (
        await found(execution, "query_inventory", {"template": "servers_of_rack", "args": args})
    ).rows == []


async def test_columns_that_are_not_listed_do_not_exist(execution: Execution) -> None:
    """Neither by name nor by star."""
    everything = await found(execution, "query_inventory", {"sql": "SELECT * FROM servers"})

    assert [column.name for column in everything.columns] == ["name", "rack", "memory_bytes"]
    # SQLite reads an unknown quoted name as a text and an unknown bare one as an error.
    by_name = await code(execution, "query_inventory", {"sql": "SELECT password FROM servers"})
    assert by_name is ErrorCode.SQL_BLOCKED


async def test_rows_of_another_tenant_do_not_exist(execution: Execution) -> None:
    output = await found(execution, "query_shared", {"sql": "SELECT title FROM tickets"})

    assert output.rows == [["printer"]]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM salaries",
        "SELECT * FROM sqlite_master",
        "SELECT load_extension('x')",
        "INSERT INTO servers VALUES ('x', 'y', 1, 'z')",
        "PRAGMA table_info(servers)",
        "ATTACH DATABASE ':memory:' AS x",
        "CREATE TEMP TABLE x(a)",
    ],
)
def test_the_engine_is_a_second_wall(folder: Path, statement: str) -> None:
    """A statement that no guard saw still reaches nothing but the listed tables."""
    source = stores.registry_over(folder).source("inventory")
    assert source is not None

    answer = SqliteEngine().ask(Question(source, "acme", statement, {}, 10, 5.0), Stop())

    assert isinstance(answer, OpsError)
    assert answer.code is ErrorCode.SQL_BLOCKED


def test_a_statement_that_shall_stop_does_not_run(folder: Path) -> None:
    source = stores.registry_over(folder).source("inventory")
    assert source is not None
    stop = Stop()
    stop.set()
    slow = "SELECT COUNT(*) FROM numbers a, numbers b, numbers c WHERE a.n + b.n + c.n < -1"

    answer = SqliteEngine().ask(Question(source, "acme", slow, {}, 10, 60.0), stop)

    assert isinstance(answer, OpsError)
    assert answer.code is ErrorCode.TOOL_TIMEOUT


async def test_text_that_is_not_utf8_is_read_all_the_same(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "inventory.db")
    connection.execute("CREATE TABLE servers(name TEXT, rack TEXT, memory_bytes INTEGER)")
    connection.execute("INSERT INTO servers VALUES (CAST(x'ff41' AS TEXT), 'r', 9223372036854775807)")
    connection.commit()
    connection.close()
    registry = stores.registry_over(tmp_path)
    execution = Execution(registry, build_tools(registry), lambda: NOW)

    output = await found(execution, "query_inventory", {"sql": "SELECT name, memory_bytes FROM servers"})

    assert output.rows == [["\ufffdA", 2**63 - 1]]
    await execution.close()


async def test_edges_are_a_graph_and_other_rows_a_table(execution: Execution) -> None:
    edges = await found(execution, "relate", {"template": "needs", "args": {"name": "p57"}})
    names = await found(execution, "relate", {"cypher": "MATCH (a:Package) RETURN a.name LIMIT 2"})

    assert (edges.shape, names.shape) == (Shape.GRAPH, Shape.TABLE)
    assert edges.rows == [["p57", "needs", "p58"], ["p57", "needs", "p59"]]


async def test_a_whole_node_shows_its_listed_properties_only(execution: Execution) -> None:
    output = await found(execution, "relate", {"cypher": "MATCH (a:Package) WHERE a.name = 'p1' RETURN a"})

    assert output.rows == [['{"label": "Package", "name": "p1", "size": 1}']]


async def test_a_store_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    """The graph is kept open between calls, but only as long as it is the same file."""
    stores.build_graph(tmp_path)
    registry = stores.registry_over(tmp_path)
    execution = Execution(registry, build_tools(registry), lambda: NOW)
    count = {"cypher": "MATCH (a:Package) RETURN COUNT(a) AS n"}
    assert (await found(execution, "relate", count)).rows == [[60]]

    (tmp_path / "graph").rename(tmp_path / "old")
    import ladybug

    database = ladybug.Database(str(tmp_path / "graph"))
    ladybug.Connection(database).execute("CREATE NODE TABLE Package(name STRING PRIMARY KEY, size INT64)")
    database.close()

    assert (await found(execution, "relate", count)).rows == [[0]]
    await execution.close()


async def test_the_best_passage_comes_first_and_says_where_it_stands(execution: Execution) -> None:
    output = await found(execution, "search", {"query": "How do I redrive dead letters?"})

    hit = dict(zip([column.name for column in output.columns], output.rows[0], strict=True))
    assert (hit["chunk_id"], hit["document_name"], hit["page_number"]) == ("rb#1", "Runbook", 1)
    assert hit["relevance_score"] == output.facts["best_relevance"] > 0.8
    assert "redrive" in str(hit["snippet"])
    assert output.shape is Shape.DOCUMENTS
    assert not any("/srv" in str(value) for row in output.rows for value in row)


@pytest.mark.parametrize(
    ("filters", "documents"),
    [
        ({}, {"rb", "gd"}),
        ({"document_type": "guide"}, {"gd"}),
        ({"document_type": ["guide", "runbook"]}, {"rb", "gd"}),
        ({"document_type": "poem"}, set()),
        ({"modified_from": 1500.0}, {"gd"}),
        ({"modified_to": 1500.0}, {"rb"}),
    ],
)
async def test_filters_narrow_a_search(
    execution: Execution, filters: dict[str, Any], documents: set[str]
) -> None:
    params = {"query": "dead letters", "min_relevance": 0.0, "filters": filters}

    output = await found(execution, "search", params)

    assert {row[1] for row in output.rows} == documents


async def test_what_is_hardly_relevant_is_left_out(execution: Execution) -> None:
    """One known word of three is less than half of what is asked."""
    assert (await found(execution, "search", {"query": "quantum chromodynamics letters"})).rows == []


@pytest.mark.parametrize(
    "query", ['"', "NEAR(a b)", "chunk_text:x", "a* OR b^", "-letters", "{a}", "letters'; DROP"]
)
async def test_search_syntax_is_only_words(execution: Execution, query: str) -> None:
    result = await execution.run(call("search", {"query": query}, now=NOW))

    assert isinstance(result, ToolSucceeded) or result.error.code is ErrorCode.INVALID_PARAMS


@pytest.mark.parametrize("mode", ["vector", "hybrid"])
async def test_modes_that_are_not_there_yet_are_refused_with_a_way_out(
    execution: Execution, mode: str
) -> None:
    result = await execution.run(call("search", {"query": "letters", "mode": mode}, now=NOW))

    assert isinstance(result, ToolFailed)
    assert (result.error.code, result.error.suggestion) == (
        ErrorCode.INVALID_PARAMS,
        "Search with mode text.",
    )


async def test_a_series_has_its_figures_and_its_period(execution: Execution) -> None:
    """The wave 50 to 54, the last value 90: an anomaly; another tenant's 999 are not there."""
    output = await found(execution, "measure", {"metric": "load", "series": "host", "since": "10m"})

    assert output.shape is Shape.SERIES
    assert output.rows[0][0] == NOW - 600
    assert output.rows[-1] == [NOW, 90.0]
    assert (output.facts["last"], output.facts["max"], output.facts["count"]) == (90.0, 90.0, 601)
    assert output.facts["p50"] == 52.0
    assert output.facts["anomalous"] is True
    assert output.fact_units["count"] is Unit.NUMBER


async def test_an_absolute_period_goes_before_since(execution: Execution) -> None:
    params = {"metric": "load", "from": NOW - 30, "to": NOW - 20, "functions": ["mean"]}

    output = await found(execution, "measure", params)

    assert [row[0] for row in output.rows] == [NOW - second for second in range(30, 19, -1)]
    assert set(output.facts) == {"row_count", "series_count", "mean"}


async def test_several_series_are_named_row_by_row(execution: Execution) -> None:
    output = await found(execution, "measure", {"metric": "busy", "since": "1m"})

    assert [column.name for column in output.columns] == ["at", "value", "series"]
    assert output.facts["series_count"] == 2


async def test_a_metric_nobody_measured_has_no_points(execution: Execution) -> None:
    output = await found(execution, "measure", {"metric": "dreams"})

    assert (output.rows, output.facts) == ([], {"row_count": 0})


async def test_a_long_series_is_thinned_and_says_so(execution: Execution) -> None:
    output = await found(execution, "measure", {"metric": "load", "since": "2h"})

    assert len(output.rows) <= 1_000
    assert output.truncated
    assert output.facts["count"] == stores.SAMPLES


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "load", "since": "15"},
        {"metric": "load", "since": "-1h"},
        {"metric": "load", "functions": ["p42"]},
        {"metric": ""},
        {"metric": "load", "from": NOW, "to": NOW - 1},
        {},
    ],
)
async def test_a_series_is_asked_for_properly(execution: Execution, params: dict[str, Any]) -> None:
    assert await code(execution, "measure", params) is ErrorCode.INVALID_PARAMS


async def test_a_value_the_statement_does_not_use_is_refused(execution: Execution) -> None:
    params = {"sql": "SELECT name FROM servers", "args": {"rack": "r0"}}

    assert await code(execution, "query_inventory", params) is ErrorCode.INVALID_PARAMS


def test_only_tools_that_somebody_declared_are_made(folder: Path) -> None:
    """Without a tool of the type probe nobody can call one."""
    assert build_tools(Registry.of()) == {}
    assert set(build_tools(stores.registry_over(folder))) == {
        "direct_query",
        "dynamic",
        "baseline_metrics",
        "document_search",
        "graph_query",
        "llm_tool",
        "probe",
    }


def test_a_missing_extra_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(MissingExtra, match=r"opsloom\[(duckdb|graph)\]"):
        build_tools(stores.registry_over(folder))
