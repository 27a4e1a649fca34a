"""The SQL guard: one read-only statement over whitelisted tables, regenerated; deny by default.

What runs is the text written here from the parsed tree: each table is replaced by a subquery of its listed
columns, bound to the tenant where the source has a tenant column, and the row cap stands in its LIMIT.
"""

import logging
from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from agents.execution.guards import sql_grammar as grammar
from agents.execution.guards.sql_limits import refused_by_size
from agents.execution.guards.sql_tables import TENANT_VALUE, Blocked, bind_tables
from agents.execution.guards.sql_truth import always_true_alternative
from agents.execution.guards.verdict import NOT_AVAILABLE, Allow, Bounds, Refuse, Verdict, blocked
from schemas.errors import ErrorCode

# It logs a warning for each statement it takes for a command; the refusal says it already.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


class SqlGuard:
    """The guard of one dialect, `sqlite` or `clickhouse`. Pure; never raises for any text."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._named = grammar.NAMED_FUNCTIONS[dialect]

    def __call__(self, statement: str, bounds: Bounds, bound: Mapping[str, str]) -> Verdict:
        refused = refused_by_size(statement, self._dialect)
        if refused is not None:
            return refused
        try:
            return self._judge(statement, bounds, bound)
        except Blocked as refusal:
            return refusal.verdict
        except RecursionError:
            return blocked("nested too deeply for the parser", "The query is nested too deeply.")
        except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
            # The parser is not written for hostile text: whatever it stumbles over is refused.
            return Refuse(
                ErrorCode.SQL_BLOCKED,
                "The query cannot be read.",
                "Ask one SELECT statement.",
                (f"{type(error).__name__}: {str(error)[:200]}",),
            )

    def _judge(self, statement: str, bounds: Bounds, bound: Mapping[str, str]) -> Verdict:
        parsed = [each for each in sqlglot.parse(statement, dialect=self._dialect) if each is not None]
        if len(parsed) != 1:
            return blocked(f"{len(parsed)} statements", "Exactly one query is allowed.")
        root = parsed[0]
        while isinstance(root, exp.Subquery) and not stray(root, {"this"}):
            root = root.this
        if not isinstance(root, exp.Select | exp.SetOperation):
            return blocked(
                f"a {type(root).__name__} at the root", "Only reading is allowed.", "Ask a SELECT."
            )
        self._check_nodes(root)
        why = always_true_alternative(root)
        if why is not None:
            return blocked(why)
        placeholders = self._type_placeholders(root, bound)
        missing = [name for name in placeholders if name not in bound]
        if missing:
            return Refuse(ErrorCode.INVALID_PARAMS, f"No value is given for {', '.join(missing)}.")
        bind_tables(root, bounds, self._dialect)
        _cap_rows(root, bounds.row_cap)
        return Allow(
            root.sql(dialect=self._dialect, comments=False, unsupported_level=ErrorLevel.RAISE), placeholders
        )

    def _check_nodes(self, root: exp.Expr) -> None:
        for node in root.walk():
            kind = type(node)
            allowed = grammar.NODES.get(kind)
            if allowed is not None:
                name = stray(node, allowed)
                if name is not None:
                    raise Blocked(blocked(f"{kind.__name__} with {name}"))
            elif isinstance(node, grammar.NAMED_NODES):
                if not isinstance(node.this, str) or node.this.lower() not in self._named:
                    raise Blocked(blocked(f"the function {node.name[:60]}", NOT_AVAILABLE))
            elif kind not in grammar.FUNCTIONS:
                raise Blocked(blocked(f"{kind.__name__} is not on the whitelist"))
            if kind is exp.Select and not node.expressions:
                raise Blocked(blocked("a SELECT of nothing", "The query cannot be read."))
            if kind is exp.DataType and node.this.name not in grammar.CAST_TYPES:
                raise Blocked(blocked(f"a cast to {node.this.name}"))
            if kind is exp.Collate and node.expression.name.lower() not in grammar.COLLATIONS:
                raise Blocked(blocked("an unknown collation", NOT_AVAILABLE))

    def _type_placeholders(self, root: exp.Expr, bound: Mapping[str, str]) -> tuple[str, ...]:
        """Names of the values to bind. For ClickHouse each placeholder is given its type, as its server wants."""
        names: dict[str, None] = {}
        for node in root.find_all(exp.Placeholder):
            if not node.name or node.name.startswith(TENANT_VALUE) or not node.name.isidentifier():
                raise Blocked(
                    blocked("a placeholder without a proper name", "Values are named, as in :name.")
                )
            names[node.name] = None
            if self._dialect == "clickhouse":
                kind = bound.get(node.name) or "String"
                node.set("kind", exp.DataType.build(kind, dialect="clickhouse"))
        return tuple(names)


stray = grammar.stray_argument


def _cap_rows(root: exp.Query, row_cap: int) -> None:
    """Put cap + 1 into the statement, to see the cut. A smaller limit of its own stays."""
    for limit in root.find_all(exp.Limit, exp.Offset):
        if not isinstance(limit.expression, exp.Placeholder) and not _whole_number(limit.expression):
            raise Blocked(blocked("a LIMIT or OFFSET that is no number", "LIMIT takes a whole number."))
    ceiling = exp.Literal.number(row_cap + 1)
    own = root.args.get("limit")
    if own is None:
        root.set("limit", exp.Limit(expression=ceiling))
    elif isinstance(own.expression, exp.Placeholder):
        # SQLite reads a negative limit as none at all.
        positive = exp.Abs(this=own.expression.copy())
        own.set("expression", exp.Least(this=positive, expressions=[ceiling]))
    elif int(own.expression.this) > row_cap + 1:
        own.set("expression", ceiling)


def _whole_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and node.this.isdigit()
