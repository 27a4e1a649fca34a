"""Migrations: shown before they run, run once, refused when they were changed, safe side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sinks.client import ClickHouseError, connect, query
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import MigrationError, migrate

_TABLES = {"answers", "dead_letters", "metric_points", "spans", "stages", "tool_calls"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack's folder with one migration."""
    made = tmp_path / "plant" / "clickhouse"
    made.mkdir(parents=True)
    (made / "0001_pumps.sql").write_text(
        "-- one table; and a semicolon in a comment\n"
        "CREATE TABLE IF NOT EXISTS pumps (a String DEFAULT ';') ENGINE = MergeTree ORDER BY a;\n"
        "ALTER TABLE pumps ADD COLUMN IF NOT EXISTS b Int8;\n"
    )
    return made


def test_a_dry_run_says_what_would_happen_and_does_nothing(
    engine: EmbeddedClickHouse, database: str, folder: Path
) -> None:
    """Not even the database is made."""
    client = connect(engine.url, database)

    planned = migrate(client, database, folders=[folder], dry_run=True)

    assert {one.outcome for one in planned} == {"would apply"}
    assert [one.migration.part for one in planned][-1] == "plant"
    with pytest.raises(ClickHouseError, match="database is missing"):
        query(client, "SELECT 1")


def test_each_file_is_applied_once(engine: EmbeddedClickHouse, database: str, folder: Path) -> None:
    """The second run finds everything present and changes nothing."""
    client = connect(engine.url, database)

    first = migrate(client, database, folders=[folder])
    second = migrate(client, database, folders=[folder])

    assert {one.outcome for one in first} == {"applied"}
    assert {one.outcome for one in second} == {"present"}
    tables = query(client, "SELECT name FROM system.tables WHERE database = currentDatabase()")
    assert {row["name"] for row in tables} >= _TABLES | {"pumps", "slo_points"}
    ledger = query(client, "SELECT count() AS n, uniqExact(checksum) AS files FROM schema_migrations")
    assert ledger == [{"n": len(first), "files": len(first)}]


def test_a_file_that_was_changed_is_refused(engine: EmbeddedClickHouse, database: str, folder: Path) -> None:
    """What is applied is history; a change is a new file."""
    client = connect(engine.url, database)
    migrate(client, database, folders=[folder])
    path = folder / "0001_pumps.sql"
    path.write_text(path.read_text().replace("b Int8", "b Int16"))

    with pytest.raises(MigrationError, match="plant/0001_pumps was changed after it was applied"):
        migrate(client, database, folders=[folder])


def test_two_at_once_come_to_the_same_end(engine: EmbeddedClickHouse, database: str, folder: Path) -> None:
    """Two workers that start together both succeed, and the ledger has one row a file."""
    with ThreadPoolExecutor(2) as pool:
        runs = list(
            pool.map(
                lambda _: migrate(connect(engine.url, database), database, folders=[folder]),
                range(2),
            )
        )

    client = connect(engine.url, database)
    assert all(one.outcome in ("applied", "present") for run in runs for one in run)
    ledger = query(client, "SELECT count() AS n FROM schema_migrations FINAL")
    assert ledger == [{"n": len(runs[0])}]
    columns = query(
        client, "SELECT name FROM system.columns WHERE table = 'pumps' AND database = currentDatabase()"
    )
    assert {row["name"] for row in columns} == {"a", "b"}


def test_a_statement_the_engine_refuses_names_its_file(
    engine: EmbeddedClickHouse, database: str, folder: Path
) -> None:
    """What came before it stays; once it is mended the next run goes on from there."""
    client = connect(engine.url, database)
    broken = folder / "0002_valves.sql"
    broken.write_text("CREATE TABLE IF NOT EXISTS valves (a Nonsense) ENGINE = MergeTree ORDER BY a;\n")
    with pytest.raises(MigrationError, match="plant/0002_valves failed"):
        migrate(client, database, folders=[folder])

    broken.write_text("CREATE TABLE IF NOT EXISTS valves (a Int8) ENGINE = MergeTree ORDER BY a;\n")
    outcomes = [one.outcome for one in migrate(client, database, folders=[folder])]
    assert outcomes[-2:] == ["present", "applied"]


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("pumps.sql", "", "no migration's name"),
        ("0001_other.sql", "", "have one number"),
        ("0002_x.sql", "CREATE TABLE x (a Int8) ENGINE = Memory;", "may not be run twice"),
        ("0002_x.sql", "INSERT INTO pumps VALUES ('a');", "may not be run twice"),
    ],
)
def test_a_file_that_could_go_wrong_is_refused_before_anything_runs(
    engine: EmbeddedClickHouse, database: str, folder: Path, name: str, text: str, complaint: str
) -> None:
    """Names, numbers and statements are checked for all files first."""
    (folder / name).write_text(text)
    client = connect(engine.url, database)

    with pytest.raises(MigrationError, match=complaint):
        migrate(client, database, folders=[folder])
    with pytest.raises(ClickHouseError, match="database is missing"):
        query(client, "SELECT 1")
