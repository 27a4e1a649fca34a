"""Replacing a store as a whole: readers see the old one or the new one, never half of one."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_TEMPORARY = re.compile(r"^\..+\.(\d+)\.\w+\.building")


@dataclass(frozen=True, slots=True)
class StoreReport:
    """What became of one store.

    `rows` counts what it holds by table; `notes` say in words what could not be read here and why;
    `status` is `built`, `unchanged` (nothing to read had changed) or `failed` (the old store stays).
    """

    store: str
    status: str
    took_s: float
    rows: dict[str, int]
    notes: tuple[str, ...] = ()


@contextlib.contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a temporary path to build in; put it in the place of `path` if the block ends well.

    Left over or failed temporary files never take the place of the store. The store may be open elsewhere:
    whoever holds it keeps reading the old one until it is opened again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    building = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.building")
    try:
        yield building
        os.replace(building, path)
    finally:
        _remove(building)


def remove_leftovers(folder: Path) -> None:
    """Remove what builders that died left behind in this folder."""
    for entry in folder.glob(".*.building*"):
        match = _TEMPORARY.match(entry.name)
        if match and not psutil.pid_exists(int(match.group(1))):
            entry.unlink(missing_ok=True)


@contextlib.contextmanager
def sqlite_being_built(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an empty database that becomes `path` when the block ends well."""
    with replaced(path) as building:
        connection = sqlite3.connect(building, isolation_level=None)
        try:
            # Half a database is never shown to anyone, so neither a journal nor a sync is needed.
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            yield connection
            connection.execute("COMMIT")
        finally:
            connection.close()


def insert_rows(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    """Insert the rows; give how many. Table and columns are names from this package, never from outside."""
    holes = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({holes})"
    return connection.executemany(statement, rows).rowcount if (rows := list(rows)) else 0


def _remove(building: Path) -> None:
    """The file and what an engine keeps beside it, such as a log of writes."""
    for path in building.parent.glob(f"{building.name}*"):
        path.unlink(missing_ok=True)
