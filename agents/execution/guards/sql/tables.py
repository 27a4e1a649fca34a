"""Which tables a statement reaches: names resolved by scope, whitelisted tables bound, all others refused."""

from collections.abc import Iterator, Mapping

from sqlglot import exp

from agents.execution.guards.sql.functions import ROW_FUNCTIONS
from agents.execution.guards.sql.series import refused_series
from agents.execution.guards.verdict import NOT_AVAILABLE, Bounds, Refuse, blocked

TENANT_VALUE = "opsloom_"
"""Placeholders that begin so belong to the guard."""
TENANT_PLACEHOLDER = "opsloom_tenant"


class Blocked(Exception):
    """Carries a refusal out of a walk over the tree."""

    def __init__(self, verdict: Refuse) -> None:
        super().__init__(verdict.reason)
        self.verdict = verdict


def bind_tables(root: exp.Query, bounds: Bounds, dialect: str, tenant: str | None = None) -> None:
    """Replace each whitelisted table by a subquery of its columns, bound to the tenant; refuse every other name.

    A CTE is visible in the body of its own query and in later CTEs of the same WITH, no earlier: engines differ
    on the rest, and where one sees a CTE another would see a table. With a `tenant` its name is written into the
    statement; else the statement waits for it under `TENANT_PLACEHOLDER`.
    """
    tables = {name.lower(): (name, columns) for name, columns in bounds.tables.items()}
    listed = frozenset(each.lower() for columns in bounds.tables.values() for each in columns)
    if bounds.tenant_column is not None:
        listed |= {bounds.tenant_column.lower()}
    for table in list(_catalogue_tables(root, {}, frozenset(tables), listed, dialect)):
        found = tables.get(table.name.lower())
        if found is None:
            raise Blocked(blocked(f"the table {table.name[:80]}", NOT_AVAILABLE))
        final = table.parent if isinstance(table.parent, exp.Final) else None
        (final or table).replace(_bound_table(table, final is not None, found, bounds, dialect, tenant))


def _catalogue_tables(
    node: exp.Expr,
    visible: Mapping[str, exp.Identifier],
    catalogue: frozenset[str],
    columns: frozenset[str],
    dialect: str,
) -> Iterator[exp.Table]:
    """Every table node that no CTE in sight explains."""
    if isinstance(node, exp.Table):
        if isinstance(node.this, exp.ExplodingGenerateSeries | exp.GenerateSeries):
            fault = refused_series(node.this)
            if fault is not None:
                raise Blocked(blocked(fault))
            return
        if isinstance(node.this, exp.Anonymous) and node.this.this.lower() in ROW_FUNCTIONS.get(dialect, ()):
            if node.this.find(exp.Column) is None:
                raise Blocked(blocked("a table function of no row", NOT_AVAILABLE))
            yield from _catalogue_tables(node.this, visible, catalogue, columns, dialect)
            return
        if not isinstance(node.this, exp.Identifier):
            raise Blocked(blocked("a table function", NOT_AVAILABLE))
        made = visible.get(node.name.lower())
        if made is None:
            yield node
        elif isinstance(node.parent, exp.Final):
            raise Blocked(blocked("FINAL of what is no table"))
        else:
            _spell_as(node, made, dialect)
        return
    with_ = node.args.get("with_")
    if with_ is not None:
        for cte in with_.expressions:
            name = cte.alias.lower()
            # ClickHouse hands such a value on to the queries inside, where it would stand for the column.
            if cte.args.get("scalar") and name in columns:
                raise Blocked(blocked("a value that takes the name of a column"))
            if not name or name in catalogue or name in visible:
                raise Blocked(blocked("a CTE that takes a name already used"))
            yield from _catalogue_tables(cte.this, visible, catalogue, columns, dialect)
            if not cte.args.get("scalar"):
                if not isinstance(cte.this, exp.Query):
                    raise Blocked(blocked("a CTE that is no query"))
                visible = {**visible, name: cte.args["alias"].this}
    for child in node.iter_expressions():
        if child is not with_:
            yield from _catalogue_tables(child, visible, catalogue, columns, dialect)


def _spell_as(table: exp.Table, made: exp.Identifier, dialect: str) -> None:
    """Write the name of a CTE as the CTE was named, case and quotes too: to an engine for which `"Users"` and `users`
    are two names, the one would be the CTE and the other a table."""
    asked = table.this
    if asked.this == made.this and bool(asked.args.get("quoted")) == bool(made.args.get("quoted")):
        return
    apart = asked.this != made.this
    exact = dialect == "clickhouse" or asked.args.get("quoted") or made.args.get("quoted")
    if apart and (exact or not (asked.this + made.this).isascii()):
        raise Blocked(blocked(f"the table {table.name[:80]}", NOT_AVAILABLE))
    if not table.alias:
        table.set("alias", exp.TableAlias(this=asked.copy()))
    table.set("this", made.copy())


def _bound_table(
    table: exp.Table, final: bool, found: tuple[str, tuple[str, ...]], bounds: Bounds, dialect: str,
    tenant: str | None,
) -> exp.Subquery:  # fmt: skip
    (name, columns), tenant_column = found, bounds.tenant_column
    if tenant_column is not None and columns and tenant_column not in columns:
        raise Blocked(blocked(f"{name} cannot be bound to a tenant", NOT_AVAILABLE))
    listed: list[exp.Expr] = [exp.Column(this=exp.Identifier(this=each, quoted=True)) for each in columns]
    inner = exp.Select(expressions=listed or [exp.Star()])
    source: exp.Expr = exp.Table(this=exp.to_identifier(name, quoted=True))
    inner.set("from_", exp.From(this=exp.Final(this=source) if final else source))
    if tenant_column is not None:
        inner.set("where", exp.Where(this=_of_tenant(name, tenant_column, dialect, tenant)))
    alias = table.args.get("alias")
    if alias is None or alias.this is None:
        alias = exp.TableAlias(this=exp.to_identifier(table.name, quoted=table.this.args.get("quoted")))
    return exp.Subquery(this=inner, alias=alias.copy())


def _of_tenant(table: str, column: str, dialect: str, tenant: str | None) -> exp.Expr:
    """With the table's name before the column's: no name of the statement can stand between them."""

    def owner() -> exp.Expr:
        return exp.column(column, table=table, quoted=True)

    def value() -> exp.Expr:
        if tenant is not None:
            return exp.Literal.string(tenant)
        return exp.Placeholder(this=TENANT_PLACEHOLDER)

    same = exp.EQ(this=owner(), expression=value())
    if dialect != "mysql":
        return same
    # Its collations take 'acme', 'ACME' and 'acme ' for the same; bytes are not.
    bytewise = exp.EQ(this=_bytes(owner()), expression=_bytes(value()))
    return exp.And(this=same, expression=bytewise)


def _bytes(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType.build("BINARY", dialect="mysql"))
