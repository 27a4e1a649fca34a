"""The whitelist of SQL: node types with the arguments they may carry, and functions. All else is refused.

A node type of sqlglot is allowed only if it stands here; an argument of it only if it is named here. A new
version of sqlglot may add either, and neither is allowed by that.
"""

from collections.abc import Iterable, Mapping

from sqlglot import exp


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_QUERY = {"with_", "order", "limit", "offset"}
_BINARY = {"this", "expression"}

NODES: Mapping[type[exp.Expr], frozenset[str]] = {
    node: frozenset(args)
    for node, args in {
        exp.Select: {
            *_QUERY,
            "expressions",
            "distinct",
            "from_",
            "joins",
            "where",
            "group",
            "having",
            "windows",
        },
        exp.Union: {*_QUERY, *_BINARY, "distinct"},
        exp.Intersect: {*_QUERY, *_BINARY, "distinct"},
        exp.Except: {*_QUERY, *_BINARY, "distinct"},
        exp.Subquery: {"this", "alias"},
        exp.With: {"expressions"},
        exp.CTE: {"this", "alias"},
        exp.TableAlias: {"this", "columns"},
        exp.From: {"this"},
        exp.Join: {"this", "side", "kind", "on", "using"},
        exp.Table: {"this", "alias"},
        exp.Where: {"this"},
        exp.Group: {"expressions"},
        exp.Having: {"this"},
        exp.Order: {"expressions"},
        exp.Ordered: {"this", "desc", "nulls_first"},
        exp.Limit: {"expression"},
        exp.Offset: {"expression"},
        exp.Distinct: {"expressions"},
        exp.Column: {"this", "table"},
        exp.Identifier: {"this", "quoted"},
        exp.Alias: {"this", "alias"},
        exp.Star: set(),
        exp.Literal: {"this", "is_string"},
        exp.Boolean: {"this"},
        exp.Null: set(),
        exp.Placeholder: {"this"},
        exp.Paren: {"this"},
        exp.Tuple: {"expressions"},
        exp.Case: {"this", "ifs", "default"},
        exp.If: {"this", "true", "false"},
        exp.Cast: {"this", "to", "_type"},
        exp.DataType: {"this", "expressions", "nested", "nullable"},
        exp.DataTypeParam: {"this"},
        exp.Window: {"this", "partition_by", "order", "spec", "alias", "over"},
        exp.WindowSpec: {"kind", "start", "start_side", "end", "end_side"},
        exp.Filter: _BINARY,
        exp.Escape: _BINARY,
        exp.In: {"this", "expressions", "query"},
        exp.Between: {"this", "low", "high"},
        exp.Exists: {"this"},
        exp.Is: _BINARY,
        exp.Like: {*_BINARY, "negate"},
        exp.ILike: {*_BINARY, "negate"},
        exp.Glob: _BINARY,
        exp.Collate: _BINARY,
        exp.BitwiseAnd: _BINARY,
        exp.BitwiseOr: _BINARY,
        exp.Not: {"this"},
        exp.Neg: {"this"},
        exp.And: _BINARY,
        exp.Or: _BINARY,
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
        exp.Mod: _BINARY,
        exp.DPipe: {*_BINARY, "safe"},
        exp.JSONPath: {"expressions"},
        exp.JSONPathRoot: set(),
        exp.JSONPathKey: {"this"},
        exp.JSONPathSubscript: {"this"},
        exp.Interval: {"this", "unit"},
        exp.Var: {"this"},
    }.items()
}
"""Each node type with the arguments it may carry when they are set."""

CAST_TYPES = _words(
    """
        TEXT VARCHAR CHAR NVARCHAR BOOLEAN DATE DATE32 DATETIME DATETIME64 TIMESTAMP TINYINT SMALLINT INT
        INT128 INT256 BIGINT UTINYINT USMALLINT UINT UBIGINT FLOAT DOUBLE DECIMAL NULLABLE UUID
        """
)
"""What a CAST may turn a value into."""

_TYPED = _words(
    """
        Abs Acos ArgMax ArgMin Asin Atan Avg Ceil Coalesce Concat ConcatWs Cos Count CountIf CurrentDate
        CurrentTimestamp Date DateAdd DateDiff DateSub DateTrunc Datetime DayOfMonth DayOfWeek DayOfYear
        DenseRank Exp Extract FirstValue Floor Greatest GroupConcat Hour JSONExtract JSONExtractScalar Lag
        LastValue Lead Least Length Ln Log Lower LowerHex Max Median Min Minute Month NthValue Ntile Nullif
        PercentRank CumeDist Pow Quantile Quarter Rank Replace Round RowNumber Second Sign Sin Sqrt Stddev
        StddevPop StddevSamp StrPosition StrToTime Substring Sum TimeToStr TimestampTrunc TimeStrToTime Trim
        TsOrDsToTimestamp TsOrDsToDate Typeof Unicode UnixToTime Upper Variance VariancePop Week Year
        Initcap Left Right ToChar
        """
)

FUNCTIONS: frozenset[type[exp.Expr]] = frozenset(
    getattr(exp, name) for name in _TYPED if isinstance(getattr(exp, name, None), type)
)
"""Functions that sqlglot knows by a node type of their own; they may carry whatever they are called with."""

NAMED_FUNCTIONS: Mapping[str, frozenset[str]] = {
    "sqlite": _words(
        """
        date datetime format glob hex ifnull iif instr json_array_length json_type json_valid julianday
        likely ltrim printf rtrim sign strftime time total trunc typeof unicode unixepoch unlikely
        """
    ),
    "clickhouse": _words(
        """
        any anyif anylast argmax argmaxif argmin argminif avg avgif ceil corr count countif datediff empty
        endswith floor formatdatetime fromunixtimestamp fromunixtimestamp64milli greatest if ifnull intdiv
        isfinite isnan isnotnull isnull least length lengthutf8 lower max maxif median min minif modulo
        multiif notempty now now64 nullif position quantile quantileexact quantiletdigest round startswith
        stddevpop stddevsamp substring sum sumif today todate todatetime todatetime64 tofloat32 tofloat64
        toint32 toint64 tointervalday tointervalhour tointervalminute tointervalsecond tostartofday
        tostartoffifteenminutes tostartoffiveminutes tostartofhour tostartofinterval tostartofminute
        tostartofmonth tostartoftenminutes tostartofweek tostring touint32 touint64 tounixtimestamp
        tounixtimestamp64milli uniq uniqexact uniqif upper varpop varsamp yesterday
        """
    ),
}
"""Functions known by name only, per dialect, in lower case. None of them reads anything but its arguments; how
large a value they may make is bounded by the engine."""

NAMED_NODES = (
    exp.Anonymous,
    exp.AnonymousAggFunc,
    exp.CombinedAggFunc,
    exp.ParameterizedAgg,
    exp.CombinedParameterizedAgg,
)
"""Node types for functions known by name only."""

COLLATIONS = frozenset({"nocase", "binary", "rtrim"})


def stray_argument(node: exp.Expr, allowed: Iterable[str]) -> str | None:
    """The first argument of a node that is set and not allowed."""
    for name, value in node.args.items():
        if value is None or value is False or value == [] or name in allowed:
            continue
        return name
    return None
