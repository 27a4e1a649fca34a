"""A SQLite store of a catalogue's tables with rows of several tenants; those that are not acme's bear a mark."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from agents.execution.guards.verdict import Bounds

CANARY = "globex-canary"
ROWS_OF_EACH = 8

_WHOLE = frozenset({"id", "sla_minutes", "samples", "cpu_cores", "mem_gb", "host_id", "parent_id"})
_DECIMAL = frozenset({"value", "amount"})


def store_of(catalogue: Bounds, tenants: Sequence[str]) -> sqlite3.Connection:
    """In memory. Every text of a foreign row holds `CANARY`, every time lies in 2026, every number is small."""
    connection = sqlite3.connect(":memory:")
    for table, columns in catalogue.tables.items():
        named = ", ".join(f'"{column}"' for column in columns)
        connection.execute(f'CREATE TABLE "{table}" ({named}, password)')
        for tenant in tenants:
            for n in range(ROWS_OF_EACH):
                row = [_value(column, n, tenant, catalogue.tenant_column) for column in columns]
                marks = ", ".join("?" * len(row))
                connection.execute(f'INSERT INTO "{table}" VALUES ({marks}, ?)', [*row, CANARY])
    connection.execute("CREATE TABLE users (id, password)")
    connection.execute("INSERT INTO users VALUES (1, ?)", [CANARY])
    return connection


def _value(column: str, n: int, tenant: str, tenant_column: str | None) -> object:
    if column == tenant_column:
        return tenant
    if column in _WHOLE:
        return n
    if column in _DECIMAL:
        return n * 1.5
    mark = "" if tenant == "acme" else f" {CANARY}"
    if column.endswith(("_at", "day")) or column == "at":
        return f"2026-11-{n + 1:02} 08:00:00{mark}"
    return f"{column} {n % 3}{mark}"
