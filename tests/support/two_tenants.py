"""The same small store in each SQL engine: tickets of two tenants, and a table nobody listed."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agents.execution.guards.verdict import Bounds
from agents.execution.tools.engines.by_name import make_engine
from agents.execution.tools.engines.engine import Engine
from agents.execution.tools.engines.roles import mysql_roles, postgres_roles
from registry.assets import SourceAsset
from tests.support.mariadb import mariadb_or_skip
from tests.support.postgres import PostgresServer, postgres_or_skip

COLUMNS = ("id", "tenant_id", "title", "status", "amount", "created_at")
CATALOGUE = Bounds({"tickets": COLUMNS}, "tenant_id", 100)
ROWS = [
    (n, "acme" if n % 2 else "globex", f"title {n}", "open" if n % 3 else "closed", n * 1.5, f"2026-11-{n:02} 08:00:00")
    for n in range(1, 21)
]  # fmt: skip
OWN = [row for row in ROWS if row[1] == "acme"]
SECRET = "crown jewels"

_TICKETS = (
    "CREATE TABLE tickets (id INTEGER, tenant_id VARCHAR(64), title VARCHAR(200), status VARCHAR(20), "
    "amount DECIMAL(12, 2), created_at TIMESTAMP{default}, password VARCHAR(20) DEFAULT 'hunter2')"
)
_SECRETS = ("CREATE TABLE secrets (id INTEGER, v VARCHAR(50))", f"INSERT INTO secrets VALUES (1, '{SECRET}')")
_INSERT = "INSERT INTO tickets (id, tenant_id, title, status, amount, created_at) VALUES "


def statements(default: str = "") -> list[str]:
    """What makes the store."""
    rows = ", ".join("(" + ", ".join(repr(value) for value in row) + ")" for row in ROWS)
    return [_TICKETS.format(default=default), *_SECRETS, _INSERT + rows]


def source(engine: str, location: str, **fields: str) -> SourceAsset:
    """The store as a source with its one listed table."""
    return SourceAsset(
        id="store",
        engine=engine,
        location=location,
        tables={"tickets": list(COLUMNS)},
        tenant_column="tenant_id",
        **fields,
    )


Store = tuple[Engine, SourceAsset]


@contextmanager
def sqlite_store(folder: Path) -> Iterator[Store]:
    """In a file."""
    path = folder / "store.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements():
            connection.execute(statement)
    yield make_engine("sqlite"), source("sqlite", str(path))


@contextmanager
def duckdb_store(folder: Path) -> Iterator[Store]:
    """In a file."""
    import duckdb

    path = folder / "store.duckdb"
    with duckdb.connect(str(path)) as connection:
        for statement in statements():
            connection.execute(statement)
    engine = make_engine("duckdb")
    yield engine, source("duckdb", str(path))
    engine.close()


def fill_postgres(server: PostgresServer) -> None:
    """Tables, roles and policies, as an administrator makes them."""
    import asyncpg

    async def fill() -> None:
        connection = await asyncpg.connect(server.url())
        for statement in [*statements(), postgres_roles(CATALOGUE, ["acme", "globex"])]:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(fill())


@contextmanager
def postgres_store(_: Path) -> Iterator[Store]:
    """In a server of its own, with a role per tenant."""
    with postgres_or_skip() as server:
        fill_postgres(server)
        engine = make_engine("postgres")
        place = f"postgresql://127.0.0.1:{server.port}/postgres"
        yield engine, source("postgres", place, user="opsloom_{tenant}")
        engine.close()


@contextmanager
def mysql_store(_: Path) -> Iterator[Store]:
    """In a MariaDB of its own, with a database of views per tenant."""
    with mariadb_or_skip() as server:
        roles = mysql_roles(CATALOGUE, ["acme", "globex"], "plain").split("\n")
        server.run("CREATE DATABASE plain", "USE plain", *statements(" NULL"), *roles)
        place = f"mysql://127.0.0.1:{server.port}/opsloom_{{tenant}}"
        yield make_engine("mysql"), source("mysql", place, user="opsloom_{tenant}")


STORES: dict[str, Callable[[Path], object]] = {
    "sqlite": sqlite_store,
    "duckdb": duckdb_store,
    "postgres": postgres_store,
    "mysql": mysql_store,
}
