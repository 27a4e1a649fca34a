"""Conditions tried out on made-up rows: enough of SQL's meaning to see that one holds whatever the row is.

What is not understood here (a function, a subquery) counts as a value of its own that may be anything, the same
wherever the same text stands.
"""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlglot import exp

from agents.execution.guards.sql.made_up_rows import Row
from agents.execution.guards.sql.three_valued import UNSURE, as_number, as_text, both, compared, either, truth


def value_of(node: exp.Expr, row: Row, key: Callable[[exp.Expr], str]) -> Any:
    """The value of an expression in a row: None for NULL, UNSURE where it can't be told."""
    known = row.get(key(node), row)
    if known is not row:
        return known
    evaluate = _EVALUATE.get(type(node))
    if evaluate is None:
        return UNSURE
    try:
        return evaluate(node, lambda inner: value_of(inner, row, key))
    except (ValueError, TypeError, OverflowError, ZeroDivisionError, AttributeError):
        return UNSURE


def understood(node: exp.Expr) -> bool:
    """Is the node one whose value follows from those of its parts?"""
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        return name in _NAMED_COMPARISONS or name in _NAMED_ARITHMETIC or name in _NAMED_TESTS
    return type(node) in _EVALUATE and not isinstance(node, exp.Query | exp.Subquery)


_Inner = Callable[[exp.Expr], Any]


def _comparison(how: Callable[[Any, Any], bool]) -> Callable[[Any, _Inner], Any]:
    def evaluate(node: Any, inner: _Inner) -> Any:
        left, right = inner(node.this), node.expression
        if isinstance(right, exp.Any) and isinstance(right.this.unnest(), exp.Array):
            return either(compared(left, inner(each), how) for each in right.this.unnest().expressions)
        return compared(left, inner(right), how)

    return evaluate


def _arithmetic(how: Callable[[Any, Any], Any]) -> Callable[[Any, _Inner], Any]:
    def evaluate(node: Any, inner: _Inner) -> Any:
        left, right = as_number(inner(node.this)), as_number(inner(node.expression))
        if left is None or right is None:
            return None
        if left is UNSURE or right is UNSURE:
            return UNSURE
        try:
            return how(left, right)
        except ZeroDivisionError:
            return None

    return evaluate


def _not(node: Any, inner: _Inner) -> Any:
    value = truth(inner(node.this))
    return value if value is None or value is UNSURE else not value


def _xor(node: Any, inner: _Inner) -> Any:
    return compared(truth(inner(node.this)), truth(inner(node.expression)), operator.ne)


def _in(node: Any, inner: _Inner) -> Any:
    if node.args.get("query") is not None:
        return UNSURE
    value = inner(node.this)
    return either(compared(value, inner(each), operator.eq) for each in node.expressions)


def _between(node: Any, inner: _Inner) -> Any:
    value, low, high = inner(node.this), inner(node.args["low"]), inner(node.args["high"])
    return both([compared(value, low, operator.ge), compared(value, high, operator.le)])


def _is(node: Any, inner: _Inner) -> Any:
    left, right = inner(node.this), inner(node.expression)
    if left is UNSURE or right is UNSURE:
        return UNSURE
    if left is None or right is None:
        return left is right
    if isinstance(node.expression, exp.Boolean):
        return truth(left) == right
    return compared(left, right, operator.eq)


def _like(node: Any, inner: _Inner) -> Any:
    text, pattern = inner(node.this), inner(node.expression)
    if text is None or pattern is None:
        return None
    if text is UNSURE or pattern is UNSURE:
        return UNSURE
    parts = [".*" if char == "%" else "." if char == "_" else re.escape(char) for char in as_text(pattern)]
    return re.fullmatch("".join(parts), as_text(text), re.IGNORECASE | re.DOTALL) is not None


def _glob(node: Any, inner: _Inner) -> Any:
    text, pattern = inner(node.this), inner(node.expression)
    if text is None:
        return None
    if text is UNSURE or pattern is None or pattern is UNSURE or set("?[") & set(as_text(pattern)):
        return UNSURE
    parts = [".*" if char == "*" else re.escape(char) for char in as_text(pattern)]
    return re.fullmatch("".join(parts), as_text(text), re.DOTALL) is not None


_ANYTHING = re.compile(r"\^?(\(?\.?\*?\)?|\.\*|\(\.\*\)|.\*|.\?)\$?")


def _regular(node: Any, inner: _Inner) -> Any:
    """Only a pattern that everything fits is told."""
    text, pattern = inner(node.this), inner(node.expression)
    if text is None:
        return None
    if isinstance(pattern, str) and text is not UNSURE and _ANYTHING.fullmatch(pattern) and pattern != ".":
        return True
    return UNSURE


def _concat(values: Iterable[Any]) -> Any:
    found = list(values)
    if UNSURE in found:
        return UNSURE
    return None if None in found else "".join(map(as_text, found))


def _case(node: Any, inner: _Inner) -> Any:
    given = None if node.this is None else inner(node.this)
    for branch in node.args["ifs"]:
        value = inner(branch.this)
        holds = truth(value) if node.this is None else compared(given, value, operator.eq)
        if holds is UNSURE:
            return UNSURE
        if holds:
            return inner(branch.args["true"])
    default = node.args.get("default")
    return None if default is None else inner(default)


def _if(node: Any, inner: _Inner) -> Any:
    holds = truth(inner(node.this))
    if holds is UNSURE:
        return UNSURE
    chosen = node.args.get("true" if holds else "false")
    return None if chosen is None else inner(chosen)


def _coalesce(node: Any, inner: _Inner) -> Any:
    for each in (node.this, *node.expressions):
        value = inner(each)
        if value is not None:
            return value
    return None


def _nullif(node: Any, inner: _Inner) -> Any:
    value = inner(node.this)
    same = compared(value, inner(node.expression), operator.eq)
    return UNSURE if same is UNSURE else None if same else value


def _extreme(choose: Callable[[Iterable[Any]], Any]) -> Callable[[Any, _Inner], Any]:
    def evaluate(node: Any, inner: _Inner) -> Any:
        values = [inner(each) for each in (node.this, *node.expressions)]
        if UNSURE in values or len({isinstance(each, str) for each in values if each is not None}) > 1:
            return UNSURE
        return None if None in values else choose(values)

    return evaluate


def _of_one(how: Callable[[Any], Any]) -> Callable[[Any, _Inner], Any]:
    def evaluate(node: Any, inner: _Inner) -> Any:
        value = inner(node.this)
        return value if value is None or value is UNSURE else how(value)

    return evaluate


def _texts(how: Callable[[str, str], bool]) -> Callable[[Any, _Inner], Any]:
    def evaluate(node: Any, inner: _Inner) -> Any:
        left, right = inner(node.this), inner(node.expression)
        if left is UNSURE or right is UNSURE:
            return UNSURE
        return None if left is None or right is None else how(as_text(left), as_text(right))

    return evaluate


def _literal(node: Any, _: _Inner) -> Any:
    if node.is_string:
        return str(node.this)
    return int(node.this) if node.this.isdigit() else float(node.this)


def _cast(node: Any, inner: _Inner) -> Any:
    value = inner(node.this)
    if value is None or value is UNSURE:
        return value
    kind = node.to.this.name
    if "CHAR" in kind or kind == "TEXT":
        return as_text(value)
    if kind in ("BOOLEAN", "BOOL"):
        return {"true": True, "false": False, "t": True, "f": False}.get(str(value).lower(), truth(value))
    if "INT" in kind or kind in ("DOUBLE", "FLOAT", "DECIMAL"):
        return as_number(value)
    return UNSURE if not isinstance(value, str) else value


def _deniable(evaluate: Callable[[Any, _Inner], Any]) -> Callable[[Any, _Inner], Any]:
    """`IS NOT` and `NOT LIKE` may be one node that carries its own denial."""

    def evaluated(node: Any, inner: _Inner) -> Any:
        value = truth(evaluate(node, inner))
        if not node.args.get("negate") or value is None or value is UNSURE:
            return value
        return not value

    return evaluated


def _position(node: Any, inner: _Inner) -> Any:
    text, part = inner(node.this), inner(node.args["substr"])
    if text is UNSURE or part is UNSURE:
        return UNSURE
    return None if text is None or part is None else as_text(text).find(as_text(part)) + 1


def _named(node: Any, inner: _Inner) -> Any:
    """ClickHouse's operators as functions, and a few functions of others."""
    name, values = node.this.lower(), [inner(each) for each in node.expressions]
    how = _NAMED_COMPARISONS.get(name)
    if how is not None and len(values) == 2:
        return compared(values[0], values[1], how)
    counted = _NAMED_ARITHMETIC.get(name)
    if counted is not None and len(values) == 2:
        left, right = map(as_number, values)
        if left is UNSURE or right is UNSURE:
            return UNSURE
        return None if None in values else counted(left, right)
    if name in ("isnull", "isnotnull") and len(values) == 1:
        return UNSURE if values[0] is UNSURE else (values[0] is None) == (name == "isnull")
    if name in _NAMED_ENDS and len(values) == 2:
        return UNSURE if UNSURE in values else None if None in values else _NAMED_ENDS[name](*values)
    if name == "multiif":
        return _multi_if(values)
    if name == "num_nulls":
        return UNSURE if UNSURE in values else values.count(None)
    return UNSURE


def _multi_if(values: list[Any]) -> Any:
    while len(values) > 1:
        holds = truth(values[0])
        if holds is UNSURE or holds:
            return UNSURE if holds is UNSURE else values[1]
        values = values[2:]
    return values[0] if values else UNSURE


_NAMED_COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "equals": operator.eq,
    "notequals": operator.ne,
    "less": operator.lt,
    "greater": operator.gt,
    "lessorequals": operator.le,
    "greaterorequals": operator.ge,
    "strcmp": lambda left, right: int(left > right) - int(left < right),
}
_NAMED_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "plus": operator.add,
    "minus": operator.sub,
    "multiply": operator.mul,
    "modulo": math.fmod,
    "bitor": lambda left, right: int(left) | int(right),
}


_NAMED_ENDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda whole, part: as_text(whole).startswith(as_text(part)),
    "suffix": lambda whole, part: as_text(whole).endswith(as_text(part)),
}
_NAMED_TESTS = frozenset({"isnull", "isnotnull", "num_nulls", "multiif", *_NAMED_ENDS})


def _contained(node: Any, inner: _Inner) -> Any:
    if not isinstance(node.this, exp.Array):
        return UNSURE
    value = inner(node.expression)
    return either(compared(value, inner(each), operator.eq) for each in node.this.expressions)


def _chosen(node: Any, inner: _Inner) -> Any:
    """A SELECT without FROM is its one expression."""
    return inner(node.expressions[0].unalias())


_EVALUATE: Mapping[type[exp.Expr], Callable[[Any, _Inner], Any]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda node, _: bool(node.this),
    exp.Null: lambda node, _: None,
    exp.Paren: lambda node, inner: inner(node.this),
    exp.Not: _not,
    exp.And: lambda node, inner: both(inner(each) for each in (node.this, node.expression)),
    exp.Or: lambda node, inner: either(inner(each) for each in (node.this, node.expression)),
    exp.Xor: _xor,
    exp.EQ: _comparison(operator.eq),
    exp.NEQ: _comparison(operator.ne),
    exp.GT: _comparison(operator.gt),
    exp.GTE: _comparison(operator.ge),
    exp.LT: _comparison(operator.lt),
    exp.LTE: _comparison(operator.le),
    exp.NullSafeEQ: _is,
    exp.NullSafeNEQ: lambda node, inner: _not(exp.Not(this=exp.Null()), lambda _: _is(node, inner)),
    exp.Is: _deniable(_is),
    exp.In: _in,
    exp.Between: _between,
    exp.Like: _deniable(_like),
    exp.ILike: _deniable(_like),
    exp.Glob: _glob,
    exp.RegexpLike: _regular,
    exp.RegexpILike: _regular,
    exp.SimilarTo: lambda node, inner: either((_like(node, inner), _regular(node, inner))),
    exp.Escape: lambda node, inner: inner(node.this),
    exp.Collate: lambda node, inner: inner(node.this),
    exp.Case: _case,
    exp.If: _if,
    exp.Coalesce: _coalesce,
    exp.Nullif: _nullif,
    exp.Greatest: _extreme(max),
    exp.Least: _extreme(min),
    exp.Add: _arithmetic(operator.add),
    exp.Sub: _arithmetic(operator.sub),
    exp.Mul: _arithmetic(operator.mul),
    exp.Div: _arithmetic(operator.truediv),
    exp.IntDiv: _arithmetic(operator.floordiv),
    exp.Mod: _arithmetic(math.fmod),
    exp.BitwiseXor: _arithmetic(lambda left, right: int(left) ^ int(right)),
    exp.BitwiseOr: _arithmetic(lambda left, right: int(left) | int(right)),
    exp.BitwiseAnd: _arithmetic(lambda left, right: int(left) & int(right)),
    exp.Neg: _of_one(lambda value: UNSURE if isinstance(value, str) else -value),
    exp.Abs: _of_one(lambda value: UNSURE if isinstance(value, str) else abs(value)),
    exp.Length: _of_one(lambda value: len(as_text(value))),
    exp.Lower: _of_one(lambda value: as_text(value).lower()),
    exp.Upper: _of_one(lambda value: as_text(value).upper()),
    exp.Trim: _of_one(lambda value: as_text(value).strip()),
    exp.Reverse: _of_one(lambda value: as_text(value)[::-1]),
    exp.Pow: _arithmetic(lambda left, right: left**right if abs(left) < 10_000 > abs(right) else UNSURE),
    exp.Sign: _of_one(lambda value: UNSURE if isinstance(value, str) else (value > 0) - (value < 0)),
    exp.StrPosition: _position,
    exp.Anonymous: _named,
    exp.ArrayContains: _contained,
    exp.Select: _chosen,
    exp.Subquery: lambda node, inner: inner(node.this),
    exp.Contains: _texts(lambda whole, part: part in whole),
    exp.StartsWith: _texts(str.startswith),
    exp.EndsWith: _texts(str.endswith),
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.DPipe: lambda node, inner: _concat(inner(each) for each in (node.this, node.expression)),
    exp.Concat: lambda node, inner: _concat(inner(each) for each in node.expressions),
}
