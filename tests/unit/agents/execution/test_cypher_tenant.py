"""A graph of several tenants: each node of a statement is bound to the one who asks, or the statement is refused."""

from __future__ import annotations

import pytest

from agents.execution.guards.cypher.guard import cypher_guard
from agents.execution.guards.verdict import Allow, Bounds, Refuse

BOUNDS = Bounds(
    {"Service": ("tenant_id", "name"), "Host": ("name",), "CALLS": (), "RUNS_ON": ()}, "tenant_id", 10
)


@pytest.mark.parametrize(
    ("statement", "bound_nodes"),
    [
        ("MATCH (a:Service) RETURN a.name", 1),
        ("MATCH (a:Service {name: $name})-[:CALLS]->(b:Service) RETURN b.name", 2),
        ("MATCH (a:Service)-[:CALLS]->()-[:CALLS]->(b) RETURN b.name", 3),
        ("MATCH (a:Service) WHERE NOT EXISTS { MATCH (:Service)-[:CALLS]->(a) } RETURN a.name", 3),
        ("MATCH (a:Service) OPTIONAL MATCH (a)-[:CALLS]->(b:Service) RETURN a.name, count(b)", 3),
        ("MATCH (a:Service) WHERE (a)-[:CALLS]->() RETURN a.name", 3),
        ("MATCH (a:Service)-[:CALLS* SHORTEST 1..5]->(b:Service) RETURN b.name", 3),
    ],
)
def test_every_node_is_bound(statement: str, bound_nodes: int) -> None:
    """Named, nameless, in a block, and in the middle of a path."""
    verdict = cypher_guard(statement, BOUNDS, {"name": ""})
    assert isinstance(verdict, Allow), verdict
    assert verdict.statement.count("$opsloom_tenant") == bound_nodes
    assert "opsloom_tenant" not in verdict.placeholders


def test_a_tenant_given_is_written_as_a_text() -> None:
    """A quote in its name ends nothing."""
    verdict = cypher_guard("MATCH (a:Service) RETURN a.name", BOUNDS, {}, tenant="o'hara")
    assert isinstance(verdict, Allow)
    assert "'o\\'hara'" in verdict.statement


@pytest.mark.parametrize(
    "statement",
    [
        "MATCH (a:Service {tenant_id: 'globex'}) RETURN a.name",
        "MATCH (a:Service {TENANT_ID: 'globex'}) RETURN a.name",
        "MATCH (a:Service) WHERE a.name = $opsloom_tenant RETURN a.name",
        "MATCH (h:Host) RETURN h.name",
        "MATCH (a:Service)-[:RUNS_ON]->(h:Host) RETURN h.name",
        "MATCH (a:Service)-[:CALLS]->(:Host) RETURN a.name",
    ],
)
def test_what_cannot_be_bound_is_refused(statement: str) -> None:
    """A pattern that names the tenant itself, the guard's own value, a label without a tenant."""
    assert isinstance(cypher_guard(statement, BOUNDS, {"opsloom_tenant": ""}), Refuse)
