"""Mutated cases through each guard: no stumble, no long wait, and what is let through keeps its promise."""

from __future__ import annotations

import ipaddress
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agents.execution.guards.cases import judge_case, judge_line
from agents.execution.guards.catalogue import read_catalogue
from agents.execution.guards.cypher.tokens import Sort, tokens_of
from agents.execution.guards.operators import operator_named
from agents.execution.guards.sql.guard import DIALECTS
from tests.fuzz.mutation import SLOWEST_S, for_a_while, mutated
from tests.support.foreign_rows import CANARY, store_of

CORPUS = Path(__file__).parent.parent / "corpus"
CATALOGUE = read_catalogue(CORPUS / "sql" / "catalogue.json")
GRAPH = read_catalogue(CORPUS / "cypher" / "catalogue.json")
WRITING = frozenset(
    {"create", "merge", "set", "delete", "detach", "remove", "drop", "copy", "load", "call", "foreach"}
)


def cases(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (CORPUS / name).read_text().splitlines()]


def timed(judge: Callable[..., dict[str, Any]], *case: Any) -> dict[str, Any]:
    """The verdict, which must be one and come soon."""
    started = time.thread_time()
    verdict = judge(*case)
    assert time.thread_time() - started < SLOWEST_S
    assert verdict["decision"] in ("allow", "refuse")
    assert verdict["reason"] != "The case cannot be judged."
    return verdict


@pytest.fixture(scope="module")
def store() -> sqlite3.Connection:
    connection = store_of(CATALOGUE, ("acme", "globex"))
    connection.set_progress_handler(lambda: 1, 300_000)
    return connection


def test_sql_that_is_let_through_shows_its_tenant_alone(store: sqlite3.Connection) -> None:
    """No more rows than the cap either. On SQLite it is run, with the first wall alone."""
    seeds = [
        case["sql"] for name in ("attacks", "legitimate", "foreign") for case in cases(f"sql/{name}.jsonl")
    ]
    seeds = [seed for seed in seeds if len(seed) < 1_000]
    for rng in for_a_while():
        dialect, sql = rng.choice(("sqlite", *DIALECTS)), mutated(rng, seeds)
        case = {"dialect": dialect, "tenant": "acme", "sql": sql}
        verdict = timed(judge_case, "sql", case, CATALOGUE)
        if verdict["decision"] == "allow" and dialect == "sqlite":
            rows = _run(store, verdict["sql"])
            assert CANARY not in repr(rows), (sql, verdict["sql"])
            assert len(rows) <= CATALOGUE.row_cap + 1, (sql, verdict["sql"])


def _run(store: sqlite3.Connection, sql: str) -> list[Any]:
    try:
        return store.execute(sql).fetchall()
    except (sqlite3.Error, sqlite3.Warning, OverflowError):
        return []


def test_cypher_that_is_let_through_reads_bound_nodes_alone() -> None:
    """Every node of every pattern carries the tenant, and no writing word is left."""
    seeds = [case["cypher"] for case in cases("cypher/cases.jsonl") if len(case["cypher"]) < 1_000]
    for rng in for_a_while():
        text = mutated(rng, seeds)
        verdict = timed(judge_case, "cypher", {"tenant": "acme", "cypher": text}, GRAPH)
        if verdict["decision"] == "refuse":
            continue
        tokens = tokens_of(verdict["cypher"])
        assert not isinstance(tokens, str), (text, verdict["cypher"])
        words = [
            token.text.lower()
            for before, token in zip([None, *tokens], tokens, strict=False)
            if token.sort is Sort.WORD and (before is None or before.text not in (".", ":", "|"))
        ]
        assert WRITING.isdisjoint(
            words[:1] + [word for word in words if word in ("create", "delete", "load")]
        )
        if any(token.is_word("match") for token in tokens):
            assert "tenant_id : 'acme'" in verdict["cypher"], (text, verdict["cypher"])


def test_urls_that_are_let_through_were_dialled_in_public() -> None:
    """Without a list of exceptions no address but a public one is ever dialled, and not too many."""
    seeds = cases("url/cases.jsonl")
    texts = [case["url"] for case in seeds if isinstance(case["url"], str) and len(case["url"]) < 2_000]
    for rng in for_a_while():
        dns = rng.choice(seeds).get("dns")
        redirects = [{"status": rng.choice((301, 302, 303, 307, 308)), "location": mutated(rng, texts)}]
        case = {
            "url": mutated(rng, texts),
            "mode": "public",
            "dns": dns,
            "redirects": rng.choice((redirects, [])),
        }
        verdict = timed(judge_case, "url", case, None)
        for dialled in verdict.get("dialled", ()):
            address = ipaddress.ip_address(dialled)
            assert address.is_global, (case, verdict)
            assert not address.is_multicast, (case, verdict)
        assert len(verdict.get("dialled", ())) <= 6


def test_a_credential_is_found_wherever_it_is_put_and_never_shown() -> None:
    """Also in a configuration that was let through before."""
    seeds = [
        json.dumps(case["config"]) for case in cases("secrets/cases.jsonl") if len(json.dumps(case)) < 2_000
    ]
    for number, rng in enumerate(for_a_while()):
        line = '{"config": ' + mutated(rng, seeds) + "}"
        timed(judge_line, "secrets", line, None)
        secret = f"gh{rng.choice('pousr')}_{rng.getrandbits(120):030x}{number:06}"
        hidden: Any = secret
        for _ in range(rng.randint(0, 6)):
            hidden = rng.choice(([hidden, 1], {"x": hidden}, {"note": "see", "list": [None, hidden]}))
        verdict = timed(judge_case, "secrets", {"config": {"top": hidden}}, None)
        assert verdict["paths"], hidden
        assert secret not in json.dumps(verdict)


def test_filters_that_are_let_through_have_a_listed_field_and_operator() -> None:
    seeds = [
        json.dumps(case["filter"]) for case in cases("filters/cases.jsonl") if len(json.dumps(case)) < 1_000
    ]
    listed = {column for columns in CATALOGUE.tables.values() for column in columns}
    for rng in for_a_while():
        line = '{"kind": "filter", "filter": ' + mutated(rng, seeds) + "}"
        verdict = timed(judge_line, "operators", line, CATALOGUE)
        if verdict["decision"] == "allow":
            filter_ = json.loads(line)["filter"]
            assert filter_["field"].rpartition(".")[2].lower() in listed
            assert operator_named(filter_["op"]) is not None


@pytest.mark.parametrize("kind", ["sql", "url", "cypher", "operators", "secrets"])
def test_any_bytes_get_a_verdict(kind: str) -> None:
    """Broken JSON, other types, binary, numbers that are none."""
    ends = (
        b"",
        b"\xff",
        b"NaN",
        b"[" * 50,
        b'{"a": NaN}',
        b'{"sql": "\\ud800"}',
        b"1e999",
        b"\x00",
        b'{"id": {}}',
    )
    for _, rng in zip(range(300), for_a_while(), strict=False):
        raw = rng.randbytes(rng.randint(0, 60))
        line = rng.choice(
            (raw, rng.choice(ends), b'{"config": ' + raw + b"}", b'{"url": ' + rng.choice(ends) + b"}")
        )
        timed(judge_line, kind, line, CATALOGUE)
