"""Which names a statement may use for columns: those of the catalogue's tables it asks, and those it makes itself.

The engine resolves a name to its place; here it is only decided whether it can have any. So a name that is not
available is refused with the one text for it, before an engine could say more.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

_WHOLE_ROW = frozenset({"postgres", "duckdb"})
"""Dialects in which a table's name stands for its row."""

_MAKERS = (
    exp.Alias,
    exp.Aliases,
    exp.Table,
    exp.TableAlias,
    exp.CTE,
    exp.Lambda,
    exp.Comprehension,
    exp.Select,
)


def unknown_column(
    nodes: Sequence[exp.Expr], tables: Mapping[str, tuple[str, ...]], dialect: str
) -> str | None:
    """The first name that is neither a listed column of a table the statement asks nor one of its own making.

    `tables` is the catalogue under lower-case names. A table without a list of columns lets every name pass.
    """
    asked = {table.name.lower() for table in nodes if isinstance(table, exp.Table)}
    known: set[str] = set()
    for name in asked & tables.keys():
        if not tables[name]:
            return None
        known.update(column.lower() for column in tables[name])
    relations = set(asked)
    for node in nodes:
        if isinstance(node, _MAKERS):
            known.update(_made(node))
        if isinstance(node, exp.TableAlias | exp.CTE) and node.name:
            relations.add(node.name.lower())
    if dialect in _WHOLE_ROW:
        known |= relations
    for column in nodes:
        if not isinstance(column, exp.Column):
            continue
        name, table = column.name.lower(), column.table.lower()
        if name not in known and not isinstance(column.this, exp.Star):
            return name
        if table and table not in relations and table not in known:
            return table
    return None


def _made(node: exp.Expr) -> Iterable[str]:
    """Names of columns that a node brings in."""
    if isinstance(node, exp.Alias):
        yield node.alias.lower()
    elif isinstance(node, exp.Table):
        if isinstance(node.this, exp.Anonymous):
            yield from ("key", "value", node.this.name.lower())
        elif isinstance(node.this, exp.Func):
            yield from ("generate_series", "range")
    elif isinstance(node, exp.Aliases):
        yield from (each.name.lower() for each in node.expressions[0:])
    elif isinstance(node, exp.TableAlias):
        yield from (each.name.lower() for each in node.args.get("columns") or ())
        of_rows = isinstance(node.parent, exp.Unnest | exp.Lateral) or (
            isinstance(node.parent, exp.Table) and not isinstance(node.parent.this, exp.Identifier)
        )
        if of_rows:
            yield node.name.lower()
    elif isinstance(node, exp.CTE) and node.args.get("scalar"):
        yield node.alias.lower()
    elif isinstance(node, exp.Lambda):
        yield from (each.name.lower() for each in node.expressions)
    elif isinstance(node, exp.Comprehension):
        yield node.expression.name.lower()
    elif isinstance(node, exp.Select):
        for each in node.expressions:
            if isinstance(each, exp.Func) and not isinstance(each, exp.Anonymous):
                yield each.sql_name().lower()
            elif isinstance(each, exp.Anonymous):
                yield each.name.lower()
