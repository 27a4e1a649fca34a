"""The store of tests/packs/works: a small repair works whose every figure can be counted by hand."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

NOW = 1_795_000_000.0
"""2026-11-18, 11:06:40 UTC, a Wednesday."""

_TABLES = """
CREATE TABLE outages (id INTEGER, tenant_id TEXT, service TEXT, severity TEXT, opened_at TEXT, closed_at TEXT,
                      root_cause TEXT, commander TEXT);
CREATE TABLE machines (id INTEGER, tenant_id TEXT, hostname TEXT, region TEXT, role TEXT, cpu_cores INTEGER,
                       mem_gb INTEGER, last_seen_at TEXT);
CREATE TABLE alarms (id INTEGER, tenant_id TEXT, machine_id INTEGER, rule TEXT, state TEXT, fired_at TEXT,
                     cleared_at TEXT);
CREATE TABLE sales (id INTEGER, tenant_id TEXT, customer_ref TEXT, amount REAL, currency TEXT, status TEXT,
                    created_at TEXT);
CREATE TABLE readings (tenant_id TEXT, day TEXT, service TEXT, metric TEXT, value REAL);
"""
OUTAGES = [
    (1, "acme", "checkout", "sev1", "2026-11-17 10:00:00", "2026-11-17 11:30:00", "bad release", "kim"),
    (2, "acme", "checkout", "sev2", "2026-11-16 10:00:00", None, None, "lee"),
    (3, "acme", "payments", "sev1", "2026-11-10 08:00:00", "2026-11-10 08:30:00", "disk full", "kim"),
    (4, "acme", "payments", "sev3", "2026-10-02 08:00:00", "2026-10-02 12:00:00", "traffic", None),
    (5, "globex", "payments", "sev1", "2026-11-17 08:00:00", "2026-11-17 09:00:00", "theirs", "kim"),
]
MACHINES = [
    (1, "acme", "db-1", "us-east", "db", 8, 64, "2026-11-18 10:00:00"),
    (2, "acme", "db-2", "eu-central", "db", 16, 128, "2026-11-16 10:00:00"),
    (3, "acme", "web-1", "us-east", "web", 4, 16, "2026-11-18 11:00:00"),
    (1, "globex", "db-9", "us-east", "db", 64, 512, "2026-11-18 11:00:00"),
]
ALARMS = [
    (1, "acme", 1, "disk", "firing", "2026-11-18 09:00:00", None),
    (2, "acme", 3, "cpu", "firing", "2026-11-18 09:30:00", None),
    (3, "acme", 1, "disk", "cleared", "2026-11-12 09:00:00", "2026-11-12 10:00:00"),
    (4, "globex", 1, "disk", "firing", "2026-11-18 09:00:00", None),
]
SALES = [
    (1, "acme", "C-1", 100.0, "EUR", "paid", "2026-11-17 09:00:00"),
    (2, "acme", "C-2", 250.5, "EUR", "shipped", "2026-11-17 12:00:00"),
    (3, "acme", "C-1", 80.0, "USD", "paid", "2026-11-17 13:00:00"),
    (4, "acme", "C-3", 500.0, "EUR", "cancelled", "2026-11-17 14:00:00"),
    (5, "globex", "C-9", 999.0, "EUR", "paid", "2026-11-17 09:00:00"),
]
READINGS = [
    ("acme", "2026-11-16", "checkout", "latency_p95_ms", 100.0),
    ("acme", "2026-11-17", "checkout", "latency_p95_ms", 300.0),
    ("acme", "2026-11-17", "payments", "latency_p95_ms", 150.0),
    ("acme", "2026-11-17", "checkout", "error_rate", 2.0),
]


def make_works(folder: Path) -> Path:
    """Write `works.db` into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "works.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(_TABLES)
        for table, rows in (
            ("outages", OUTAGES),
            ("machines", MACHINES),
            ("alarms", ALARMS),
            ("sales", SALES),
            ("readings", READINGS),
        ):
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
    return path


def names_of(tenant: str, key: str) -> tuple[str, ...]:
    """What a worker knows of the tenant's names: `dataset:field` → names."""
    return _NAMES.get((tenant, key), ())


def _distinct(rows: list[tuple], tenant: str, at: int) -> tuple[str, ...]:  # type: ignore[type-arg]
    return tuple(dict.fromkeys(row[at] for row in rows if row[1] == tenant and row[at] is not None))


_NAMES = {
    (tenant, key): names
    for tenant in ("acme", "globex")
    for key, names in {
        "works.outages:service": _distinct(OUTAGES, tenant, 2),
        "works.outages:commander": _distinct(OUTAGES, tenant, 7),
        "works.machines:hostname": _distinct(MACHINES, tenant, 2),
        "works.alarms:rule": _distinct(ALARMS, tenant, 3),
        "works.sales:customer_ref": _distinct(SALES, tenant, 2),
        "works.readings:service": ("checkout", "payments"),
    }.items()
}
