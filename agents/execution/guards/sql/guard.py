"""The SQL guard: one read-only statement over whitelisted tables, regenerated; deny by default.

What runs is the text written here from the parsed tree: each table is replaced by a subquery of its listed
columns, bound to the tenant where the source has a tenant column, and the row cap stands in its LIMIT.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import ErrorLevel, SqlglotError

from agents.execution.guards.sql import functions, grammar
from agents.execution.guards.sql.columns import unknown_column
from agents.execution.guards.sql.growth import overgrown
from agents.execution.guards.sql.limits import sized_tokens
from agents.execution.guards.sql.product import multiplied
from agents.execution.guards.sql.rows import cap_rows
from agents.execution.guards.sql.tables import TENANT_VALUE, Blocked, bind_tables
from agents.execution.guards.sql.truth import Reach, always_true_alternative
from agents.execution.guards.verdict import NOT_AVAILABLE, Allow, Bounds, Refuse, Verdict, blocked
from schemas.errors import ErrorCode

DIALECTS = ("postgres", "sqlite", "clickhouse", "duckdb", "mysql")

# It logs a warning for each statement it takes for a command; the refusal says it already.
logging.getLogger("sqlglot").setLevel(logging.ERROR)

_REMEMBERED = 1_024
"""Verdicts kept for statements that come again."""
_LONGEST_REMEMBERED = 4_000

_Tables = tuple[tuple[str, tuple[str, ...]], ...]
_Bound = tuple[tuple[str, str], ...]

_POSTGRES_TYPES: Mapping[str, str] = {"Int64": "BIGINT", "Float64": "DOUBLE PRECISION", "Bool": "BOOLEAN"}


class SqlGuard:
    """The guard of one dialect. Pure; never raises for any text.

    Values are written `:name` in every dialect, and so they stand in what is allowed; for ClickHouse as
    `{name: Type}`, as its server wants them.
    """

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._grammar = Dialect.get_or_raise(dialect)
        # Verdicts are pure: what they depend on is the key, the catalogue with it.
        self._remembered = lru_cache(_REMEMBERED)(self._judged_parts)

    def __call__(self, statement: str, bounds: Bounds, bound: Mapping[str, str]) -> Verdict:
        return self.judge(statement, bounds, bound)

    def judge(
        self, statement: str, bounds: Bounds, bound: Mapping[str, str], tenant: str | None = None
    ) -> Verdict:
        """The verdict. With a `tenant` its name stands in the statement itself instead of a value to bind."""
        if len(statement) > _LONGEST_REMEMBERED:
            return self._judged(statement, bounds, bound, tenant)
        tables = tuple((name, tuple(columns)) for name, columns in bounds.tables.items())
        return self._remembered(
            statement, tables, bounds.tenant_column, bounds.row_cap, tuple(bound.items()), tenant
        )

    def _judged_parts(
        self, statement: str, tables: _Tables, tenant_column: str | None, row_cap: int, bound: _Bound,
        tenant: str | None,
    ) -> Verdict:  # fmt: skip
        return self._judged(statement, Bounds(dict(tables), tenant_column, row_cap), dict(bound), tenant)

    def _judged(
        self, statement: str, bounds: Bounds, bound: Mapping[str, str], tenant: str | None
    ) -> Verdict:
        try:
            return self._judge(statement, bounds, bound, tenant)
        except Blocked as refusal:
            return refusal.verdict
        except RecursionError:
            return blocked("nested too deeply for the parser", "The query is nested too deeply.")
        except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
            # The parser is not written for hostile text: whatever it stumbles over is refused.
            return _unreadable(error)

    def harmless(self, statement: str, tenant_column: str | None) -> Refuse | None:
        """Judge operators, functions and alternatives alone, whatever the tables and columns are called."""
        try:
            root = self._parsed(statement)
            self._check(root, None, tenant_column)
        except Blocked as refusal:
            return refusal.verdict
        except RecursionError:
            return blocked("nested too deeply for the parser", "The query is nested too deeply.")
        except (SqlglotError, ValueError, AttributeError, TypeError, KeyError, IndexError) as error:
            return _unreadable(error)
        return None

    def _judge(self, statement: str, bounds: Bounds, bound: Mapping[str, str], tenant: str | None) -> Verdict:
        root = self._parsed(statement)
        self._check(root, bounds, bounds.tenant_column)
        placeholders = _placeholders(root)
        missing = [name for name in placeholders if name not in bound]
        if missing:
            return Refuse(ErrorCode.INVALID_PARAMS, f"No value is given for {', '.join(missing)}.")
        root = cap_rows(root, bounds.row_cap, self._dialect)
        bind_tables(root, bounds, self._dialect, tenant)
        if placeholders or tenant is None:
            self._write_placeholders(root, bound)
        written = self._grammar.generate(root, copy=False, comments=False, unsupported_level=ErrorLevel.RAISE)
        return Allow(written, placeholders)

    def _parsed(self, statement: str) -> exp.Query:
        tokens = sized_tokens(statement, self._grammar)
        if isinstance(tokens, Refuse):
            raise Blocked(tokens)
        parsed = [each for each in self._grammar.parser().parse(tokens, statement) if each is not None]
        if len(parsed) != 1:
            raise Blocked(blocked(f"{len(parsed)} statements", "Exactly one query is allowed."))
        root: exp.Expr = parsed[0]
        while isinstance(root, exp.Subquery) and not grammar.stray_argument(root, {"this"}):
            root = root.this
        if not isinstance(root, exp.Select | exp.SetOperation):
            raise Blocked(
                blocked(f"a {type(root).__name__} at the root", "Only reading is allowed.", "Ask a SELECT.")
            )
        return root

    def _check(self, root: exp.Query, bounds: Bounds | None, tenant_column: str | None) -> None:
        nodes = list(root.walk())
        self._check_nodes(nodes)
        tables = {name.lower(): columns for name, columns in bounds.tables.items()} if bounds else {}
        if bounds is not None:
            unknown = unknown_column(nodes, tables, self._dialect)
            if unknown is not None:
                raise Blocked(blocked(f"the name {unknown[:60]}", NOT_AVAILABLE))
        why = (
            overgrown(nodes)
            or multiplied(nodes)
            or always_true_alternative(nodes, Reach(tables, tenant_column))
        )
        if why is not None:
            raise Blocked(blocked(why))

    def _check_nodes(self, nodes: Sequence[exp.Expr]) -> None:
        for node in nodes:
            kind = type(node)
            allowed = grammar.NODES.get(kind)
            if allowed is not None:
                name = grammar.stray_argument(node, allowed)
                if name is not None:
                    raise Blocked(blocked(f"{kind.__name__} with {name}"))
                special = _SPECIAL.get(kind)
                if special is not None:
                    special(node, self._dialect)
                dialects = grammar.DIALECT_NODES.get(kind)
                if dialects is not None and self._dialect not in dialects:
                    raise Blocked(blocked(f"{kind.__name__} in {self._dialect}"))
            elif isinstance(node, functions.NAMED_NODES):
                if not isinstance(node.this, str) or not functions.named_function_allowed(
                    node.this, self._dialect
                ):
                    raise Blocked(blocked(f"the function {node.name[:60]}", NOT_AVAILABLE))
            elif kind not in functions.FUNCTIONS:
                raise Blocked(blocked(f"{kind.__name__} is not on the whitelist"))

    def _write_placeholders(self, root: exp.Expr, bound: Mapping[str, str]) -> None:
        """Give each placeholder the form its engine's adapter reads."""
        for node in list(root.find_all(exp.Placeholder)):
            kind = bound.get(node.name) or "String"
            if self._dialect == "clickhouse":
                node.set("kind", exp.DataType.build(kind, dialect="clickhouse"))
            elif self._dialect == "postgres":
                cast_to = exp.DataType.build(_POSTGRES_TYPES.get(kind, "TEXT"), dialect="postgres")
                node.replace(exp.Cast(this=exp.Var(this=f":{node.name}"), to=cast_to))
            elif self._dialect != "sqlite":
                node.replace(exp.Var(this=f":{node.name}"))


def _placeholders(root: exp.Expr) -> tuple[str, ...]:
    """Names of the values to bind, in order of appearance."""
    names: dict[str, None] = {}
    for node in root.find_all(exp.Placeholder):
        if not node.name or node.name.startswith(TENANT_VALUE) or not node.name.isidentifier():
            raise Blocked(blocked("a placeholder without a proper name", "Values are named, as in :name."))
        names[node.name] = None
    return tuple(names)


def _unreadable(error: Exception) -> Refuse:
    return Refuse(
        ErrorCode.SQL_BLOCKED,
        "The query cannot be read.",
        "Ask one SELECT statement.",
        (f"{type(error).__name__}: {str(error)[:200]}",),
    )


def _select(node: exp.Expr, _: str) -> None:
    if not node.expressions:
        raise Blocked(blocked("a SELECT of nothing", "The query cannot be read."))


def _data_type(node: exp.Expr, _: str) -> None:
    name = getattr(node.this, "name", "")
    if name not in functions.CAST_TYPES:
        raise Blocked(blocked(f"a cast to {name[:60]}", NOT_AVAILABLE))


def _collate(node: exp.Expr, dialect: str) -> None:
    if node.expression.name.lower() not in functions.COLLATIONS[dialect]:
        raise Blocked(blocked("an unknown collation", NOT_AVAILABLE))


def _join(node: exp.Expr, _: str) -> None:
    for name in ("method", "kind", "side"):
        value = node.args.get(name)
        if value and value.upper() not in grammar.VALUES[exp.Join, name]:
            raise Blocked(blocked(f"a {value[:20]} JOIN"))


def _in(node: exp.Expr, dialect: str) -> None:
    """To ClickHouse `x IN (name)` may ask the table of that name, whatever column is called so too."""
    listed = node.expressions
    if dialect == "clickhouse" and len(listed) == 1 and isinstance(listed[0].unnest(), exp.Column):
        raise Blocked(blocked("IN with a name that may be a table", NOT_AVAILABLE, "Write = instead."))


def _lateral(node: exp.Expr, dialect: str) -> None:
    made = node.this
    of_row = isinstance(made, exp.Anonymous) and made.this.lower() in functions.ROW_FUNCTIONS.get(dialect, ())
    if not isinstance(made, exp.Subquery | exp.Unnest) and not (of_row and made.find(exp.Column)):
        raise Blocked(blocked("LATERAL over what is no query", NOT_AVAILABLE))


_SPECIAL: Mapping[type[exp.Expr], Callable[[exp.Expr, str], None]] = {
    exp.Select: _select,
    exp.DataType: _data_type,
    exp.Collate: _collate,
    exp.Join: _join,
    exp.Lateral: _lateral,
    exp.In: _in,
}
