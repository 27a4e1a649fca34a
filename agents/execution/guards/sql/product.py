"""How many tables' rows a statement multiplies: joins that join nothing are bounded, also over several levels.

The degree of a relation is the power of a table's rows it may have: a table has 1, a join without an equation between
its sides adds the degrees, one with an equation takes the larger, a total without groups or a small LIMIT has 0.
"""

from collections.abc import Iterator, Mapping

from sqlglot import exp

LARGEST_DEGREE = 3
_SMALL_LIMIT = 100
_WRAPPINGS = (exp.Paren, exp.Subquery, exp.Lateral, exp.Final)


def multiplied(nodes: list[exp.Expr]) -> str | None:
    """Why a statement of these nodes multiplies too many rows; None if it does not."""
    if not any(isinstance(node, exp.Join) for node in nodes):
        return None
    ctes: dict[str, int] = {}
    # A CTE stands before what uses it; its name is unique in the statement's scopes.
    for node in nodes:
        if isinstance(node, exp.CTE) and isinstance(node.this, exp.Query):
            ctes[node.alias.lower()] = _degree(node.this, ctes)
    for node in nodes:
        if isinstance(node, exp.Select) and node.args.get("joins") and _joined(node, ctes) > LARGEST_DEGREE:
            return "more tables side by side than may be"
    return None


def _degree(relation: object, ctes: Mapping[str, int]) -> int:
    while isinstance(relation, _WRAPPINGS):
        if _is_small(relation):
            return 0
        relation = relation.this
    if isinstance(relation, exp.Table):
        return ctes.get(relation.name.lower(), 1) if isinstance(relation.this, exp.Identifier) else 1
    if isinstance(relation, exp.SetOperation):
        return max(_degree(relation.this, ctes), _degree(relation.expression, ctes))
    if not isinstance(relation, exp.Select):
        return 1
    if _is_small(relation) or _is_total(relation) or relation.args.get("from_") is None:
        return 0
    return _joined(relation, ctes)


def _joined(select: exp.Select, ctes: Mapping[str, int]) -> int:
    source, where = select.args.get("from_"), select.args.get("where")
    degree = 0 if source is None else _degree(source.this, ctes)
    for join in select.args.get("joins") or ():
        added = _degree(join.this, ctes)
        linked = join.args.get("using") or join.args.get("method") in ("NATURAL", "ASOF")
        linked = linked or _links(join.args.get("on"), "") or _is_correlated(join.this)
        if not linked and where is not None:
            linked = _links(where.this, join.this.alias_or_name.lower())
        degree = max(degree, added) if linked else degree + added
    return degree


def _is_small(query: exp.Expr) -> bool:
    limit = query.args.get("limit")
    count = limit.args.get("expression") if isinstance(limit, exp.Limit) else None
    return isinstance(count, exp.Literal) and count.this.isdigit() and int(count.this[:12]) <= _SMALL_LIMIT


def _is_total(select: exp.Select) -> bool:
    return select.args.get("group") is None and any(
        each.parent_select is select and not isinstance(each.parent, exp.Window)
        for item in select.expressions
        for each in item.find_all(exp.AggFunc)
    )


def _is_correlated(relation: object) -> bool:
    """A lateral query with an equation of its own finds few rows for each."""
    where = relation.find(exp.Where) if isinstance(relation, exp.Lateral) else None
    return where is not None and _links(where.this, "")


def _links(condition: object, alias: str) -> bool:
    """Does an equation between columns of two relations have to hold? With an alias: one of that relation."""
    while isinstance(condition, exp.Paren):
        condition = condition.this
    if isinstance(condition, exp.And):
        return _links(condition.this, alias) or _links(condition.expression, alias)
    if isinstance(condition, exp.Or):
        return _links(condition.this, alias) and _links(condition.expression, alias)
    if not isinstance(condition, exp.EQ | exp.NullSafeEQ):
        return False
    left, right = set(_tables(condition.this)), set(_tables(condition.expression))
    if not left or not right or (left == right and "" not in left):
        return False
    return not alias or alias in left | right or "" in left | right


def _tables(node: exp.Expr) -> Iterator[str]:
    for column in node.find_all(exp.Column):
        yield column.table.lower()
