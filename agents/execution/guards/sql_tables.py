"""Which tables a statement reaches: names resolved by scope, whitelisted tables bound, all others refused."""

from collections.abc import Iterator

from sqlglot import exp

from agents.execution.guards.verdict import NOT_AVAILABLE, Bounds, Refuse, blocked

TENANT_VALUE = "opsloom_"
"""Placeholders that begin so belong to the guard."""
TENANT_PLACEHOLDER = "opsloom_tenant"


class Blocked(Exception):
    """Carries a refusal out of a walk over the tree."""

    def __init__(self, verdict: Refuse) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def bind_tables(root: exp.Query, bounds: Bounds, dialect: str) -> None:
    """Replace each whitelisted table by a subquery of its columns, bound to the tenant; refuse every other name.

    A CTE is visible in the body of its own query and in later CTEs of the same WITH, no earlier: engines differ
    on the rest, and where one sees a CTE another would see a table.
    """
    tables = {name.lower(): (name, columns) for name, columns in bounds.tables.items()}
    for table in list(_catalogue_tables(root, frozenset(), frozenset(tables))):
        found = tables.get(table.name.lower())
        if found is None:
            raise Blocked(blocked(f"the table {table.name[:80]}", NOT_AVAILABLE))
        table.replace(_bound_table(table, *found, bounds.tenant_column, dialect))


def _catalogue_tables(
    node: exp.Expr, visible: frozenset[str], catalogue: frozenset[str]
) -> Iterator[exp.Table]:
    """Every table node that no CTE in sight explains."""
    if isinstance(node, exp.Table):
        if not isinstance(node.this, exp.Identifier):
            raise Blocked(blocked("a table function", NOT_AVAILABLE))
        if node.name.lower() not in visible:
            yield node
        return
    with_ = node.args.get("with_")
    if with_ is not None:
        for cte in with_.expressions:
            name = cte.alias.lower()
            if not name or name in catalogue or name in visible:
                raise Blocked(blocked("a CTE that takes a name already used"))
            if not isinstance(cte.this, exp.Query):
                raise Blocked(blocked("a CTE that is no query"))
            yield from _catalogue_tables(cte.this, visible, catalogue)
            visible |= {name}
    for child in node.iter_expressions():
        if child is not with_:
            yield from _catalogue_tables(child, visible, catalogue)


def _bound_table(
    table: exp.Table, name: str, columns: tuple[str, ...], tenant_column: str | None, dialect: str
) -> exp.Subquery:
    if tenant_column is not None and columns and tenant_column not in columns:
        raise Blocked(blocked(f"{name} cannot be bound to a tenant", NOT_AVAILABLE))
    listed: list[exp.Expr] = [exp.column(each, quoted=True) for each in columns]
    inner = exp.Select(expressions=listed or [exp.Star()])
    inner.set("from_", exp.From(this=exp.Table(this=exp.to_identifier(name, quoted=True))))
    if tenant_column is not None:
        value = exp.Placeholder(this=TENANT_PLACEHOLDER)
        if dialect == "clickhouse":
            value.set("kind", exp.DataType.build("String", dialect="clickhouse"))
        inner.set(
            "where", exp.Where(this=exp.EQ(this=exp.column(tenant_column, quoted=True), expression=value))
        )
    alias = table.args.get("alias")
    if alias is None or alias.this is None:
        alias = exp.TableAlias(this=exp.to_identifier(table.name, quoted=table.this.args.get("quoted")))
    elif alias.args.get("columns"):
        raise Blocked(blocked("a table alias that renames columns"))
    return exp.Subquery(this=inner, alias=alias.copy())
