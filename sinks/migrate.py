"""Numbered SQL files, applied once each and remembered with their checksum.

ClickHouse has no lock that two migrations could take. Therefore each statement must be one that may be
run twice (`IF NOT EXISTS`, `IF EXISTS`): two that start together both run it, and the table of what was
applied keeps one row per file.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from clickhouse_connect.driver.client import Client

from sinks.client import ClickHouseError, command, insert, query

OWN_FOLDER = Path(__file__).parent / "migrations"
_FILE_NAME = re.compile(r"(?P<number>\d{4})_(?P<title>[a-z0-9_]+)\.sql")
_REPEATABLE = re.compile(
    r"\s*(?:CREATE\s.*?\bIF\s+NOT\s+EXISTS\b|CREATE\s+OR\s+REPLACE\b|DROP\s.*?\bIF\s+EXISTS\b"
    r"|ALTER\s+TABLE\s.*?\bIF\s+(?:NOT\s+)?EXISTS\b|ALTER\s+TABLE\s.*?\bMODIFY\s)",
    re.IGNORECASE | re.DOTALL,
)
_DATABASE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LEDGER = """CREATE TABLE IF NOT EXISTS schema_migrations
(
    part String,
    number UInt32,
    name String,
    checksum String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (part, number)"""


class MigrationError(RuntimeError):
    """Migrations cannot go on: `reason` says why, `hint` what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `part` is `opsloom`, or the name of the pack whose folder it lies in."""

    part: str
    number: int
    name: str
    checksum: str
    statements: tuple[str, ...]

    @property
    def label(self) -> str:
        """Part, number and name as a reader knows them."""
        return f"{self.part}/{self.number:04d}_{self.name}"


@dataclass(frozen=True, slots=True)
class Applied:
    """What happened to one migration: it was applied, would be (dry run), or had been before."""

    migration: Migration
    outcome: str
    """`applied`, `would apply` or `present`."""


def migrate(
    client: Client, database: str, *, folders: Sequence[Path] = (), dry_run: bool = False
) -> list[Applied]:
    """Bring the database to what the files say: opsloom's own first, then each folder of a pack.

    Creates the database. With `dry_run` nothing is changed. Raises MigrationError for a file that was
    changed after it was applied, a wrong name or a statement that may not be repeated; ClickHouseError.
    """
    if not _DATABASE_NAME.fullmatch(database):
        raise MigrationError(
            f"{database!r} is no name for a database", "Use letters, digits and underscores."
        )
    planned = [*read_folder(OWN_FOLDER, "opsloom")]
    for folder in folders:
        planned += read_folder(folder, folder.resolve().parent.name)
    # The client's own database may not be there yet, and the engine refuses even to look from within it.
    client.database = None
    try:
        known = _known(client, database)
        for migration in planned:
            _check(migration, known.get((migration.part, migration.number)))
        if not dry_run:
            command(client, f"CREATE DATABASE IF NOT EXISTS `{database}`")
    finally:
        client.database = database
    if not dry_run:
        command(client, _LEDGER)
    return [_apply(client, migration, known, dry_run) for migration in planned]


def read_folder(folder: Path, part: str) -> Iterator[Migration]:
    """The folder's migrations in order. Raises MigrationError."""
    if not folder.is_dir():
        raise MigrationError(
            f"there is no folder {folder}", "Name the folder that holds the numbered SQL files."
        )
    seen: dict[int, str] = {}
    for path in sorted(folder.glob("*.sql")):
        match = _FILE_NAME.fullmatch(path.name)
        if match is None:
            raise MigrationError(
                f"{path.name} is no migration's name", "Name it like 0001_what_it_makes.sql."
            )
        number, text = int(match["number"]), path.read_text()
        if number in seen:
            raise MigrationError(
                f"{seen[number]} and {path.name} have one number", "Give the later one the next."
            )
        seen[number] = path.name
        statements = split_statements(text)
        for statement in statements:
            if not _REPEATABLE.match(statement):
                start = " ".join(statement.split())[:60]
                raise MigrationError(
                    f"{path.name}: {start!r} may not be run twice", "Write IF NOT EXISTS or IF EXISTS."
                )
        yield Migration(part, number, match["title"], hashlib.sha256(text.encode()).hexdigest(), statements)


def split_statements(text: str) -> tuple[str, ...]:
    """Statements without their comments; a semicolon at the end of a line ends one."""
    bare = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in re.split(r";[ \t]*(?:\n|$)", bare) if part.strip())


def _known(client: Client, database: str) -> dict[tuple[str, int], str]:
    """Checksums of what was applied before; none if there is no ledger yet."""
    there = query(
        client,
        "SELECT count() AS n FROM system.tables"
        " WHERE database = {database:String} AND name = 'schema_migrations'",
        {"database": database},
    )
    if not there[0]["n"]:
        return {}
    rows = query(client, f"SELECT part, number, checksum FROM `{database}`.schema_migrations FINAL")
    return {(row["part"], row["number"]): row["checksum"] for row in rows}


def _check(migration: Migration, known: str | None) -> None:
    if known is not None and known != migration.checksum:
        raise MigrationError(
            f"migration {migration.label} was changed after it was applied",
            "Put it back as it was and write the change into a new file with the next number.",
        )


def _apply(client: Client, migration: Migration, known: dict[tuple[str, int], str], dry_run: bool) -> Applied:
    if (migration.part, migration.number) in known:
        return Applied(migration, "present")
    if dry_run:
        return Applied(migration, "would apply")
    for statement in migration.statements:
        try:
            command(client, statement)
        except ClickHouseError as error:
            raise MigrationError(
                f"migration {migration.label} failed: {error.detail or error.reason}",
                "What came before it is applied; mend the file and run it again.",
            ) from error
    row = {
        "part": migration.part,
        "number": migration.number,
        "name": migration.name,
        "checksum": migration.checksum,
    }
    insert(client, "schema_migrations", [row])
    return Applied(migration, "applied")
