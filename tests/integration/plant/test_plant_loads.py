"""The same plant in SQLite, PostgreSQL and ClickHouse: the same rows, sums, texts and moments."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from packs.plant.load.clickhouse import write_clickhouse
from packs.plant.load.postgres import write_postgres
from packs.plant.load.sqlite import write_sqlite
from packs.plant.world.spec import PlantSpec
from packs.plant.world.table import KEYS, SCHEMA, Table
from packs.plant.world.world import World
from sinks.client import connect
from sinks.embedded_clickhouse import EmbeddedClickHouse
from tests.support.postgres import PostgresServer, postgres_or_skip

SPEC = PlantSpec(date(2026, 11, 21))
MINUTES = 20_000
"""Of the many minutes of metrics these are enough to compare."""


def tables() -> Iterator[Table]:
    for table in World(SPEC).tables():
        if table.name == "metrics_minute":
            table = Table(table.name, {name: values[:MINUTES] for name, values in table.columns.items()})
        yield table


@pytest.fixture(scope="module")
def in_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    path: Path = tmp_path_factory.mktemp("plant") / "plant.db"
    write_sqlite(path, tables())
    with closing(sqlite3.connect(path)) as connection:
        yield connection


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_or_skip() as server:
        yield server


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    with EmbeddedClickHouse(tmp_path_factory.mktemp("clickhouse")) as running:
        yield running


def sums(name: str) -> Mapping[str, str]:
    """Figures of a table that every engine spells alike, as column → expression."""
    found = {"rows": "count(*)"}
    for column, kind in SCHEMA[name].items():
        if kind in ("int", "real"):
            found[f"sum_{column}"] = f'sum("{column}")'
        elif kind == "text":
            found[f"kinds_{column}"] = f'count(DISTINCT "{column}")'
            found[f"length_{column}"] = f'sum(length("{column}"))'
        else:
            found[f"there_{column}"] = f'count("{column}")'
            found[f"first_{column}"] = f'min("{column}")'
            found[f"last_{column}"] = f'max("{column}")'
    return found


def plain(value: Any) -> Any:
    """A moment as SQLite holds it; a figure as a number, with room for engines that add in another order."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return value if isinstance(value, str) or value is None else float(value)


def compare(name: str, found: Sequence[Any], in_sqlite: sqlite3.Connection, *, moments: bool) -> None:
    """`moments`: minutes are real moments there, and numbers in SQLite."""
    own = list(in_sqlite.execute(statement(name)).fetchone())
    for at, (key, value) in enumerate(zip(sums(name), found, strict=True)):
        if moments and name == "metrics_minute" and key in ("first_at", "last_at"):
            own[at] = datetime.fromtimestamp(own[at], UTC)
        wanted = plain(own[at])
        if isinstance(wanted, float):
            wanted = pytest.approx(wanted, rel=1e-9)
        assert plain(value) == wanted, (name, key)


def statement(name: str, prefix: str = "") -> str:
    return f'SELECT {", ".join(sums(name).values())} FROM {prefix}"{name}"'


async def test_postgres_holds_what_sqlite_holds(
    in_sqlite: sqlite3.Connection, postgres: PostgresServer
) -> None:
    """Loaded by COPY, twice: the second time in the place of the first."""
    import asyncpg

    for _ in range(2):
        counts = await write_postgres(postgres.url(), "plant", tables())
    assert set(counts) == set(SCHEMA)
    connection = await asyncpg.connect(postgres.url())
    try:
        for name in SCHEMA:
            found = await connection.fetchrow(statement(name, "plant."))
            compare(name, list(found.values()), in_sqlite, moments=False)
    finally:
        await connection.close()


def test_clickhouse_holds_what_sqlite_holds(
    in_sqlite: sqlite3.Connection, clickhouse: EmbeddedClickHouse
) -> None:
    """Loaded column by column; minutes as real moments."""
    client = connect(clickhouse.url, "default")
    counts = write_clickhouse(client, "plant_test", tables())
    assert set(counts) == set(SCHEMA)
    for name in SCHEMA:
        # Its length() counts bytes, and many a text is Korean.
        asked = statement(name, "plant_test.").replace("length(", "lengthUTF8(")
        found = client.query(asked).first_row or ()
        compare(name, found, in_sqlite, moments=True)


def test_rows_are_identified_by_their_keys(in_sqlite: sqlite3.Connection) -> None:
    """Ids where a table has them; tenant, metric, service and time where it has none."""
    for name in SCHEMA:
        key = ", ".join(f'"{column}"' for column in KEYS.get(name, ("id",)))
        rows, distinct = in_sqlite.execute(
            f'SELECT (SELECT count(*) FROM "{name}"), count(*) FROM (SELECT DISTINCT {key} FROM "{name}")'
        ).fetchone()
        assert rows == distinct > 0
