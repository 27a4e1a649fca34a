"""Random SQL that SQLite and PostgreSQL both understand, over tickets, hosts and alerts of the sample catalogue."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

TABLES: dict[str, dict[str, str]] = {
    "tickets": {"id": "int", "status": "text", "queue": "text", "sla_minutes": "int", "tenant_id": "text"},
    "hosts": {"id": "int", "region": "text", "role": "text", "cpu_cores": "int", "tenant_id": "text"},
    "alerts": {"id": "int", "host_id": "int", "rule": "text", "state": "text", "tenant_id": "text"},
}
TEXTS = ("open", "closed", "net", "db", "eu", "acme", "globex", "it's", "")


def literals(kind: str) -> st.SearchStrategy[str]:
    """A literal of a column's kind."""
    if kind == "int":
        return st.integers(-3, 12).map(str)
    return st.sampled_from(TEXTS).map(lambda text: "'" + text.replace("'", "''") + "'")


@st.composite
def conditions(draw: st.DrawFn, alias: str, columns: dict[str, str], depth: int = 0) -> str:
    """A condition over one relation's columns, with subqueries now and then."""
    name = draw(st.sampled_from(sorted(columns)))
    kind, column = columns[name], f"{alias}.{name}"
    form = draw(st.integers(0, 7 if depth < 2 else 4))
    if form == 0:
        return f"{column} {draw(st.sampled_from(['=', '<>', '<', '>=', '<=', '>']))} {draw(literals(kind))}"
    if form == 1:
        chosen = draw(st.lists(literals(kind), min_size=1, max_size=3))
        return f"{column} {draw(st.sampled_from(['IN', 'NOT IN']))} ({', '.join(chosen)})"
    if form == 2:
        return f"{column} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    if form == 3:
        return f"{column} BETWEEN {draw(literals(kind))} AND {draw(literals(kind))}"
    if form == 4:
        return f"NOT {column} = {draw(literals(kind))}"
    inner = draw(conditions(alias, columns, depth + 1))
    if form == 5:
        return (
            f"({inner} {draw(st.sampled_from(['AND', 'OR']))} {draw(conditions(alias, columns, depth + 1))})"
        )
    other = draw(st.sampled_from(sorted(TABLES)))
    sub = f"s{depth}"
    where = draw(conditions(sub, TABLES[other], depth + 1))
    if form == 6:
        return f"EXISTS (SELECT 1 FROM {other} {sub} WHERE {sub}.id = {alias}.id AND {where})"
    return f"{alias}.id {draw(st.sampled_from(['IN', 'NOT IN']))} (SELECT {sub}.id FROM {other} {sub} WHERE {where})"


@st.composite
def selects(draw: st.DrawFn) -> str:
    """Two columns, one whole number and one text, so that selects can stand beside each other in a UNION."""
    table = draw(st.sampled_from(sorted(TABLES)))
    columns = TABLES[table]
    texts = sorted(name for name, kind in columns.items() if kind == "text")
    text = draw(st.sampled_from(texts))
    where = draw(st.just("") | conditions("t", columns).map(" WHERE {}".format))
    rest = f"t.{text} AS label FROM {table} t{where}"
    form = draw(st.integers(0, 6))
    if form == 0:
        return f"SELECT COUNT(*) AS n, t.{text} AS label FROM {table} t{where} GROUP BY t.{text}"
    if form == 1:
        other = draw(st.sampled_from(sorted(TABLES)))
        side = draw(st.sampled_from(["JOIN", "LEFT JOIN"]))
        return f"SELECT t.id AS n, t.{text} AS label FROM {table} t {side} {other} u ON u.id = t.id{where}"
    if form == 2:
        return f"SELECT ROW_NUMBER() OVER (PARTITION BY t.{text} ORDER BY t.id) AS n, {rest}"
    if form == 3:
        return f"SELECT (SELECT COUNT(*) FROM alerts x WHERE x.host_id = t.id) AS n, {rest}"
    if form == 4:
        opened = f"SUM(CASE WHEN t.{text} = 'open' THEN 1 ELSE 0 END)"
        return f"SELECT {opened} AS n, MAX(t.{text}) AS label FROM {table} t{where}"
    if form == 5:
        return f"SELECT DISTINCT t.id AS n, t.{text} AS label FROM {table} t{where}"
    return f"SELECT t.id AS n, t.{text} AS label FROM {table} AS t{where}"


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A select, a set operation, a derived table or a CTE of selects."""
    query: Any = draw(selects())
    form = draw(st.integers(0, 5))
    if form == 1:
        word = draw(st.sampled_from(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"]))
        return f"{query} {word} {draw(selects())}"
    if form == 2:
        return f"SELECT d.n, d.label FROM ({query}) AS d WHERE d.n > 0"
    if form == 3:
        return f"WITH c AS ({query}) SELECT c.label, COUNT(*) AS n FROM c GROUP BY c.label"
    if form == 4:
        return f"WITH c AS ({query}), e AS (SELECT * FROM c) SELECT e.n, e.label FROM e JOIN c ON c.n = e.n"
    return str(query)
