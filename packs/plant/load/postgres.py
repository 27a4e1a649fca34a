"""The plant in PostgreSQL: real types, loaded by COPY."""

from collections.abc import Iterable
from typing import Any

from packs.plant.world.table import KEYS, NULLABLE, SCHEMA, Table

_TYPES = {
    "int": "bigint",
    "real": "double precision",
    "text": "text",
    "time": "timestamptz",
    "day": "date",
    "moment": "bigint",
}
_PART = 50_000
"""Rows sent at once."""


async def write_postgres(dsn: str, schema: str, tables: Iterable[Table]) -> dict[str, int]:
    """Write all tables into a schema of their own, in the place of what it holds; rows by table.

    All of it is one transaction. ImportError where asyncpg is not installed; raises what asyncpg raises.
    """
    import asyncpg

    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
            await connection.execute(f'CREATE SCHEMA "{schema}"')
            return {table.name: await _write(connection, schema, table) for table in tables}
    finally:
        await connection.close()


async def _write(connection: Any, schema: str, table: Table) -> int:
    columns = [
        f'"{column}" {_TYPES[kind]}' + ("" if (table.name, column) in NULLABLE else " NOT NULL")
        for column, kind in SCHEMA[table.name].items()
    ]
    key = ", ".join(f'"{each}"' for each in KEYS.get(table.name, ("id",)))
    await connection.execute(
        f'CREATE TABLE "{schema}"."{table.name}" ({", ".join(columns)}, PRIMARY KEY ({key}))'
    )
    lists = list(table.lists(times_as_text=False))
    for start in range(0, table.row_count, _PART):
        part = zip(*(values[start : start + _PART] for values in lists), strict=True)
        await connection.copy_records_to_table(
            table.name, schema_name=schema, columns=list(SCHEMA[table.name]), records=part
        )
    return table.row_count
