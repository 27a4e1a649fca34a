"""What a statement may make out of little: long texts, many rows, slow patterns. Bounded here, or refused."""

import re
from collections.abc import Callable, Mapping, Sequence

from sqlglot import exp

from agents.execution.guards.sql.series import refused_series

_LONGEST_REPEAT = 1_000
"""How often `repeat` may repeat and how far `lpad`, `rpad`, `space` and a cast to CHAR(n) may fill up."""
_LARGEST_GROWTH = 10_000
"""How many times longer than its columns' values a text may become, over all levels of subqueries."""
_MOST_RELATIONS = 24
_LONGEST_PATTERN = 200
_MOST_WILDCARDS = 8
_MOST_LOOSE_QUANTIFIERS = 4
_MOST_COPIES = 100
_LARGEST_EXPONENT = 1_000
_EXPONENT = re.compile(r"[eE][+-]?0*(\d+)")
_LONGEST_EXACT = 18
"""Digits of a whole number that may be computed with."""

_WIDE = re.compile(r"%[^a-zA-Z%]*(?:\d{4,}|\*)|\{[^}]*\d{4,}")
"""A format whose width is given by four digits or by a value."""
_BACK_REFERENCE = re.compile(r"\\[1-9]|\(\?(?!:|i\))")

Fault = str | None


def overgrown(nodes: Sequence[exp.Expr]) -> Fault:
    """Why a statement of these nodes could grow beyond measure; what can't be told counts as growing."""
    growth, grows = 1.0, any(type(node) in _GROWING for node in nodes)
    relations = 0
    for node in nodes:
        check = _CHECKS.get(type(node))
        if check is not None:
            fault = check(node)
            if fault is not None:
                return fault
        if isinstance(node, exp.Table | exp.Unnest | exp.Lateral | exp.Values):
            relations += 1
        elif grows and isinstance(node, exp.Select):
            growth *= max([1.0, *(_factor(child) for child in node.iter_expressions())])
    if growth > _LARGEST_GROWTH:
        return "texts that grow too long"
    if relations > _MOST_RELATIONS:
        return f"more than {_MOST_RELATIONS} tables"
    return None


def _factor(node: exp.Expr) -> float:
    """How many times longer than the longest value it reads a text may be."""
    if isinstance(node, exp.Query):
        return 1.0
    inner = [_factor(child) for child in node.iter_expressions()]
    most = max(inner, default=1.0)
    if isinstance(node, exp.DPipe):
        return sum(_factor(side) for side in (node.left, node.right) if not _short(side)) or 1.0
    if isinstance(node, exp.Concat | exp.ConcatWs):
        return sum(_factor(each) for each in node.expressions if not _short(each)) or 1.0
    if isinstance(node, exp.Replace | exp.RegexpReplace):
        return most * _replaced(node)
    if isinstance(node, exp.Repeat):
        return most * max(1, _whole(node.args.get("times")) or 1)
    if isinstance(node, exp.Pad | exp.Space):
        return most + 1
    if isinstance(node, exp.Hex | exp.LowerHex):
        return most * 2
    if isinstance(node, exp.Anonymous) and node.this.lower() in _CONCATENATING:
        return sum(_factor(each) for each in node.expressions if not _short(each)) or 1.0
    return most


_GROWING = frozenset({
    exp.DPipe, exp.Concat, exp.ConcatWs, exp.Replace, exp.RegexpReplace, exp.Repeat, exp.Pad, exp.Space, exp.Hex,
    exp.LowerHex, exp.Anonymous,
})  # fmt: skip
"""What `_factor` can find more than 1 for."""
_CONCATENATING = frozenset(
    {"concat", "concat_ws", "format", "printf", "array_cat", "list_concat", "list_cat", "arrayconcat",
     "replaceall", "replaceone", "json_array", "json_object", "json_build_array", "json_build_object",
     "jsonb_build_array", "jsonb_build_object", "array_append", "list_append", "concatwithseparator"}
)  # fmt: skip


def _short(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal)


def _replaced(node: exp.Expr) -> float:
    search, into = node.args.get("expression"), node.args.get("replacement")
    if into is None:
        return 1.0
    if not isinstance(into, exp.Literal):
        return 50.0
    found = len(search.this) if isinstance(search, exp.Literal) and isinstance(node, exp.Replace) else 1
    return max(1.0, len(into.this) / max(1, found))


def _whole(node: object) -> int | None:
    while isinstance(node, exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit() and len(node.this) < 12:
        return int(node.this)
    return None


def _times(node: exp.Expr) -> Fault:
    argument = next(
        (node.args[name] for name in ("times", "expression") if node.args.get(name) is not None), node.this
    )
    times = _whole(argument)
    return None if times is not None and times <= _LONGEST_REPEAT else "a text repeated beyond its bound"


def _space(node: exp.Expr) -> Fault:
    times = _whole(node.this)
    return None if times is not None and times <= _LONGEST_REPEAT else "a text repeated beyond its bound"


def _parameter(node: exp.Expr) -> Fault:
    size = _whole(node.this)
    if size is None or size <= _LONGEST_REPEAT * 10:
        return None
    return "a type wider than its bound"


_REGULAR = frozenset(
    {
        "regexp_match",
        "regexp_matches",
        "regexp_split_to_array",
        "regexp_count",
        "regexp_substr",
        "regexp_instr",
        "match",
        "extract",
        "extractall",
        "replaceregexpall",
        "replaceregexpone",
        "regexp_like",
        "regexp_replace",
        "regexp_extract",
        "regexp_extract_all",
        "regexp_full_match",
        "like_escape",
    }
)


def _named(node: exp.Expr) -> Fault:
    """Functions known by name: formats with a width, fixed strings, and patterns."""
    name, arguments = str(node.this).lower(), node.expressions
    if name in ("printf", "format", "format_string", "leftpad", "rightpad", "bar"):
        first = arguments[0] if arguments else None
        if name in ("printf", "format") and isinstance(first, exp.Literal):
            return "a format wider than its bound" if _WIDE.search(first.this) else None
        return None if name == "format" and not _is_text(first) else "a format that is no literal"
    if name == "tofixedstring":
        size = _whole(arguments[1]) if len(arguments) > 1 else None
        return None if size is not None and size <= _LONGEST_REPEAT else "a text filled beyond its bound"
    if name in _REGULAR:
        return _expression(arguments[1]) if len(arguments) > 1 else None
    if name in ("like", "ilike", "notlike", "notilike", "glob"):
        return _wildcards(arguments[1] if len(arguments) > 1 else None)
    return None


def _format(node: exp.Expr) -> Fault:
    text = node.this
    if not isinstance(text, exp.Literal):
        return "a format that is no literal"
    return "a format wider than its bound" if _WIDE.search(text.this) else None


def _is_text(node: object) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _pattern(node: exp.Expr) -> Fault:
    return _wildcards(node.args.get("expression"))


def _wildcards(pattern: object) -> Fault:
    if not isinstance(pattern, exp.Literal):
        return None
    text = pattern.this
    if text.count("%") + text.count("*") > _MOST_WILDCARDS or len(text) > 4 * _LONGEST_PATTERN:
        return "a pattern with too many wildcards"
    return None


def _regular(node: exp.Expr) -> Fault:
    return _expression(node.args.get("expression"))


def _expression(pattern: object) -> Fault:
    """A regular expression has to be written out, be short, and not take more than linear time in any engine."""
    if isinstance(pattern, exp.Array):
        return next(filter(None, (_expression(each) for each in pattern.expressions)), None)
    if not isinstance(pattern, exp.Literal) or not pattern.is_string:
        return "a regular expression that is no literal"
    text = pattern.this
    if len(text) > _LONGEST_PATTERN:
        return "a regular expression beyond its length"
    if _BACK_REFERENCE.search(text):
        return "a regular expression that refers back or looks around"
    return _quantifiers(text)


def _quantifiers(text: str) -> Fault:
    """Loose quantifiers are few, and none is put on a group that holds another or an alternative."""
    loose, groups, at = 0, [False], 0
    closed: bool | None = None
    while at < len(text):
        char = text[at]
        if char == "\\":
            at, closed = at + 2, None
            continue
        if char == "[":
            end = text.find("]", at + 2)
            at, closed = (len(text) if end < 0 else end + 1), None
            continue
        if char == "(":
            groups.append(False)
            closed = None
        elif char == ")" and len(groups) > 1:
            closed = groups.pop()
            groups[-1] = groups[-1] or closed
        elif char == "|":
            groups[-1], closed = True, None
        elif char in "*+{":
            copies = re.match(r"\{(\d*)(?:,(\d*))?\}", text[at:])
            if char == "{" and copies and max(int(each or 0) for each in copies.groups("0")) > _MOST_COPIES:
                return "a regular expression with too many copies"
            loose += 1
            if closed or loose > _MOST_LOOSE_QUANTIFIERS:
                return "a regular expression that may take too long"
            groups[-1], closed = True, None
        else:
            closed = None
        at += 1
    return None


def _power(node: exp.Expr) -> Fault:
    """Exact numbers grow a digit with each power of ten."""
    exponent = node.args.get("expression")
    while isinstance(exponent, exp.Paren | exp.Cast | exp.Neg):
        exponent = exponent.this
    if isinstance(exponent, exp.Literal) and (_number(exponent) or 0) > _LARGEST_EXPONENT:
        return "a power beyond its bound"
    return None


def _literal(node: exp.Expr) -> Fault:
    found = None if node.args.get("is_string") else _EXPONENT.search(node.this)
    return "a number beyond its bound" if found and len(found[1]) > 3 else None


def _number(node: exp.Literal) -> float | None:
    try:
        return float(node.this)
    except ValueError:
        return None


def _series(node: exp.Expr) -> Fault:
    return refused_series(node)


_CHECKS: Mapping[type[exp.Expr], Callable[[exp.Expr], Fault]] = {
    exp.GenerateSeries: _series,
    exp.ExplodingGenerateSeries: _series,
    exp.Pow: _power,
    exp.Literal: _literal,
    exp.Repeat: _times,
    exp.Pad: _times,
    exp.Space: _space,
    exp.Format: _format,
    exp.DataTypeParam: _parameter,
    exp.Anonymous: _named,
    exp.AnonymousAggFunc: _named,
    exp.CombinedAggFunc: _named,
    exp.Like: _pattern,
    exp.ILike: _pattern,
    exp.Glob: _pattern,
    exp.SimilarTo: _regular,
    exp.RegexpLike: _regular,
    exp.RegexpILike: _regular,
    exp.RegexpExtract: _regular,
    exp.RegexpExtractAll: _regular,
    exp.RegexpFullMatch: _regular,
    exp.RegexpReplace: _regular,
    exp.RegexpSplit: _regular,
    exp.RegexpCount: _regular,
    exp.RegexpInstr: _regular,
    exp.RegexpSubstr: _regular,
}
