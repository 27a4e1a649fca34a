"""The Cypher guard: one reading query over whitelisted labels, bounded paths, a LIMIT; deny by default.

The statement is read by its grammar and written anew from what was understood: what the guard does not know is no part
of what runs. Where a source has a tenant column, every node of every pattern is bound to the tenant, those between the
ends of a path too.
"""

from collections.abc import Mapping

from agents.execution.guards.cypher.clauses import MAX_HOPS, Clauses, CypherDialect, Tenant
from agents.execution.guards.cypher.scope import Blocked, Catalogue
from agents.execution.guards.cypher.tokens import tokens_of
from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.guards.verdict import Allow, Bounds, Refuse, Verdict, blocked
from schemas.errors import ErrorCode

__all__ = ["MAX_HOPS", "CypherGuard", "cypher_guard"]


class CypherGuard:
    """The guard of one engine's dialect. Pure; never raises for any text."""

    def __init__(self, dialect: CypherDialect) -> None:
        self._dialect = dialect

    def __call__(
        self, statement: str, bounds: Bounds, bound: Mapping[str, str], tenant: str | None = None
    ) -> Verdict:
        """Judge one statement. The tenant is written into it if it is given; else it waits for it as a value."""
        tokens = tokens_of(statement)
        if isinstance(tokens, str):
            return blocked(tokens, "The query cannot be read.")
        while tokens and tokens[-1].text == ";":
            tokens.pop()
        binding = _tenant_of(bounds, tenant)
        catalogue = Catalogue(bounds.tables, frozenset() if binding is None else binding.labels)
        clauses = Clauses(tokens, catalogue, binding, bounds.row_cap, self._dialect)
        try:
            clauses.query()
        except Blocked as refusal:
            return refusal.verdict
        missing = [name for name in clauses.values if name not in bound]
        if missing:
            return Refuse(ErrorCode.INVALID_PARAMS, f"No value is given for {', '.join(missing)}.")
        return Allow(clauses.text, clauses.values)


def _tenant_of(bounds: Bounds, tenant: str | None) -> Tenant | None:
    column = bounds.tenant_column
    if column is None:
        return None
    quoted = "" if tenant is None else tenant.replace("\\", "\\\\").replace("'", "\\'")
    written = f"${TENANT_PLACEHOLDER}" if tenant is None else f"'{quoted}'"
    labels = (name.lower() for name, columns in bounds.tables.items() if column in columns)
    return Tenant(column, written, frozenset(labels))


cypher_guard = CypherGuard("ladybug")
"""The guard of the embedded graph store."""
