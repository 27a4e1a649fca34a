"""The plant in SQLite: the default. Times are UTC texts; the file appears as a whole or not at all."""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path

from packs.filling.stores import sqlite_being_built
from packs.plant.world.table import KEYS, NULLABLE, SCHEMA, Table

_TYPES = {
    "int": "INTEGER",
    "real": "REAL",
    "text": "TEXT",
    "time": "TEXT",
    "day": "TEXT",
    "moment": "INTEGER",
}
_INDEXES: Mapping[str, tuple[str, ...]] = {
    "tickets": ("created_at",),
    "orders": ("created_at",),
    "alerts": ("fired_at",),
    "incidents": ("opened_at",),
    "deployments": ("deployed_at",),
    "change_log": ("at",),
}


def write_sqlite(path: Path, tables: Iterable[Table]) -> dict[str, int]:
    """Write a new database in the place of `path`; rows by table."""
    counts: dict[str, int] = {}
    with sqlite_being_built(path) as connection:
        connection.execute("PRAGMA page_size = 8192")
        for table in tables:
            connection.execute(_declaration(table.name))
            counts[table.name] = _insert(connection, table)
        for name, columns in _INDEXES.items():
            for column in columns:
                connection.execute(f'CREATE INDEX "{name}_{column}" ON "{name}" (tenant_id, "{column}")')
    return counts


def _declaration(name: str) -> str:
    columns = [
        f'"{column}" {_TYPES[kind]}'
        + (" PRIMARY KEY" if column == "id" else "" if (name, column) in NULLABLE else " NOT NULL")
        for column, kind in SCHEMA[name].items()
    ]
    if name in KEYS:
        return f'CREATE TABLE "{name}" ({", ".join(columns)}, PRIMARY KEY ({", ".join(KEYS[name])})) WITHOUT ROWID'
    return f'CREATE TABLE "{name}" ({", ".join(columns)})'


def _insert(connection: sqlite3.Connection, table: Table) -> int:
    holes = ", ".join("?" * len(SCHEMA[table.name]))
    rows = zip(*table.lists(times_as_text=True), strict=True)
    connection.executemany(f'INSERT INTO "{table.name}" VALUES ({holes})', rows)
    return table.row_count
