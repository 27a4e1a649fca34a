"""Which guard judges the statements of which engine. An engine without a guard takes no statement."""

from collections.abc import Mapping
from functools import cached_property

from agents.execution.guards.cypher.guard import CypherGuard, cypher_guard
from agents.execution.guards.verdict import Bounds, Guard, Verdict


class _LateSqlGuard:
    """The SQL guard of a dialect, loaded with its parser when it is first asked: a third of a second that a worker
    without SQL tools need not spend."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect

    @cached_property
    def _guard(self) -> Guard:
        from agents.execution.guards.sql.guard import SqlGuard

        return SqlGuard(self._dialect)

    def __call__(self, statement: str, bounds: Bounds, bound: Mapping[str, str]) -> Verdict:
        return self._guard(statement, bounds, bound)


GUARDS: Mapping[str, Guard] = {
    "sqlite": _LateSqlGuard("sqlite"),
    "clickhouse": _LateSqlGuard("clickhouse"),
    "postgres": _LateSqlGuard("postgres"),
    "duckdb": _LateSqlGuard("duckdb"),
    "mysql": _LateSqlGuard("mysql"),
    "ladybug": cypher_guard,
    "neo4j": CypherGuard("neo4j"),
}
