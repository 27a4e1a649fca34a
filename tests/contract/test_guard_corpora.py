"""Written cases of the Cypher guard, of filters, and of SQL that reaches for other tenants' rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlglot import exp, parse_one

from agents.execution.guards.cases import judge_case
from agents.execution.guards.catalogue import read_catalogue
from agents.execution.guards.sql.guard import DIALECTS
from tests.support.foreign_rows import CANARY, store_of

CORPUS = Path(__file__).parent.parent / "corpus"
CATALOGUE = read_catalogue(CORPUS / "sql" / "catalogue.json")
GRAPH = read_catalogue(CORPUS / "cypher" / "catalogue.json")


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text().splitlines()]


CYPHER, FILTERS, FOREIGN = (
    cases(name) for name in ("cypher/cases.jsonl", "filters/cases.jsonl", "sql/foreign.jsonl")
)


@pytest.fixture(scope="module")
def store() -> Iterator[sqlite3.Connection]:
    connection = store_of(CATALOGUE, ("acme", "globex"))
    yield connection
    connection.close()


def of_each(found: list[dict[str, Any]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", found, ids=lambda case: case["id"])


@of_each(CYPHER)
def test_cypher_case(case: dict[str, Any]) -> None:
    """As it is expected; and what may run names this tenant in its patterns."""
    verdict = judge_case("cypher", case, GRAPH)

    assert verdict["decision"] == case["expect"], verdict
    if verdict["decision"] == "allow" and "(" in case["cypher"] and "MATCH" in case["cypher"].upper():
        assert "tenant_id : 'acme'" in verdict["cypher"]
        assert "tenant_id : 'globex'" not in verdict["cypher"]


@of_each(FILTERS)
def test_filter_case(case: dict[str, Any]) -> None:
    assert judge_case("operators", case, CATALOGUE)["decision"] == case["expect"]


@of_each(FOREIGN)
def test_sql_that_reaches_for_foreign_rows_gets_none(case: dict[str, Any], store: sqlite3.Connection) -> None:
    """It is refused, or it runs and shows this tenant's rows alone, no more than may be."""
    verdict = judge_case("sql", {**case, "dialect": "sqlite", "tenant": "acme"}, CATALOGUE)
    if verdict["decision"] == "refuse":
        return

    try:
        rows = store.execute(verdict["sql"]).fetchall()
    except sqlite3.OperationalError:
        return  # words of other engines
    assert CANARY not in repr(rows)
    assert "globex" not in repr(rows)
    assert len(rows) <= CATALOGUE.row_cap + 1


@of_each(cases("sql/spelling.jsonl"))
def test_a_name_is_written_as_what_it_stands_for_was_named(case: dict[str, Any]) -> None:
    """`users` beside a CTE called `"Users"` would be a table to engines that tell the two apart."""
    verdict = judge_case("sql", case, CATALOGUE)

    if verdict["decision"] == "allow":
        written = parse_one(verdict["sql"], read=case["dialect"])
        named = {
            (cte.args["alias"].this.this, cte.args["alias"].this.quoted) for cte in written.find_all(exp.CTE)
        }
        asked = {(table.this.this, table.this.quoted) for table in written.find_all(exp.Table)}
        assert asked <= named


@pytest.mark.parametrize("dialect", DIALECTS)
def test_what_may_run_may_run_again(dialect: str) -> None:
    """The guard's own text is let through by the guard: it says no more than was judged."""
    for case in cases("sql/legitimate.jsonl"):
        if case["dialect"] == dialect:
            written = judge_case("sql", case, CATALOGUE)["sql"]
            again = judge_case("sql", {**case, "sql": written}, CATALOGUE)
            assert again["decision"] == "allow", (written, again["violations"])


def test_the_corpora_are_as_large_as_they_have_to_be() -> None:
    assert len(CYPHER) >= 120
    assert len(FILTERS) >= 150
    assert len(FOREIGN) >= 80
