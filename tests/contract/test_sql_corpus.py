"""Written cases of the SQL guard and the operator guard: every attack is refused, everyday queries are let through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agents.execution.guards.cases import judge_case, judge_line
from agents.execution.guards.catalogue import read_catalogue
from agents.execution.guards.sql.guard import DIALECTS

CORPUS = Path(__file__).parent.parent / "corpus" / "sql"
CATALOGUE = read_catalogue(CORPUS / "catalogue.json")

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text().splitlines()]


ATTACKS, LEGITIMATE, OPERATORS = (
    cases(name) for name in ("attacks.jsonl", "legitimate.jsonl", "operators.jsonl")
)


@every_dialect
def test_no_written_attack_is_let_through(dialect: str) -> None:
    """Each is refused by a decision, not by a stumble of the simulator."""
    verdicts = {
        case["sql"]: judge_case("sql", case, CATALOGUE) for case in ATTACKS if case["dialect"] == dialect
    }

    assert [sql for sql, verdict in verdicts.items() if verdict["decision"] != "refuse"] == []
    assert {verdict["reason"] for verdict in verdicts.values()}.isdisjoint({"The case cannot be judged."})
    assert {verdict["code"] for verdict in verdicts.values()} <= {"SQL_BLOCKED", "INVALID_PARAMS"}


@every_dialect
def test_everyday_queries_are_let_through_with_every_table_bound(dialect: str) -> None:
    """Each catalogue table of what would run stands in a subquery of this tenant."""
    for case in LEGITIMATE:
        if case["dialect"] != dialect:
            continue
        verdict = judge_case("sql", case, CATALOGUE)

        assert verdict["decision"] == "allow", (case["sql"], verdict["violations"])
        written = verdict["sql"].replace("`", '"')
        for table in CATALOGUE.tables:
            bound = written.count(f'WHERE "{table}"."tenant_id" = \'acme\'')
            assert bound == written.count(f'FROM "{table}"')


def test_written_filters_and_operators_are_judged_as_expected() -> None:
    wrong = [
        case
        for case in OPERATORS
        if judge_case("operators", {k: v for k, v in case.items() if k != "expect"}, None)["decision"]
        != case["expect"]
    ]

    assert wrong == []


def test_the_corpus_is_as_large_as_it_has_to_be() -> None:
    assert len(ATTACKS) >= 600
    assert len(LEGITIMATE) >= 300
    assert len(OPERATORS) >= 150


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"id": {}}', b'{"sql": 1}', b'{"dialect": []}', b'"x"',
     b'{"dialect": "sqlite", "sql": null}', b'{"dialect": "sqlite", "sql": "SELECT 1", "tenant": 3}',
     b'{"dialect": "sqlite", "sql": "SELECT 1", "tenant": "a\' OR 1=1"}', b"[" * 5_000, b"1" * 400],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["sql", "operators", "cypher", "url"])
def test_no_line_ends_the_simulator(kind: str, line: bytes) -> None:
    """What cannot be read is refused with a reason, whatever it is."""
    verdict = judge_line(kind, line, CATALOGUE)

    assert verdict["decision"] == "refuse"
    assert verdict["reason"]


def test_without_a_catalogue_nothing_may_be_asked() -> None:
    verdict = judge_case("sql", LEGITIMATE[0], None)

    assert (verdict["decision"], verdict["code"]) == ("refuse", "INVALID_PARAMS")
    assert "--catalog" in verdict["suggestion"]


def test_unknown_and_forbidden_tables_and_columns_read_the_same() -> None:
    refused = [
        judge_case("sql", {"dialect": "sqlite", "tenant": "acme", "sql": sql}, CATALOGUE)
        for sql in (
            "SELECT * FROM sqlite_master",
            "SELECT * FROM nonsense",
            "SELECT password FROM tickets",
            "SELECT load_extension('x')",
            "SELECT nonsense('x')",
        )
    ]

    assert len({(each["code"], each["reason"], each["suggestion"]) for each in refused}) == 1
