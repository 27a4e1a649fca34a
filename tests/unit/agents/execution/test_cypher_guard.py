"""The Cypher guard over a real graph of two tenants: what may run shows its tenant's listed properties and no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.guards.cypher.guard import CypherGuard, cypher_guard
from agents.execution.guards.verdict import Allow, Bounds, Refuse

BOUNDS = Bounds({"S": ("tenant_id", "name", "id"), "C": ("w",)}, "tenant_id", 10)

ALLOWED = {
    "MATCH (a:S) WHERE a.name IN ['a', 'c'] RETURN a.name": [["a"]],
    "MATCH p = (a:S)-[:C*1..3]->(b:S) WHERE all(x IN nodes(p) WHERE x.name <> 'z') RETURN length(p)": [[1]],
    "MATCH (a:S {name: 'a'}) RETURN collect(DISTINCT a.name)[1] AS first": [["a"]],
    "MATCH p = (a:S)-[:C* SHORTEST 1..5]->(b:S) RETURN properties(nodes(p), 'name')": [[["a", "b"]]],
    "MATCH (a:S)-[e:C {w: 1}]->(b) RETURN a.name, e.w, b.name ORDER BY e.w DESC, a.name LIMIT 3": [
        ["a", 1, "b"]
    ],
    "MATCH (a:S {name: 'a'}) RETURN a.name AS n UNION MATCH (b:S {name: 'd'}) RETURN b.name AS n": None,
    "MATCH (a:S) WITH a, count { MATCH (a)-[:C]->(x:S) } AS n WHERE n > 0 RETURN a.name, n": [["a", 1]],
    "MATCH (a:S) WHERE NOT (a)-[:C]->(:S) RETURN a.name ORDER BY a.name": [["b"], ["d"]],
    "MATCH (a:S) WHERE exists { MATCH (a)<-[:C]-(:S) } RETURN a.name": [["b"]],
    "MATCH (a:S) RETURN CASE WHEN a.name = 'a' THEN 1 ELSE 0 END AS first ORDER BY first DESC LIMIT 1": [[1]],
    "MATCH (a:S) RETURN count(*) AS n, size(collect(DISTINCT a.name)) AS names": [[3, 3]],
    "MATCH (a:S)-[:C]-(b:S) WHERE a.id <> b.id RETURN a.name ORDER BY a.name": [["a"], ["b"]],
    "MATCH (a:S) OPTIONAL MATCH (a)-[:C]->(b:S) RETURN a.name, b.name ORDER BY a.name": [
        ["a", "b"],
        ["b", None],
        ["d", None],
    ],
    "UNWIND [1, 2] AS n RETURN n * 2 AS twice": [[2], [4]],
    "UNWIND range(1, 2) AS n RETURN n * 2 AS twice": [[2], [4]],
    "MATCH (a:S)-[]->(b) RETURN b.name": [["b"]],
    "MATCH (a:S)-->(b) RETURN b.name": [["b"]],
    "MATCH (a:S)--(b) RETURN b.name ORDER BY b.name": [["a"], ["b"]],
    "MATCH (a:S)-[*1..3]->(b) RETURN b.name": [["b"]],
    "MATCH (a:S)-[r]->(b) WHERE r.w = 1 RETURN label(r), b.name": [["C", "b"]],
    "MATCH (a:S) WHERE exists { (a)-[:C]->(:S) } RETURN a.name": [["a"]],
    "MATCH (a:S) RETURN a.name, count { (a)-[:C]->(b:S) WHERE b.name = 'b' } AS n ORDER BY n DESC LIMIT 1": [
        ["a", 1]
    ],
    "MATCH p = shortestPath((a:S)-[:C*..5]->(b:S)) RETURN length(p)": [[1]],
    "MATCH p = allShortestPaths((a:S {name: 'a'})-[:C*1..5]-(b:S)) RETURN length(p)": [[1]],
    "MATCH (a:S {name: 'a'}) RETURN a {.name, both: a.name + a.id} AS it": [[{"name": "a", "both": "aa"}]],
}

REFUSED = (
    # An entity's other properties, in every way they might become visible.
    "MATCH (a:S) RETURN a.secret",
    "MATCH (a:S) RETURN a.`secret`",
    "MATCH (a:S) RETURN a['secret']",
    "MATCH (a:S) RETURN a.*",
    "MATCH (a:S) RETURN properties(a)",
    "MATCH p = (a:S)-[:C*1..2]->(b:S) RETURN properties(nodes(p), 'secret')",
    "MATCH p = (a:S)-[:C*1..2]->(b:S) RETURN properties(nodes(p), 'sec' + 'ret')",
    "MATCH (a:S) RETURN cast(a AS STRING)",
    "MATCH (a:S) RETURN string(a)",
    "MATCH (a:S) RETURN 'x' + a",
    "MATCH (a:S) RETURN lower(collect(a))",
    "MATCH (a:S) WITH a AS b RETURN b.secret",
    "MATCH (a:S) WITH collect(a) AS l UNWIND l AS z RETURN z.secret",
    "MATCH (a:S) RETURN [x IN collect(a) | x.secret]",
    "MATCH (a:S) RETURN CASE WHEN true THEN a END.secret",
    "MATCH (a:S) RETURN coalesce(a, a).secret",
    "MATCH (a:S) RETURN head(collect(a)).secret",
    "MATCH (a:S) WHERE a.secret STARTS WITH 'x' RETURN a.name",
    "MATCH (a:S {secret: 'x'}) RETURN a.name",
    "MATCH (a:S) RETURN a.name ORDER BY a.secret",
    # Nodes that nothing binds.
    "MATCH (a) RETURN a",
    "MATCH (a:S), (b) RETURN b.name",
    "MATCH (a:Other) RETURN a.name",
    "MATCH (a:S|Other) RETURN a.name",
    "MATCH (a:C) RETURN a.w",
    "MATCH (a:S) WHERE exists { MATCH (x:Other) } RETURN a.name",
    "MATCH (a:S) RETURN [(a)-[:C]->(b) | b.name]",
    # The tenant named by the statement.
    "MATCH (a:S {tenant_id: 'globex'}) RETURN a.name",
    "MATCH (a:S {Tenant_ID: 'globex'}) RETURN a.name",
    "MATCH (a:S {`tenant_id`: 'globex'}) RETURN a.name",
    "MATCH (a:S) WHERE a.name = $opsloom_tenant RETURN a.name",
    "MATCH (opsloom_n:S) RETURN opsloom_n.name",
    "MATCH (a:S)-[r:C*1..3 (r, n | WHERE true)]->(b:S) RETURN a.name",
    "MATCH (a:S), (A:S) RETURN a.name",
    "MATCH (a:S) RETURN a {.*}",
    "MATCH (a:S) RETURN a {.secret}",
    "MATCH (a:S) RETURN a {.name, x: a.secret}",
    "MATCH (a:S)-[:S]->(b:S) RETURN a.name",
    "MATCH (a:S)-[r]->(b:S) RETURN r.secret",
    "MATCH p = shortestPath((a:S)-[:C*]->(b:S)) RETURN length(p)",
    "MATCH p = shortestPath((a:S)-[:C]->(b:S)) RETURN length(p)",
    "MATCH p = shortestPath((a:S)-[:C*1..3]->(b:Other)) RETURN length(p)",
    # Too long, too many, never ending.
    "MATCH (a:S), (b:S), (c:S), (d:S), (e:S), (f:S) RETURN count(*)",
    "UNWIND range(1, 900) AS x UNWIND range(1, 900) AS y UNWIND range(1, 900) AS z RETURN count(*)",
    "UNWIND range(1, 9000) AS x RETURN x",
    "UNWIND range(0, 9, 0) AS x RETURN x",
    f"MATCH (a:S){'-[:C]->(:S)' * 40} RETURN a.name",
    "MATCH (a:S) WHERE a.name =~ '(a+)+' RETURN a.name",
    "MATCH (a:S)-[:C*]->(b:S) RETURN b.name",
    "MATCH (a:S)-[:C*1..]->(b:S) RETURN b.name",
    "MATCH (a:S)-[:C*1..99]->(b:S) RETURN b.name",
    "RETURN range(1, 1000000000)",
    "MATCH (a:S) RETURN reduce(x = '', y IN [1] | x + y)",
    "MATCH (a:S) RETURN repeat('x', 1000000)",
    f"MATCH (a:S) {'WITH a.name + a.name AS name MATCH (a:S) ' * 20} RETURN name",
    # Anything but reading.
    "MATCH (a:S) SET a.name = 'x' RETURN a",
    "MATCH (a:S) RETURN a.name; MATCH (b:S) DELETE b",
    "MATCH (a:S) FOREACH (x IN [1] | CREATE (:S)) RETURN 1",
    "CALL { MATCH (a:S) RETURN a } RETURN a",
    "CALL show_tables() RETURN *",
    "LOAD CSV FROM 'x' AS l RETURN l",
    "MATCH (a:S) RETURN load_extension('x')",
    "MATCH (a:S) RETURN id(a)",
    "MATCH (a:S) RETURN",
    "RETURN",
    "MATCH (a:S) RETURN a.name LIMIT 1 + 1",
    "MATCH (a:S RETURN a.name",
    "EXPLAIN MATCH (a:S) RETURN a.name",
)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """a → b → c → d, where c belongs to another tenant."""
    import ladybug

    database = ladybug.Database(str(Path(tmp_path_factory.mktemp("graph")) / "g"), buffer_pool_size=64 << 20)
    connection = ladybug.Connection(database)
    connection.execute(
        "CREATE NODE TABLE S(id STRING PRIMARY KEY, name STRING, tenant_id STRING, secret STRING)"
    )
    connection.execute("CREATE REL TABLE C(FROM S TO S, w INT64)")
    for name, tenant in (("a", "acme"), ("b", "acme"), ("c", "globex"), ("d", "acme")):
        connection.execute(
            f"CREATE (:S {{id: '{name}', name: '{name}', tenant_id: '{tenant}', secret: 'x'}})"
        )
    for number, (source, target) in enumerate(("ab", "bc", "cd"), start=1):
        connection.execute(
            f"MATCH (a:S {{id: '{source}'}}), (b:S {{id: '{target}'}}) CREATE (a)-[:C {{w: {number}}}]->(b)"
        )
    yield connection
    connection.close()
    database.close()


@pytest.mark.parametrize("statement", ALLOWED)
def test_what_may_run_sees_its_tenant_alone(statement: str, graph: Any) -> None:
    """Also what lies on the way: d is reached from b only through another tenant's node."""
    verdict = cypher_guard(statement, BOUNDS, {})
    assert isinstance(verdict, Allow), verdict

    values = {"opsloom_tenant": "acme"} if "$opsloom_tenant" in verdict.statement else {}
    result = graph.execute(verdict.statement, parameters=values)
    rows = []
    while result.has_next():
        rows.append(result.get_next())

    expected = ALLOWED[statement]
    assert expected is None or rows == expected
    assert "c" not in str(rows)


@pytest.mark.parametrize("statement", REFUSED, ids=lambda statement: statement[:70])
def test_everything_else_is_refused(statement: str) -> None:
    """On both engines."""
    bound = {"opsloom_tenant": ""}
    assert isinstance(cypher_guard(statement, BOUNDS, bound), Refuse)
    assert isinstance(CypherGuard("neo4j")(statement, BOUNDS, bound), Refuse)


def test_neo4j_binds_what_lies_between_as_a_quantified_path() -> None:
    """Its grammar knows no condition inside a path of variable length."""
    verdict = CypherGuard("neo4j")("MATCH (a:S)-[:C*1..4]->(b:S {name: 'x'}) RETURN a.name", BOUNDS, {})

    assert isinstance(verdict, Allow)
    assert verdict.statement.count("tenant_id : $opsloom_tenant") == 4
    assert "{1,4}" in verdict.statement


_PIECES = sorted({piece for text in (*ALLOWED, *REFUSED) for piece in text.replace("(", " ( ").split()})


@given(st.lists(st.sampled_from(_PIECES), max_size=25).map(" ".join))
def test_no_mixture_of_its_words_breaks_it_or_lets_a_word_of_writing_through(statement: str) -> None:
    """It answers, and what it allows holds none of the words that change a graph."""
    verdict = cypher_guard(statement, BOUNDS, {"opsloom_tenant": ""})

    if isinstance(verdict, Allow):
        assert not {"SET", "DELETE", "CREATE", "CALL", "LOAD", "FOREACH"} & set(verdict.statement.split())
        assert verdict.statement.count("(a:S {") == verdict.statement.count("(a:S")
