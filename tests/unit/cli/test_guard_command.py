"""`opsloom guard`: one JSON line a case, in order, whatever the file holds; and cases run through both walls."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app

CATALOGUE = {"tenant_column": "tenant_id", "row_cap": 3, "tables": {"tickets": ["id", "tenant_id", "title"]}}


@pytest.fixture
def catalogue(tmp_path: Path) -> str:
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(CATALOGUE))
    return str(path)


def lines_of(tmp_path: Path, cases: list[Any]) -> str:
    path = tmp_path / "cases.jsonl"
    path.write_text("\n".join(case if isinstance(case, str) else json.dumps(case) for case in cases))
    return str(path)


def asked(*arguments: str) -> list[dict[str, Any]]:
    result = CliRunner().invoke(app, ["guard", *arguments])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def sql(identity: int, text: str, dialect: str = "sqlite") -> dict[str, Any]:
    return {"id": identity, "dialect": dialect, "tenant": "acme", "sql": text}


def test_each_case_gets_its_line_in_order(tmp_path: Path, catalogue: str) -> None:
    cases = [sql(1, "SELECT id FROM tickets"), "{broken", sql(2, "DROP TABLE tickets"), "[1]", '{"id": 3}']

    first, broken, second, odd, third = asked(
        "check", "--kind", "sql", "--catalog", catalogue, "--file", lines_of(tmp_path, cases)
    )

    assert (first["id"], first["decision"], first["code"]) == (1, "allow", None)
    assert first["sql"] == (
        'SELECT id FROM (SELECT "id", "tenant_id", "title" FROM "tickets" '
        'WHERE "tickets"."tenant_id" = \'acme\') AS tickets LIMIT 4'
    )
    assert (second["id"], second["decision"], second["code"]) == (2, "refuse", "SQL_BLOCKED")
    for line in (broken, odd, third):
        assert (line["decision"], bool(line["reason"])) == ("refuse", True)
    assert (broken["id"], odd["id"], third["id"]) == (None, None, 3)


@pytest.mark.slow
def test_several_processes_keep_the_order(tmp_path: Path, catalogue: str) -> None:
    cases = [sql(n, f"SELECT id FROM tickets WHERE id = {n}") for n in range(900)]

    judged = asked(
        "check",
        "--kind",
        "sql",
        "--catalog",
        catalogue,
        "--file",
        lines_of(tmp_path, cases),
        "--processes",
        "2",
    )

    assert [line["id"] for line in judged] == list(range(900))
    assert {line["decision"] for line in judged} == {"allow"}


def test_cases_run_through_both_walls(tmp_path: Path, catalogue: str) -> None:
    store = tmp_path / "store.db"
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("CREATE TABLE tickets (id, tenant_id, title)")
        rows = [(n, "acme" if n % 2 else "globex", f"t{n}") for n in range(10)]
        connection.executemany("INSERT INTO tickets VALUES (?, ?, ?)", rows)
    cases = [
        {"id": "own", "sql": "SELECT id FROM tickets ORDER BY id"},
        {"id": "blocked", "sql": "SELECT id FROM tickets WHERE id = 1 OR 1 = 1"},
        {"id": "wrong", "sql": "SELECT id FROM tickets WHERE json_extract(title, '$.[') = 1"},
    ]

    own, blocked, wrong = asked(
        *("run", "--engine", "sqlite", "--db", str(store), "--tenant", "acme"),
        *("--catalog", catalogue, "--file", lines_of(tmp_path, cases)),
    )

    assert (own["columns"], own["rows"], own["truncated"]) == (["id"], [[1], [3], [5]], True)
    assert (blocked["decision"], blocked["code"]) == ("refuse", "SQL_BLOCKED")
    assert wrong["decision"] == "refuse"


@pytest.mark.parametrize(
    "content", ["", "[]", '{"tables": 1}', '{"tables": {"t": [1]}}', '{"tables": {}, "row_cap": 0}']
)
def test_a_file_that_is_no_catalogue_is_said_so(tmp_path: Path, content: str) -> None:
    path = tmp_path / "catalogue.json"
    path.write_text(content)

    result = CliRunner().invoke(
        app,
        [
            "guard",
            "check",
            "--kind",
            "sql",
            "--catalog",
            str(path),
            "--file",
            lines_of(tmp_path, [sql(1, "SELECT 1")]),
        ],
    )

    assert result.exit_code == 1
    assert "catalogue" in result.output.lower()


@pytest.mark.parametrize("command", ["postgres-setup", "clickhouse-setup", "mysql-setup"])
def test_setup_names_each_tenant_and_quotes_what_it_is_given(
    tmp_path: Path, catalogue: str, command: str
) -> None:
    more = ["--database", "plain"] if command == "mysql-setup" else []

    result = CliRunner().invoke(
        app, ["guard", command, "--catalog", catalogue, "--tenant", "acme", "--tenant", "o'hara", *more]
    )

    assert result.exit_code == 0, result.output
    assert "opsloom_acme" in result.output
    assert "'o''hara'" in result.output
