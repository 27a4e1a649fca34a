"""The plant in ClickHouse: column by column, through a client that is handed in."""

from collections.abc import Iterable
from typing import Any

from packs.plant.world.table import KEYS, NULLABLE, SCHEMA, Table

_TYPES = {
    "int": "Int64",
    "real": "Float64",
    "text": "String",
    "time": "DateTime('UTC')",
    "day": "Date",
    "moment": "DateTime64(3, 'UTC')",
}
_PART = 200_000


def write_clickhouse(client: Any, database: str, tables: Iterable[Table]) -> dict[str, int]:
    """Write all tables into a database, each in the place of the one that is there; rows by table.

    `client` is clickhouse-connect's; raises what it raises.
    """
    client.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
    return {table.name: _write(client, database, table) for table in tables}


def _write(client: Any, database: str, table: Table) -> int:
    kinds = {name: _type(table.name, name, kind) for name, kind in SCHEMA[table.name].items()}
    columns = ", ".join(f"`{name}` {kind}" for name, kind in kinds.items())
    order = ", ".join(("tenant_id", *KEYS.get(table.name, ("id",)))[-4:])
    client.command(f"DROP TABLE IF EXISTS `{database}`.`{table.name}`")
    client.command(
        f"CREATE TABLE `{database}`.`{table.name}` ({columns}) ENGINE = MergeTree ORDER BY ({order})"
    )
    lists = list(table.lists(times_as_text=False))
    for at, kind in enumerate(SCHEMA[table.name].values()):
        if kind == "moment":  # the driver takes whole numbers for ticks, here milliseconds
            lists[at] = [1_000 * seconds for seconds in lists[at]]
    for start in range(0, table.row_count, _PART):
        client.insert(
            table.name,
            [values[start : start + _PART] for values in lists],
            column_names=list(kinds),
            database=database,
            column_oriented=True,
        )
    return table.row_count


def _type(table: str, column: str, kind: str) -> str:
    plain = _TYPES[kind]
    if column in ("tenant_id", "metric", "series", "status", "service"):
        plain = "LowCardinality(String)"
    return f"Nullable({plain})" if (table, column) in NULLABLE else plain
