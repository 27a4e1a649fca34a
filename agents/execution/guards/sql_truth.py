"""Alternatives that are always true: `WHERE id = 1 OR '1' = '1'` shows every row, whatever the author meant."""

from sqlglot import exp

_SAME = (exp.EQ, exp.GTE, exp.LTE, exp.Is, exp.NullSafeEQ, exp.Like, exp.ILike, exp.Glob)
_ROW_BOUND = (exp.Column, exp.Placeholder, exp.AggFunc, exp.Window)


def always_true_alternative(root: exp.Expr) -> str | None:
    """Why a statement holds an OR with an alternative that depends on no row; None if it holds none."""
    for node in root.find_all(exp.Or):
        if isinstance(node.parent, exp.Or):
            continue
        sides = [_bare(side) for side in node.flatten()]
        for side in sides:
            why = _always(side)
            if why:
                return why
        known = {side.sql() for side in sides}
        for side in sides:
            opposite = side.this if isinstance(side, exp.Not) else exp.Not(this=side.copy())
            if _bare(opposite).sql() in known:
                return "an alternative and its opposite"
    return None


def _always(side: exp.Expr) -> str | None:
    if not any(side.find_all(*_ROW_BOUND)):
        return "an alternative that depends on no row"
    if isinstance(side, _SAME) and _bare(side.left) == _bare(side.right):
        return "an alternative that compares something with itself"
    if isinstance(side, exp.Not):
        inside = _bare(side.this)
        if isinstance(inside, exp.NEQ | exp.GT | exp.LT) and _bare(inside.left) == _bare(inside.right):
            return "an alternative that compares something with itself"
    if (
        isinstance(side, exp.Like | exp.ILike)
        and side.expression.name
        and not side.expression.name.strip("%")
    ):
        return "an alternative that any text is like"
    return None


def _bare(node: exp.Expr) -> exp.Expr:
    """Without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
