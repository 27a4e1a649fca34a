"""Alternatives that are always true: `WHERE id = 1 OR '1' = '1'` shows every row, whatever the author meant.

Every disjunction counts, also one in disguise: `NOT (a AND b)`, CASE, COALESCE, an IN list with the column itself.
An alternative is refused if it depends on no row, or if it holds on all rows that are tried.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from agents.execution.guards.sql.made_up_rows import rows_for
from agents.execution.guards.sql.three_valued import truth
from agents.execution.guards.sql.values import understood, value_of

_FILTERS = (exp.Where, exp.Having, exp.Qualify, exp.PreWhere)
_DISGUISES = (exp.Xor, exp.Case, exp.If, exp.Coalesce, exp.In, exp.Any, exp.Greatest, exp.Least, exp.Nullif)
_PLAIN = (exp.Predicate, exp.Not, exp.Exists, exp.Column, exp.Literal, exp.Boolean, exp.Or, exp.Placeholder)
"""Conditions that are what they look like; a sum or a function used as one has to be tried."""
_ROW_BOUND = (exp.AggFunc, exp.Window, exp.Placeholder)
_MOST_SYMBOLS = 8
_HOLDS, _FAILS = "\0holds", "\0fails"
"""Keys of what is known to be true, and to be false, on every row."""


@dataclass(frozen=True)
class Reach:
    """What a condition's names mean: the catalogue under lower-case names, and the column all rows agree in."""

    tables: Mapping[str, tuple[str, ...]]
    tenant_column: str | None


def always_true_alternative(nodes: Sequence[exp.Expr], reach: Reach) -> str | None:
    """Why a statement of these nodes holds an alternative that is always true; None if it holds none."""
    for sides in _disjunctions(nodes):
        judged = [_Condition(side, reach) for side in sides]
        for side in judged:
            disguise = _disguised(side.node, reach)
            if disguise is not None:
                return disguise
            if not side.bound:
                if not side.never():
                    return "an alternative that depends on no row"
            elif side.always():
                return "an alternative that is always true"
        groups: dict[frozenset[str], list[exp.Expr]] = {}
        for side in judged:
            if side.bound:
                groups.setdefault(frozenset(side.symbols), []).append(side.node)
        for group in groups.values():
            if len(group) > 1 and _Condition(exp.or_(*group, copy=True), reach).always():
                return "alternatives that together are always true"
    for node in nodes:
        if isinstance(node, exp.Where | exp.PreWhere) and _counts(node):
            return "an aggregate where rows are chosen"
    for condition in _filters(nodes):
        if not isinstance(condition, _PLAIN) or condition.find(*_DISGUISES):
            judged_one = _Condition(condition, reach)
            if judged_one.bound and judged_one.always():
                return "a condition that is always true in disguise"
    return None


def _counts(where: exp.Expr) -> bool:
    """No engine takes an aggregate in WHERE but within a query of its own."""
    select = where.parent_select
    return any(
        each.parent_select is select and not isinstance(each.parent, exp.Window)
        for each in where.find_all(exp.AggFunc)
    )


def _disguised(side: exp.Expr, reach: Reach) -> str | None:
    """An alternative that says nothing, though some row might have a NULL there."""
    for node in side.find_all(exp.EQ, exp.GTE, exp.LTE, exp.NullSafeEQ):
        if isinstance(_bare(node.this), exp.Column) and _bare(node.this) == _bare(node.expression):
            return "a column compared with itself"
    kept = _not_null(_bare(side))
    if isinstance(kept, exp.Predicate | exp.Not | exp.Connector):
        return "a condition that is only asked to be known"
    if isinstance(kept, exp.Column) and kept.name.lower() in ("id", (reach.tenant_column or "id").lower()):
        return "a key that is only asked to be known"
    return None


def _not_null(node: exp.Expr) -> exp.Expr | None:
    """What is said not to be NULL."""
    denied = isinstance(node, exp.Not)
    inner = _bare(node.this) if denied else node
    if not isinstance(inner, exp.Is):
        return None
    null = _bare(inner.expression)
    if isinstance(null, exp.Not):
        denied, null = not denied, _bare(null.this)
    denied ^= bool(inner.args.get("negate"))
    return _bare(inner.this) if denied and isinstance(null, exp.Null) else None


def _filters(nodes: Sequence[exp.Expr]) -> Iterator[exp.Expr]:
    """Each of the conditions that all have to hold."""
    for node in nodes:
        condition = node.this if isinstance(node, _FILTERS) else None
        if isinstance(node, exp.Join):
            condition = node.args.get("on")
        if condition is not None:
            yield from _conjuncts(condition)


def _conjuncts(node: exp.Expr) -> Iterator[exp.Expr]:
    node = _bare(node)
    if isinstance(node, exp.And):
        yield from _conjuncts(node.this)
        yield from _conjuncts(node.expression)
    else:
        yield node


def _disjunctions(nodes: Sequence[exp.Expr]) -> Iterator[list[exp.Expr]]:
    """The alternatives of each OR, of each AND that is denied, and of each XOR."""
    for node in nodes:
        if isinstance(node, exp.Xor):
            yield [node.this, node.expression]
        if not isinstance(node, exp.Or | exp.And) or _continues(node):
            continue
        denied = _denied(node)
        if isinstance(node, exp.Or) is denied:
            continue
        sides = list(_flat(node, type(node)))
        yield [exp.Not(this=exp.Paren(this=side.copy())) for side in sides] if denied else sides


def _flat(node: exp.Expr, kind: type[exp.Expr]) -> Iterator[exp.Expr]:
    node = _bare(node)
    if isinstance(node, kind):
        yield from _flat(node.this, kind)
        yield from _flat(node.args["expression"], kind)
    else:
        yield node


def _continues(node: exp.Expr) -> bool:
    """Is it part of a longer chain of the same word?"""
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return type(parent) is type(node)


def _denied(node: exp.Expr) -> bool:
    """Do an odd number of NOTs stand over it, with nothing but AND and OR between?"""
    denied, parent = False, node.parent
    while isinstance(parent, exp.Paren | exp.Not | exp.And | exp.Or):
        denied ^= isinstance(parent, exp.Not)
        parent = parent.parent
    return denied


class _Condition:
    """One condition and the values of a row it depends on."""

    def __init__(self, node: exp.Expr, reach: Reach) -> None:
        self.node = node
        self._reach = reach
        self._keys: dict[int, str] = {}
        self.bound = False
        """Does it depend on any row?"""
        self.symbols: list[str] = []
        found: dict[str, exp.Expr] = {}
        self._collect(node, found)
        self.symbols = list(found)
        self._counts = frozenset(
            key for key, each in found.items() if isinstance(each, exp.Count | exp.CountIf)
        )

    def always(self) -> bool:
        """Does it hold on every row that is tried, and is it told on some?"""
        if len(self.symbols) > _MOST_SYMBOLS:
            return False
        held = False
        for row in rows_for(self.symbols, self._literals()):
            if any(not isinstance(row[key], int) or row[key] < 0 for key in self._counts):
                continue
            value = truth(value_of(self.node, {**row, _HOLDS: True, _FAILS: False}, self._key))
            if value is False:
                return False
            held = held or value is True
        return held

    def never(self) -> bool:
        """Is it surely false, or NULL, whatever the engine's rules for comparing texts?"""
        if any(literal.is_string for literal in self.node.find_all(exp.Literal)) or self.symbols:
            return False
        value = truth(value_of(self.node, {}, self._key))
        return value is False or value is None

    def _literals(self) -> Iterable[float | str]:
        for literal in self.node.find_all(exp.Literal):
            if literal.is_string:
                yield literal.this
            elif literal.this.isdigit() and len(literal.this) < 16:
                yield int(literal.this)

    def _key(self, node: exp.Expr) -> str:
        return self._keys.get(id(node), "")

    def _collect(self, node: exp.Expr, found: dict[str, exp.Expr]) -> None:
        if isinstance(node, exp.Column):
            self._symbol(node, self._column(node), found)
            self.bound = self.bound or node.name.lower() != (self._reach.tenant_column or "").lower()
        elif isinstance(node, exp.Query | exp.Subquery):
            self._collect_query(node, found)
        elif isinstance(node, _ROW_BOUND):
            self._symbol(node, node.sql().lower(), found)
            self.bound = True
        elif isinstance(node, exp.Exists):
            self._subquery(node, node.this, _looks_up_itself(node), found)
            self.bound = self.bound or correlated(node.this, self._reach.tables)
        elif isinstance(node, exp.In) and node.args.get("query") is not None:
            self._collect(node.this, found)
            self._subquery(node, node.args["query"], _same_table(node, node.args["query"]), found)
        elif (
            isinstance(node, exp.EQ)
            and isinstance(node.expression, exp.Any)
            and node.expression.find(exp.Query)
        ):
            self._collect(node.this, found)
            self._subquery(node, node.expression.this, _same_table(node, node.expression.this), found)
        elif understood(node):
            for child in node.iter_expressions():
                if not isinstance(child, exp.DataType):
                    self._collect(child, found)
        else:
            before = dict(found)
            for child in node.iter_expressions():
                self._collect(child, found)
            for key in found.keys() - before.keys():
                del found[key]
            self._symbol(node, node.sql().lower(), found)

    def _collect_query(self, node: exp.Expr, found: dict[str, exp.Expr]) -> None:
        """A query without FROM is its one expression; any other is a value of its own."""
        query = node
        while isinstance(query, exp.Subquery | exp.Paren):
            query = query.this
        alone = isinstance(query, exp.Select) and len(query.expressions) == 1 and not query.args.get("from_")
        if alone and not query.args.get("where"):
            self._collect(query.expressions[0].unalias(), found)
            return
        self._symbol(node, node.sql(), found)
        self.bound = self.bound or correlated(query, self._reach.tables)

    def _subquery(self, node: exp.Expr, query: exp.Expr, holds: bool, found: dict[str, exp.Expr]) -> None:
        """`id IN (SELECT id FROM the_same_table)` holds on every row, one in a subquery of no rows on none; any other
        may hold or not."""
        where = query.find(exp.Where)
        inside = None if where is None else _Condition(where.this, self._reach)
        if holds:
            self._keys[id(node)] = _HOLDS
        elif inside is not None and not inside.bound and inside.never():
            self._keys[id(node)] = _FAILS
        else:
            self._symbol(node, node.sql().lower(), found)

    def _symbol(self, node: exp.Expr, key: str, found: dict[str, exp.Expr]) -> None:
        self._keys[id(node)] = key
        found.setdefault(key, node)

    def _column(self, column: exp.Column) -> str:
        """A column by its name; with its table only where several tables' columns of that name meet."""
        name, table = column.name.lower(), column.table.lower()
        others = {
            each.table.lower()
            for each in self.node.find_all(exp.Column)
            if each.name.lower() == name and each.table
        }
        return f"{table}.{name}" if table and len(others) > 1 else name


def correlated(query: exp.Expr, tables: Mapping[str, tuple[str, ...]]) -> bool:
    """Does a subquery name a column of the query around it? A column it could have itself counts as its own."""
    inside: set[str] = set()
    columns: set[str] = set()
    opaque = False
    for table in query.find_all(exp.Table, exp.Subquery, exp.Unnest):
        inside.add(table.alias_or_name.lower())
        listed = tables.get(table.name.lower()) if isinstance(table, exp.Table) else None
        if listed:
            columns.update(each.lower() for each in listed)
        elif isinstance(table.parent, exp.From | exp.Join):
            opaque = True
    columns.update(each.alias.lower() for each in query.find_all(exp.Alias))
    for column in query.find_all(exp.Column):
        if column.table:
            if column.table.lower() not in inside:
                return True
        elif not opaque and column.name.lower() not in columns:
            return True
    return False


def _looks_up_itself(node: exp.Exists) -> bool:
    """`EXISTS (SELECT 1 FROM t x WHERE x.id = t.id)`: every row of t finds itself."""
    query = node.this
    if not isinstance(query, exp.Select) or any(
        query.args.get(name) for name in ("joins", "having", "qualify")
    ):
        return False
    where, source = query.args.get("where"), query.args.get("from_")
    if where is None or source is None or source.this.name.lower() not in _around(node):
        return False
    inside = source.this.alias_or_name.lower()
    for each in _conjuncts(where.this):
        if not isinstance(each, exp.EQ):
            return False
        left, right = _bare(each.this), _bare(each.expression)
        if not isinstance(left, exp.Column) or not isinstance(right, exp.Column):
            return False
        if left.name.lower() != right.name.lower():
            return False
        if (left.table.lower() == inside) == (right.table.lower() == inside):
            return False
    return True


def _around(node: exp.Expr) -> set[str]:
    """Names of the tables of the query a node stands in."""
    outer = node.find_ancestor(exp.Select)
    around = None if outer is None else outer.args.get("from_")
    return set() if around is None else {table.name.lower() for table in around.find_all(exp.Table)}


def _same_table(node: exp.Expr, query: exp.Expr) -> bool:
    left, query = _bare(node.this), _bare(query)
    while isinstance(query, exp.Subquery):
        query = _bare(query.this)
    if not isinstance(left, exp.Column) or not isinstance(query, exp.Select) or len(query.expressions) != 1:
        return False
    if any(query.args.get(name) for name in ("where", "joins", "having", "limit", "offset", "qualify")):
        return False
    chosen, source = query.expressions[0].unalias(), query.args.get("from_")
    if not isinstance(chosen, exp.Column) or chosen.name.lower() != left.name.lower() or source is None:
        return False
    return isinstance(source.this, exp.Table) and source.this.name.lower() in _around(node)


def _bare(node: exp.Expr) -> exp.Expr:
    """Without the parentheses around it."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node
