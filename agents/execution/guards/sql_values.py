"""Conditions tried out on made-up rows: enough of SQL's meaning to see that one holds whatever the row is.

What is not understood here (a function, a subquery) counts as a value of its own that may be anything, the same
wherever the same text stands.
"""

import math
import operator
import random
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from sqlglot import exp

UNSURE: Any = type("Unsure", (), {"__repr__": lambda _: "UNSURE"})()
"""A value that engines disagree about, such as a word compared with a number."""

_MOST_ROWS = 240
_NUMBERS: tuple[Any, ...] = (-8_123_456_789.5, -1, 0, 1, 2, 9_876_543_210.25)
_TEXTS: tuple[Any, ...] = ("", "~zq~", "0001-01-01 00:00:00", "9998-12-31 23:59:59", "1")

Row = Mapping[str, Any]


def rows_for(symbols: Sequence[str], literals: Iterable[Any]) -> Iterator[Row]:
    """Rows that give every symbol the values at which a condition over these literals could turn."""
    values: list[Any] = [None, *_NUMBERS, *_TEXTS]
    for literal in literals:
        values.append(literal)
        if isinstance(literal, str):
            values += [literal + "~", literal.replace("%", "").replace("_", "x")]
        else:
            values += [literal - 1, literal + 1]
    values = list(dict.fromkeys(values))[:60]
    if len(values) ** len(symbols) <= _MOST_ROWS:
        for combination in product(values, repeat=len(symbols)):
            yield dict(zip(symbols, combination, strict=True))
        return
    for value in values:
        yield dict.fromkeys(symbols, value)
    chance = random.Random(7)  # the same rows each time: a verdict must be repeatable
    for _ in range(_MOST_ROWS):
        yield {symbol: chance.choice(values) for symbol in symbols}


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
    return type(node) in _EVALUATE


def truth(value: Any) -> Any:
    """A value as a condition: True, False, None or UNSURE."""
    if value is None or value is UNSURE:
        return value
    if isinstance(value, str):
        number = _number(value)
        return UNSURE if number is UNSURE else number != 0
    return bool(value)


_Inner = Callable[[exp.Expr], Any]


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return UNSURE
    return number if math.isfinite(number) else UNSURE


def _compared(left: Any, right: Any, how: Callable[[Any, Any], bool]) -> Any:
    if left is UNSURE or right is UNSURE:
        return UNSURE
    if left is None or right is None:
        return None
    if isinstance(left, str) != isinstance(right, str):
        left, right = _number(left), _number(right)
        if left is UNSURE or right is UNSURE:
            return UNSURE
    return how(left, right)


def _comparison(how: Callable[[Any, Any], bool]) -> Callable[[Any, _Inner], Any]:
    return lambda node, inner: _compared(inner(node.this), inner(node.expression), how)


def _arithmetic(how: Callable[[Any, Any], Any]) -> Callable[[Any, _Inner], Any]:
    def evaluate(node: Any, inner: _Inner) -> Any:
        left, right = _number(inner(node.this)), _number(inner(node.expression))
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


def _or(values: Iterable[Any]) -> Any:
    found: Any = False
    for value in map(truth, values):
        if value is True:
            return True
        if value is UNSURE or (value is None and found is False):
            found = value
    return found


def _and(values: Iterable[Any]) -> Any:
    found: Any = True
    for value in map(truth, values):
        if value is False:
            return False
        if value is UNSURE or (value is None and found is True):
            found = value
    return found


def _xor(node: Any, inner: _Inner) -> Any:
    return _compared(truth(inner(node.this)), truth(inner(node.expression)), operator.ne)


def _in(node: Any, inner: _Inner) -> Any:
    if node.args.get("query") is not None:
        return UNSURE
    value = inner(node.this)
    return _or(_compared(value, inner(each), operator.eq) for each in node.expressions)


def _between(node: Any, inner: _Inner) -> Any:
    value, low, high = inner(node.this), inner(node.args["low"]), inner(node.args["high"])
    return _and([_compared(value, low, operator.ge), _compared(value, high, operator.le)])


def _is(node: Any, inner: _Inner) -> Any:
    left, right = inner(node.this), inner(node.expression)
    if left is UNSURE or right is UNSURE:
        return UNSURE
    if left is None or right is None:
        return left is right
    if isinstance(node.expression, exp.Boolean):
        return truth(left) == right
    return _compared(left, right, operator.eq)


def _like(node: Any, inner: _Inner) -> Any:
    text, pattern = inner(node.this), inner(node.expression)
    if text is None or pattern is None:
        return None
    if text is UNSURE or pattern is UNSURE:
        return UNSURE
    parts = [".*" if char == "%" else "." if char == "_" else re.escape(char) for char in _text(pattern)]
    return re.fullmatch("".join(parts), _text(text), re.IGNORECASE | re.DOTALL) is not None


def _glob(node: Any, inner: _Inner) -> Any:
    text, pattern = inner(node.this), inner(node.expression)
    if text is None:
        return None
    if text is UNSURE or pattern is None or pattern is UNSURE or set("?[") & set(_text(pattern)):
        return UNSURE
    parts = [".*" if char == "*" else re.escape(char) for char in _text(pattern)]
    return re.fullmatch("".join(parts), _text(text), re.DOTALL) is not None


_ANYTHING = re.compile(r"\^?(\(?\.?\*?\)?|\.\*|\(\.\*\)|.\*|.\?)\$?")


def _regular(node: Any, inner: _Inner) -> Any:
    """Only a pattern that everything fits is told."""
    text, pattern = inner(node.this), inner(node.expression)
    if text is None:
        return None
    if isinstance(pattern, str) and text is not UNSURE and _ANYTHING.fullmatch(pattern) and pattern != ".":
        return True
    return UNSURE


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _concat(values: Iterable[Any]) -> Any:
    found = list(values)
    if UNSURE in found:
        return UNSURE
    return None if None in found else "".join(map(_text, found))


def _case(node: Any, inner: _Inner) -> Any:
    given = None if node.this is None else inner(node.this)
    for branch in node.args["ifs"]:
        value = inner(branch.this)
        holds = truth(value) if node.this is None else _compared(given, value, operator.eq)
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
    same = _compared(value, inner(node.expression), operator.eq)
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
        return None if left is None or right is None else how(_text(left), _text(right))

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
        return _text(value)
    if kind in ("BOOLEAN", "BOOL"):
        return {"true": True, "false": False, "t": True, "f": False}.get(str(value).lower(), truth(value))
    if "INT" in kind or kind in ("DOUBLE", "FLOAT", "DECIMAL"):
        return _number(value)
    return UNSURE if not isinstance(value, str) else value


def _deniable(evaluate: Callable[[Any, _Inner], Any]) -> Callable[[Any, _Inner], Any]:
    """`IS NOT` and `NOT LIKE` may be one node that carries its own denial."""

    def evaluated(node: Any, inner: _Inner) -> Any:
        value = truth(evaluate(node, inner))
        if not node.args.get("negate") or value is None or value is UNSURE:
            return value
        return not value

    return evaluated


_EVALUATE: Mapping[type[exp.Expr], Callable[[Any, _Inner], Any]] = {
    exp.Literal: _literal,
    exp.Boolean: lambda node, _: bool(node.this),
    exp.Null: lambda node, _: None,
    exp.Paren: lambda node, inner: inner(node.this),
    exp.Not: _not,
    exp.And: lambda node, inner: _and(inner(each) for each in (node.this, node.expression)),
    exp.Or: lambda node, inner: _or(inner(each) for each in (node.this, node.expression)),
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
    exp.SimilarTo: _like,
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
    exp.Length: _of_one(lambda value: len(_text(value))),
    exp.Lower: _of_one(lambda value: _text(value).lower()),
    exp.Upper: _of_one(lambda value: _text(value).upper()),
    exp.Trim: _of_one(lambda value: _text(value).strip()),
    exp.Reverse: _of_one(lambda value: _text(value)[::-1]),
    exp.Contains: _texts(lambda whole, part: part in whole),
    exp.StartsWith: _texts(str.startswith),
    exp.EndsWith: _texts(str.endswith),
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.DPipe: lambda node, inner: _concat(inner(each) for each in (node.this, node.expression)),
    exp.Concat: lambda node, inner: _concat(inner(each) for each in node.expressions),
}
