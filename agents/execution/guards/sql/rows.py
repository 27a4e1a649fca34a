"""How many rows a statement may give: cap + 1 in its LIMIT, to see the cut. A smaller limit of its own stays."""

from sqlglot import exp

from agents.execution.guards.sql.tables import Blocked
from agents.execution.guards.verdict import blocked

_MOST_DIGITS = 12


def cap_rows(root: exp.Query, row_cap: int, dialect: str) -> exp.Query:
    """The statement with its rows capped; every LIMIT and OFFSET in it must be a number, or a value to bind."""
    _plain(root)
    # Tables are not bound yet, so the tree is as small as the statement.
    for limit in root.find_all(exp.Limit, exp.Offset):
        if not _whole_number(limit.expression) and not isinstance(limit.expression, exp.Placeholder):
            raise Blocked(blocked("a LIMIT or OFFSET that is no number", "LIMIT takes a whole number."))
        if dialect == "mysql" and isinstance(limit.expression, exp.Placeholder):
            raise Blocked(blocked("a LIMIT that is a value to bind", "LIMIT takes a whole number."))
    own = root.args.get("limit")
    by_group = own is not None and own.expressions
    if dialect == "clickhouse" and (isinstance(root, exp.SetOperation) or by_group):
        # There a LIMIT belongs to the last SELECT of a UNION, and LIMIT n BY is not the limit of all.
        root = exp.select("*").from_(exp.Subquery(this=root))
        own = None
    ceiling = exp.Literal.number(row_cap + 1)
    if own is None:
        root.set("limit", exp.Limit(expression=ceiling))
    elif isinstance(own.expression, exp.Placeholder):
        # SQLite reads a negative limit as none at all.
        positive = exp.Abs(this=own.expression.copy())
        own.set("expression", exp.Least(this=positive, expressions=[ceiling]))
    elif int(own.expression.this) > row_cap + 1:
        own.set("expression", ceiling)
    return root


def _plain(root: exp.Query) -> None:
    """Write FETCH FIRST n ROWS as LIMIT n, and PREWHERE, which no subquery takes, as WHERE."""
    for found in list(root.find_all(exp.Fetch, exp.PreWhere)):
        if isinstance(found, exp.Fetch):
            count = found.args.get("count") or exp.Literal.number(1)
            found.replace(exp.Limit(expression=count))
            continue
        select = found.parent
        if isinstance(select, exp.Select):
            select.set("prewhere", None)
            where = select.args.get("where")
            both = found.this if where is None else exp.and_(found.this, where.this)
            select.set("where", exp.Where(this=both))


def _whole_number(node: exp.Expr | None) -> bool:
    return (
        isinstance(node, exp.Literal)
        and not node.is_string
        and node.this.isdigit()
        and node.this.isascii()
        and len(node.this) <= _MOST_DIGITS
    )
