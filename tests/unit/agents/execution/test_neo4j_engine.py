"""Neo4j over Bolt, against a server that speaks the protocol."""

from __future__ import annotations

from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from registry.assets import SourceAsset
from registry.registry import Registry
from schemas.calls import Shape, ToolFailed, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support import execution_stores as stores
from tests.support.bolt_server import BoltServer, Failure, Reply, Rows, node

QUERY = (
    "MATCH (a:Service)-[:CALLS]->(b:Service) WHERE a.name = $name "
    "RETURN a.name AS `from`, 'calls' AS relation, b.name AS `to`"
)


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPH_PASSWORD", "secret")


async def ask(
    server: BoltServer, cypher: str = QUERY, *, timeout_s: float = 5.0, credential: str = "env:GRAPH_PASSWORD"
) -> ToolSucceeded | ToolFailed:
    """One guarded call."""
    source = SourceAsset(
        id="graph",
        engine="neo4j",
        location=f"bolt://127.0.0.1:{server.port}/ops",
        user="reader",
        credential=credential,
        tables={"Service": ["tenant_id", "name"], "CALLS": []},
        tenant_column="tenant_id",
    )
    registry = Registry.of().register(source).register(stores.tool("relate", "graph_query", "graph", "graph"))
    execution = Execution(registry, build_tools(registry), lambda: stores.NOW, chance=lambda: 0.0)
    args = {"name": "checkout"} if "$name" in cypher else {}
    try:
        called = stores.call("relate", {"cypher": cypher, "args": args}, now=stores.NOW, timeout_s=timeout_s)
        return await execution.run(called)
    finally:
        await execution.close()


def always(reply: Reply) -> Any:
    return lambda statement, values: reply


async def test_edges_come_back_as_a_graph_bound_to_the_tenant() -> None:
    """The statement that arrives names the tenant as a value, in a read transaction with a timeout."""
    rows = Rows(["from", "relation", "to"], [["checkout", "calls", "payments"]])
    async with BoltServer(always(rows)).running() as server:
        result = await ask(server)

    assert isinstance(result, ToolSucceeded), result
    assert (result.output.shape, result.output.rows) == (Shape.GRAPH, [["checkout", "calls", "payments"]])
    statement, values, extra = server.asked[0]
    assert statement.count("tenant_id : $opsloom_tenant") == 2
    assert values == {"name": "checkout", "opsloom_tenant": stores.TENANT}
    assert (extra["mode"], extra["tx_timeout"], extra["db"]) == ("r", 5_000, "ops")


async def test_a_node_shows_its_listed_properties_only() -> None:
    rows = Rows(["a"], [[node(1, "Service", name="checkout", tenant_id="acme", token="hunter2")]])
    async with BoltServer(always(rows)).running() as server:
        result = await ask(server, "MATCH (a:Service) RETURN a")

    assert isinstance(result, ToolSucceeded), result
    assert "checkout" in str(result.output.rows)
    assert "hunter2" not in str(result.output.rows)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("Neo.ClientError.Statement.SyntaxError", ErrorCode.TOOL_BAD_REQUEST),
        ("Neo.ClientError.Transaction.TransactionTimedOut", ErrorCode.TOOL_TIMEOUT),
        ("Neo.ClientError.Security.Forbidden", ErrorCode.SQL_BLOCKED),
        ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", ErrorCode.UPSTREAM_UNAVAILABLE),
    ],
)
async def test_what_the_server_says_becomes_a_code(code: str, expected: ErrorCode) -> None:
    """Its words stay with the operators."""
    async with BoltServer(always(Failure(code))).running() as server:
        result = await ask(server)

    assert isinstance(result, ToolFailed)
    assert result.error.code is expected
    assert "words" not in result.error.public().message


async def test_a_server_that_never_answers_ends_in_a_timeout() -> None:
    async with BoltServer(always(None)).running() as server:
        result = await ask(server, timeout_s=0.3)

    assert isinstance(result, ToolFailed)
    assert result.error.code is ErrorCode.TOOL_TIMEOUT


async def test_a_wrong_password_and_a_server_that_is_away_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTHER_PASSWORD", "wrong")
    async with BoltServer(always(None)).running() as server:
        refused = await ask(server, credential="env:OTHER_PASSWORD")
    away = await ask(server)

    assert isinstance(refused, ToolFailed)
    assert isinstance(away, ToolFailed)
    assert (refused.error.code, away.error.code) == (ErrorCode.AUTH_FAILED, ErrorCode.UPSTREAM_UNAVAILABLE)
