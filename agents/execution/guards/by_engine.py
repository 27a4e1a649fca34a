"""Which guard judges the statements of which engine. An engine without a guard takes no statement."""

from collections.abc import Mapping

from agents.execution.guards.cypher import cypher_guard
from agents.execution.guards.sql import SqlGuard
from agents.execution.guards.verdict import Guard

GUARDS: Mapping[str, Guard] = {
    "sqlite": SqlGuard("sqlite"),
    "clickhouse": SqlGuard("clickhouse"),
    "ladybug": cypher_guard,
}
