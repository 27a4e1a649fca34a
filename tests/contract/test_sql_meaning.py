"""What the SQL guard writes means what was asked, over one's own rows: nothing more, nothing less.

Each random query is run twice: as the guard wrote it, over a store of two tenants; and as it was asked, over a store
that holds the one tenant's rows alone. The rows must be the same, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings

from agents.execution.guards.catalogue import read_catalogue
from agents.execution.guards.sql.guard import SqlGuard
from agents.execution.guards.verdict import Allow, Bounds
from tests.support.postgres import postgres_or_skip
from tests.support.sql_strategies import TABLES, queries

CORPUS = Path(__file__).parent.parent / "corpus" / "sql"
BOUNDS = Bounds({name: tuple(columns) for name, columns in TABLES.items()}, "tenant_id", 5_000)
FUZZ_S = float(os.environ.get("OPSLOOM_FUZZ_S", "4"))
CANARY = "globex-canary"

Run = Callable[[str], list[tuple[Any, ...]]]


def rows_of(tenants: tuple[str, ...]) -> dict[str, list[tuple[Any, ...]]]:
    """The same rows for each tenant, but for a mark on those that are not acme's."""
    made: dict[str, list[tuple[Any, ...]]] = {name: [] for name in TABLES}
    for tenant in tenants:
        mark = "" if tenant == "acme" else CANARY
        for n in range(8):
            open_ = mark or ("open" if n % 2 else "closed")
            made["tickets"].append((n, open_, mark or "net", n * 3, tenant))
            made["hosts"].append((n, mark or "eu", mark or "db", None if n == 3 else n, tenant))
            made["alerts"].append((n, n % 3, mark or "hot", open_, tenant))
    return made


def create(name: str) -> str:
    columns = ", ".join(
        f"{column} {'INTEGER' if kind == 'int' else 'TEXT'}" for column, kind in TABLES[name].items()
    )
    return f"CREATE TABLE {name} ({columns})"


def sqlite_over(*tenants: str) -> Run:
    connection = sqlite3.connect(":memory:")
    for name, rows in rows_of(tenants).items():
        connection.execute(create(name))
        marks = ", ".join("?" * len(TABLES[name]))
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)
    return lambda sql: connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def postgres_pair() -> Iterator[tuple[Run, Run]]:
    """Two schemas in one server: both tenants, and acme alone."""
    import asyncpg

    with postgres_or_skip() as server, asyncio.Runner() as runner:

        async def connected(schema: str, tenants: tuple[str, ...]) -> Any:
            connection = await asyncpg.connect(server.url(), statement_cache_size=0)
            await connection.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}")
            for name, rows in rows_of(tenants).items():
                await connection.execute(create(name))
                await connection.copy_records_to_table(name, records=rows, schema_name=schema)
            return connection

        def run_on(connection: Any) -> Run:
            return lambda sql: [tuple(row) for row in runner.run(connection.fetch(sql))]

        both = runner.run(connected("two", ("acme", "globex")))
        own = runner.run(connected("one", ("acme",)))
        yield run_on(both), run_on(own)
        for connection in (both, own):
            runner.run(connection.close())


def written(dialect: str, query: str) -> str:
    """What the guard wrote; queries with an alternative that is always true are not meant here."""
    verdict = SqlGuard(dialect).judge(query, BOUNDS, {}, "acme")
    if not isinstance(verdict, Allow):
        assume(not any("always true" in each or "no row" in each for each in verdict.violations))
    assert isinstance(verdict, Allow), (query, verdict)
    return verdict.statement


def same(left: list[tuple[Any, ...]], right: list[tuple[Any, ...]]) -> bool:
    return sorted(map(str, left)) == sorted(map(str, right))


SQLITE_BOTH, SQLITE_OWN = sqlite_over("acme", "globex"), sqlite_over("acme")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries())
def test_rewriting_never_widens_rows_on_sqlite(query: str) -> None:
    assert same(SQLITE_BOTH(written("sqlite", query)), SQLITE_OWN(query))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries())
def test_rewriting_never_widens_rows_on_postgres(postgres_pair: tuple[Run, Run], query: str) -> None:
    both, own = postgres_pair

    assert same(both(written("postgres", query)), own(query))


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(query=queries())
def test_what_the_guard_wrote_reads_back_as_itself(query: str) -> None:
    """Written again from its own text it stays the same, in every dialect."""
    import sqlglot

    for dialect in ("sqlite", "postgres", "duckdb", "mysql", "clickhouse"):
        asked = query.replace("UNION SELECT", "UNION DISTINCT SELECT") if dialect == "clickhouse" else query
        text = written(dialect, asked)
        assert sqlglot.parse_one(text, dialect=dialect).sql(dialect=dialect, comments=False) == text


def test_no_mutation_of_the_corpus_gets_a_foreign_row() -> None:
    """Words of attacks put into everyday queries: what is let through is run without any second wall."""
    catalogue = read_catalogue(CORPUS / "catalogue.json")
    connection = sqlite3.connect(":memory:")
    for name, columns in catalogue.tables.items():
        listed = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f'CREATE TABLE "{name}" ({listed})')
        for tenant, value in (("acme", "open"), ("globex", CANARY)):
            row = [tenant if column == "tenant_id" else value for column in columns]
            connection.execute(f'INSERT INTO "{name}" VALUES ({", ".join("?" * len(row))})', row)
    connection.execute("CREATE TABLE secrets (id, v)")
    connection.execute("INSERT INTO secrets VALUES (1, ?)", (CANARY,))
    connection.set_progress_handler(lambda: time.monotonic() > give_up_at, 1_000)
    chance, guard = random.Random(int(FUZZ_S)), SqlGuard("sqlite")
    honest, hostile = (_words(name) for name in ("legitimate.jsonl", "attacks.jsonl"))
    ends_at, tried, ran = time.monotonic() + FUZZ_S, 0, 0
    while time.monotonic() < ends_at:
        query = _mutated(chance, honest, hostile)
        verdict = guard.judge(query, catalogue, {}, "acme")
        tried += 1
        if not isinstance(verdict, Allow):
            continue
        give_up_at = time.monotonic() + 0.2
        try:
            rows = connection.execute(verdict.statement).fetchmany(200)
        except sqlite3.Error:
            continue
        ran += 1
        assert CANARY not in str(rows) or CANARY in query, (query, verdict.statement)
    assert tried > 20 * FUZZ_S
    assert ran


def _words(name: str) -> list[list[str]]:
    cases = (json.loads(line) for line in (CORPUS / name).read_text().splitlines())
    split = (re.findall(r"'[^']*'|\"[^\"]*\"|\w+|\s+|[^\w\s]", case["sql"]) for case in cases)
    return [words for words in split if 0 < len(words) < 200]


def _mutated(chance: random.Random, honest: list[list[str]], hostile: list[list[str]]) -> str:
    words = list(chance.choice(honest))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(words) + 1)
        other = chance.choice(hostile if chance.random() < 0.7 else honest)
        begin = chance.randrange(len(other))
        piece = other[begin : begin + chance.randint(1, 8)]
        kind = chance.random()
        if kind < 0.4:
            words[at:at] = piece
        elif kind < 0.7:
            words[at : at + len(piece)] = piece
        elif kind < 0.85:
            del words[at : at + chance.randint(1, 3)]
        else:
            words[at:at] = ["(", *piece, ")"]
    return "".join(words)[:4_000]
