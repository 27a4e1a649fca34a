"""ClickHouse with the first wall off: statements that no guard has seen meet what the engine and its settings hold.

Users and row policies need a server; the embedded engine keeps none (docs/security.md says so). Of them it is tested
that a ClickHouse parser takes what `opsloom guard clickhouse-setup` prints.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.execution.guards.verdict import Bounds
from agents.execution.tools.engines.clickhouse import ClickHouseEngine
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.roles import clickhouse_roles
from agents.execution.tools.threads import Stop
from registry.assets import SourceAsset
from schemas.errors import ErrorCode, OpsError
from sinks.client import command, connect, query
from sinks.embedded_clickhouse import EmbeddedClickHouse

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("chdb") is None,
    reason="needs the extra embedded: pip install 'opsloom[embedded]'",
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("walls")
    with EmbeddedClickHouse(folder / "engine") as engine:
        command(connect(engine.url, "default", wait_s=10), "CREATE DATABASE opsloom")
        client = connect(engine.url)
        command(client, "CREATE TABLE tickets (id UInt32, tenant_id String) ENGINE = MergeTree ORDER BY id")
        command(client, "INSERT INTO tickets SELECT number, 'acme' FROM numbers(5000)")
        yield engine.url


def ask(url: str, statement: str, *, max_rows: int = 100, timeout_s: float = 10.0) -> Found | OpsError:
    """The statement as it is, past every guard."""
    engine = ClickHouseEngine()
    source = SourceAsset(id="db", engine="clickhouse", location=url, tenant_column="tenant_id")
    try:
        return engine.ask(Question(source, "acme", statement, {}, max_rows, timeout_s), Stop())
    finally:
        engine.close()


def rows_in(url: str) -> int:
    return int(query(connect(url), "SELECT count() AS n FROM tickets")[0]["n"])


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO tickets VALUES (1, 'acme')",
        "INSERT INTO tickets SELECT number, 'x' FROM numbers(3)",
        "ALTER TABLE tickets DELETE WHERE 1",
        "TRUNCATE TABLE tickets",
        "DROP TABLE tickets",
        "RENAME TABLE tickets TO gone",
        "CREATE TABLE mine (id UInt8) ENGINE = Memory",
        "CREATE TEMPORARY TABLE mine (id UInt8)",
        "SET readonly = 0",
        "SELECT 1 SETTINGS readonly = 0",
        "SELECT 1 SETTINGS max_result_rows = 0",
        "SELECT 1 SETTINGS max_execution_time = 0",
        "SYSTEM SHUTDOWN",
        "KILL QUERY WHERE 1",
        "SELECT 1; DROP TABLE tickets",
    ],
)
def test_nothing_is_changed_not_even_a_setting(url: str, statement: str) -> None:
    """`readonly = 1` travels with each statement: no write, no other setting, no second statement."""
    found = ask(url, statement)

    assert isinstance(found, OpsError), found
    assert found.code in (ErrorCode.SQL_BLOCKED, ErrorCode.TOOL_BAD_REQUEST)
    assert rows_in(url) == 5_000


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM file('{folder}/secret.csv', 'CSV', 'a Int32, b String')",
        "SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')",
        "SELECT * FROM remote('127.0.0.1', 'system', 'one')",
        "SELECT * FROM s3('http://127.0.0.1:9/b/k.csv')",
        "SELECT * FROM mysql('127.0.0.1:9', 'd', 't', 'u', 'p')",
        "SELECT * FROM executable('id', 'TSV', 'a String')",
        "SELECT * FROM (SELECT * FROM /* x */ `file`('{folder}/secret.csv'))",
        "SELECT 1 INTO OUTFILE '{folder}/out.csv'",
    ],
)
def test_no_file_and_no_other_server_is_read(url: str, statement: str, tmp_path: Path) -> None:
    """Table functions that read outside are refused, however they are written: here by the front of the embedded
    engine, which stands for the grants on sources that a server's user does not have."""
    secret = tmp_path / "secret.csv"
    secret.write_text("1,secret\n")

    found = ask(url, statement.format(folder=tmp_path))

    assert isinstance(found, OpsError), found
    outfile = ErrorCode.TOOL_BAD_REQUEST if "OUTFILE" in statement else None
    assert found.code is (outfile or ErrorCode.PERMISSION_DENIED), found
    assert list(tmp_path.iterdir()) == [secret]


def test_more_rows_than_the_cap_do_not_come_back(url: str) -> None:
    """The limit stops the engine; the adapter keeps no more than it asked for."""
    found = ask(url, "SELECT number FROM system.numbers", max_rows=50)

    assert isinstance(found, Found), found
    assert len(found.rows) == 50


def test_a_statement_ends_in_its_time(url: str) -> None:
    """Half a second, on the server's clock too."""
    began_at = time.monotonic()

    found = ask(url, "SELECT count() FROM numbers(1000000000000) WHERE sipHash64(number) = 1", timeout_s=0.5)

    assert isinstance(found, OpsError)
    assert found.code is ErrorCode.TOOL_TIMEOUT
    assert time.monotonic() - began_at < 5


def test_what_the_setup_prints_is_read_by_a_clickhouse_parser(url: str) -> None:
    """Users, grants on columns and row policies, for names that try to break out of their quotes too."""
    hostile = "a`; DROP TABLE tickets; --'\\"
    catalogue = Bounds({"tickets": ("id", "tenant_id"), "odd`name": ()}, "tenant_id", 10)
    client = connect(url)

    lines = clickhouse_roles(catalogue, ["acme", hostile], "opsloom").split("\n")

    assert len(lines) == 10
    for line in lines:
        tree = query(client, f"EXPLAIN AST {line.removesuffix(';')}")
        assert any(word in str(tree) for word in ("CreateUserQuery", "GrantQuery", "CREATE ROW POLICY")), tree
