"""The whitelist of SQL: node types with the arguments they may carry. All else is refused.

A node type of sqlglot is allowed only if it stands here or among the functions of `sql_functions`; an argument of
it only if it is named here. A new version of sqlglot may add either, and neither is allowed by that.
"""

from collections.abc import Iterable, Mapping

from sqlglot import exp

_QUERY = {"with_", "order", "limit", "offset"}
_BINARY = {"this", "expression"}

NODES: Mapping[type[exp.Expr], frozenset[str]] = {
    node: frozenset(args)
    for node, args in {
        exp.Select: {
            *_QUERY,
            *("expressions", "distinct", "from_", "joins", "laterals", "where", "prewhere"),
            *("group", "having", "windows", "qualify"),
        },
        exp.Union: {*_QUERY, *_BINARY, "distinct", "by_name"},
        exp.Intersect: {*_QUERY, *_BINARY, "distinct"},
        exp.Except: {*_QUERY, *_BINARY, "distinct"},
        exp.Subquery: {*_QUERY, "this", "alias"},
        exp.With: {"expressions"},
        exp.CTE: {"this", "alias", "materialized", "scalar"},
        exp.TableAlias: {"this", "columns"},
        exp.From: {"this"},
        exp.Join: {"this", "side", "kind", "on", "using", "method", "global_"},
        exp.Table: {"this", "alias"},
        exp.Final: {"this"},
        exp.Lateral: {"this", "alias"},
        exp.Values: {"expressions", "alias"},
        exp.Unnest: {"expressions", "alias", "offset"},
        exp.Where: {"this"},
        exp.PreWhere: {"this"},
        exp.Qualify: {"this"},
        exp.Group: {"expressions", "grouping_sets", "rollup", "cube", "totals", "all"},
        exp.GroupingSets: {"expressions"},
        exp.Rollup: {"expressions"},
        exp.Cube: {"expressions"},
        exp.Having: {"this"},
        exp.Order: {"this", "expressions"},
        exp.Ordered: {"this", "desc", "nulls_first"},
        exp.Limit: {"expression", "expressions"},
        exp.Fetch: {"count", "direction", "limit_options"},
        exp.LimitOptions: {"rows"},
        exp.Offset: {"expression"},
        exp.Distinct: {"expressions", "on"},
        exp.Column: {"this", "table"},
        exp.Identifier: {"this", "quoted"},
        exp.Alias: {"this", "alias"},
        exp.Aliases: {"this", "expressions"},
        exp.Star: {"except_", "replace"},
        exp.Literal: {"this", "is_string"},
        exp.Boolean: {"this"},
        exp.Null: set(),
        exp.Placeholder: {"this"},
        exp.Paren: {"this"},
        exp.Tuple: {"expressions"},
        exp.Case: {"this", "ifs", "default"},
        exp.If: {"this", "true", "false"},
        exp.Cast: {"this", "to", "_type"},
        exp.TryCast: {"this", "to", "_type", "safe", "requires_string"},
        exp.DataType: {"this", "expressions", "nested", "nullable"},
        exp.DataTypeParam: {"this"},
        exp.Interval: {"this", "unit"},
        exp.IntervalSpan: {"this", "expression"},
        exp.Var: {"this"},
        exp.AtTimeZone: {"this", "zone"},
        exp.Window: {"this", "partition_by", "order", "spec", "alias", "over", "first"},
        exp.WindowSpec: {"kind", "start", "start_side", "end", "end_side", "exclude"},
        exp.WithinGroup: _BINARY,
        exp.IgnoreNulls: {"this"},
        exp.RespectNulls: {"this"},
        exp.Filter: _BINARY,
        exp.Escape: _BINARY,
        exp.In: {"this", "expressions", "query"},
        exp.Between: {"this", "low", "high", "symmetric"},
        exp.Exists: {"this"},
        exp.Any: {"this"},
        exp.All: {"this"},
        exp.Is: {*_BINARY, "negate"},
        exp.Like: {*_BINARY, "negate"},
        exp.ILike: {*_BINARY, "negate"},
        exp.Glob: _BINARY,
        exp.SimilarTo: _BINARY,
        exp.Collate: _BINARY,
        exp.BitwiseAnd: _BINARY,
        exp.BitwiseOr: _BINARY,
        exp.BitwiseXor: _BINARY,
        exp.BitwiseNot: {"this"},
        exp.BitwiseLeftShift: _BINARY,
        exp.BitwiseRightShift: _BINARY,
        exp.Not: {"this"},
        exp.Neg: {"this"},
        exp.And: _BINARY,
        exp.Or: _BINARY,
        exp.Xor: _BINARY,
        exp.EQ: _BINARY,
        exp.NEQ: _BINARY,
        exp.NullSafeEQ: _BINARY,
        exp.NullSafeNEQ: _BINARY,
        exp.GT: _BINARY,
        exp.GTE: _BINARY,
        exp.LT: _BINARY,
        exp.LTE: _BINARY,
        exp.Add: _BINARY,
        exp.Sub: _BINARY,
        exp.Mul: _BINARY,
        exp.Div: {*_BINARY, "typed", "safe"},
        exp.IntDiv: _BINARY,
        exp.Mod: _BINARY,
        exp.DPipe: {*_BINARY, "safe"},
        exp.Overlaps: _BINARY,
        exp.JSONPath: {"expressions"},
        exp.JSONPathRoot: set(),
        exp.JSONPathKey: {"this"},
        exp.JSONPathSubscript: {"this"},
        exp.JSONPathWildcard: set(),
        exp.JSONKeyValue: _BINARY,
        exp.Array: {"expressions", "bracket_notation", "value_constructor"},
        exp.Bracket: {"this", "expressions", "offset", "safe", "returns_list_for_maps"},
        exp.Slice: _BINARY,
        exp.Struct: {"expressions"},
        exp.PropertyEQ: _BINARY,
        exp.Lambda: {"this", "expressions"},
        exp.Comprehension: {"this", "expression", "iterator", "condition"},
        exp.Kwarg: _BINARY,
    }.items()
}
"""Each node type with the arguments it may carry when they are set."""

VALUES: Mapping[tuple[type[exp.Expr], str], frozenset[str]] = {
    (exp.Join, "method"): frozenset({"NATURAL", "ASOF"}),
    (exp.Join, "kind"): frozenset(
        {"INNER", "CROSS", "OUTER", "SEMI", "ANTI", "ANY", "ASOF", "ALL", "ARRAY", "STRAIGHT"}
    ),
    (exp.Join, "side"): frozenset({"LEFT", "RIGHT", "FULL"}),
}
"""Arguments that are plain words, with those they may be."""

DIALECT_NODES: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Final: frozenset({"clickhouse"}),
    exp.PreWhere: frozenset({"clickhouse"}),
    exp.Lambda: frozenset({"clickhouse", "duckdb"}),
    exp.Comprehension: frozenset({"duckdb"}),
    exp.Struct: frozenset({"duckdb", "clickhouse"}),
    exp.PropertyEQ: frozenset({"duckdb", "clickhouse"}),
    exp.Unnest: frozenset({"postgres", "duckdb"}),
    exp.Values: frozenset({"postgres", "duckdb", "sqlite"}),
    exp.Any: frozenset({"postgres", "duckdb", "mysql"}),
    exp.All: frozenset({"postgres", "duckdb", "mysql"}),
    exp.Array: frozenset({"postgres", "duckdb", "clickhouse"}),
    exp.Bracket: frozenset({"postgres", "duckdb", "clickhouse"}),
    exp.SimilarTo: frozenset({"postgres", "duckdb"}),
    exp.Kwarg: frozenset({"postgres"}),
    exp.Lateral: frozenset({"postgres", "duckdb", "mysql"}),
    exp.Glob: frozenset({"sqlite", "duckdb"}),
    exp.TryCast: frozenset({"duckdb", "clickhouse"}),
}
"""Node types that only some dialects have use for."""


def stray_argument(node: exp.Expr, allowed: Iterable[str]) -> str | None:
    """The first argument of a node that is set and not allowed."""
    for name, value in node.args.items():
        if value is None or value is False or value == [] or name in allowed:
            continue
        return name
    return None
