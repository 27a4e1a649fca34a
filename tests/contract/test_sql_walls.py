"""The second wall of each SQL engine: statements that never met the guard read no foreign row and write nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from agents.execution.guards.by_engine import GUARDS
from agents.execution.guards.verdict import Allow
from agents.execution.tools.engines.engine import Engine, Found, Question
from agents.execution.tools.threads import Stop
from registry.assets import SourceAsset
from schemas.errors import ErrorCode, OpsError
from tests.support.two_tenants import CATALOGUE, OWN, ROWS, SECRET, STORES

FOREIGN = {row[2] for row in ROWS} - {row[2] for row in OWN}


@dataclass
class Wall:
    """One engine, asked without its guard or with it."""

    name: str
    engine: Engine
    source: SourceAsset

    def raw(self, statement: str, timeout_s: float = 5.0, **values: Any) -> Found | OpsError:
        """As if the guard let everything through."""
        return self.engine.ask(Question(self.source, "acme", statement, values, 1_000, timeout_s), Stop())

    def guarded(self, statement: str, **values: Any) -> Found:
        """As the path asks."""
        types = {str: "String", int: "Int64", float: "Float64"}
        bound = {name: types[type(value)] for name, value in values.items()}
        verdict = GUARDS[self.name](statement, CATALOGUE, bound)
        assert isinstance(verdict, Allow), verdict
        found = self.raw(verdict.statement, **values)
        assert isinstance(found, Found), found
        return found


@pytest.fixture(scope="module", params=sorted(STORES))
def wall(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wall]:
    """Each engine over the same rows; a server that is not installed is a skip, in CI a failure."""
    opened: Any = STORES[request.param](tmp_path_factory.mktemp(request.param))
    with opened as (engine, source):
        yield Wall(request.param, engine, source)


READING = (
    "SELECT * FROM tickets",
    "SELECT title FROM tickets WHERE tenant_id = 'globex'",
    "SELECT title FROM tickets UNION ALL SELECT title FROM tickets",
    "SELECT * FROM secrets",
    "SELECT (SELECT v FROM secrets) FROM tickets",
    "SELECT * FROM main.tickets",
    "SELECT * FROM main.secrets",
    "SELECT * FROM public.tickets",
    "SELECT * FROM public.secrets",
    "SELECT * FROM plain.tickets",
    "SELECT * FROM plain.secrets",
    "SELECT * FROM opsloom_globex.tickets",
    "SELECT * FROM source.main.tickets",
    "WITH tickets AS (SELECT * FROM main.tickets) SELECT title FROM tickets",
    "WITH tickets AS (SELECT * FROM public.tickets) SELECT title FROM tickets",
    "WITH x AS (SELECT set_config('row_security', 'off', false)) SELECT title FROM tickets, x",
    "WITH x AS (SELECT set_config('role', 'boss', false)) SELECT title FROM tickets, x",
    "SELECT password FROM tickets",
    "SELECT query_to_xml('SELECT * FROM secrets', true, true, '')",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT load_file('/etc/passwd')",
    "SELECT content FROM read_text('/etc/passwd')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT readfile('/etc/passwd')",
    "SELECT sql FROM sqlite_master",
    "SELECT name FROM temp.sqlite_master",
    "SELECT sql FROM duckdb_tables()",
    "SELECT authentication_string FROM mysql.user",
    "SELECT rolpassword FROM pg_authid",
    "SELECT 1; SELECT title FROM tickets",
    "TABLE tickets",
)
WRITING = (
    "DELETE FROM tickets",
    "UPDATE tickets SET tenant_id = 'acme'",
    "INSERT INTO tickets (id) VALUES (99)",
    "DROP TABLE tickets",
    "DROP VIEW tickets",
    "CREATE TABLE x (a INTEGER)",
    "CREATE TEMP TABLE x AS SELECT * FROM tickets",
    "ALTER TABLE tickets ADD COLUMN x INTEGER",
    "TRUNCATE TABLE tickets",
    "ATTACH '/tmp/opsloom-evil.db' AS evil",
    "COPY tickets TO '/tmp/opsloom-evil.csv'",
    "SELECT title FROM tickets INTO OUTFILE '/tmp/opsloom-evil.csv'",
    "SET TRANSACTION READ WRITE",
    "COMMIT",
    "PRAGMA query_only = OFF",
    "SET enable_external_access = true",
    "INSTALL httpfs",
    "GRANT ALL ON tickets TO PUBLIC",
    "SET ROLE boss",
    "SET SESSION AUTHORIZATION boss",
)


@pytest.mark.parametrize("statement", READING)
def test_a_statement_that_passed_the_guard_reads_no_foreign_row(wall: Wall, statement: str) -> None:
    """It fails, or it gives this tenant's rows."""
    found = wall.raw(statement)

    if isinstance(found, Found):
        told = str(found.rows)
        assert not [title for title in FOREIGN if f"'{title}'" in told]
        assert not [word for word in (SECRET, "hunter2", "root:x", "globex") if word in told]


def test_a_statement_that_passed_the_guard_writes_nothing(wall: Wall) -> None:
    """None of them has any effect on what is there, nor on what comes after."""
    for statement in WRITING:
        wall.raw(statement)
        wall.raw("DELETE FROM tickets")

        assert wall.guarded("SELECT COUNT(*) AS n FROM tickets").rows == [[len(OWN)]], statement


def test_the_guarded_statement_gives_the_tenants_rows(wall: Wall) -> None:
    found = wall.guarded("SELECT id, title FROM tickets WHERE status = :status ORDER BY id", status="open")

    assert found.columns == ("id", "title")
    assert found.rows == [[row[0], row[2]] for row in OWN if row[3] == "open"]


def test_values_come_as_scalars_of_json(wall: Wall) -> None:
    """Decimals as numbers; a moment as Unix seconds, or as the text it is stored as."""
    ((amount, moment, nothing),) = wall.guarded(
        "SELECT amount, created_at, NULL AS none_there FROM tickets WHERE id = :id", id=3
    ).rows

    assert amount == 4.5
    assert moment in (1_793_692_800.0, "2026-11-03 08:00:00")
    assert nothing is None


def test_values_are_bound_and_never_part_of_the_statement(wall: Wall) -> None:
    for evil in ("x' OR '1'='1", "x\\' OR 1=1 -- ", ":id", "$1", "%s", '"'):
        assert wall.guarded("SELECT id FROM tickets WHERE title = :t", t=evil).rows == []
        assert wall.guarded("SELECT COALESCE(:t, '') AS t FROM tickets WHERE id = 1", t=evil).rows == [[evil]]


def test_a_statement_that_takes_too_long_ends_in_time(wall: Wall) -> None:
    """TOOL_TIMEOUT, and the engine answers the next question."""
    endless = (
        "SELECT COUNT(*) FROM "
        + ", ".join(f"tickets t{n}" for n in range(12))
        + " WHERE t0.id + t1.id < t2.id"
    )
    began = time.monotonic()

    found = wall.raw(endless, timeout_s=0.5)

    assert isinstance(found, OpsError), found
    assert found.code is ErrorCode.TOOL_TIMEOUT, found
    assert time.monotonic() - began < 4.0
    assert wall.guarded("SELECT COUNT(*) AS n FROM tickets").rows == [[len(OWN)]]


def test_no_more_rows_than_asked_for_are_read(wall: Wall) -> None:
    question = Question(wall.source, "acme", "SELECT id FROM tickets", {}, 3, 5.0)

    found = wall.engine.ask(question, Stop())

    assert isinstance(found, Found)
    assert len(found.rows) == 3


def test_a_store_that_is_away_is_said_so_by_its_code(wall: Wall) -> None:
    away = "/nowhere/store.db" if "://" not in wall.source.location else "postgresql://127.0.0.1:1/x"
    question = Question(wall.source.model_copy(update={"location": away}), "acme", "SELECT 1", {}, 3, 2.0)

    found = wall.engine.ask(question, Stop())

    assert isinstance(found, OpsError)
    assert found.code is ErrorCode.UPSTREAM_UNAVAILABLE, found


def test_a_credential_that_is_not_there_is_said_so_by_its_code(wall: Wall) -> None:
    if "://" not in wall.source.location:
        pytest.skip("a file needs no credential")
    source = wall.source.model_copy(update={"credential": "env:OPSLOOM_TEST_NO_SUCH_CREDENTIAL"})

    found = wall.engine.ask(Question(source, "acme", "SELECT 1", {}, 3, 2.0), Stop())

    assert isinstance(found, OpsError)
    assert found.code is ErrorCode.AUTH_FAILED


def test_a_role_that_could_get_past_the_wall_asks_nothing(wall: Wall) -> None:
    if wall.name != "postgres":
        pytest.skip("only PostgreSQL has roles that bypass row security")
    source = wall.source.model_copy(update={"user": "boss"})

    found = wall.engine.ask(Question(source, "acme", "SELECT 1", {}, 3, 2.0), Stop())

    assert isinstance(found, OpsError)
    assert found.code is ErrorCode.ASSET_LOAD_FAILED
