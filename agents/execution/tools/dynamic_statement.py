"""A dynamic tool's statement: built of fields and operators, every value bound. It then goes to the SQL guard like
any other, so a fault here widens nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from agents.execution.guards.operators import operator_guard, operator_named
from agents.execution.guards.verdict import Refuse
from agents.execution.tool import Built
from agents.execution.tools.dynamic_fields import Fields, Misfit
from agents.execution.tools.dynamic_parameters import Aggregate, Bucket, DynamicFilter, DynamicParameters
from agents.execution.tools.dynamic_words import in_words
from registry.assets import SourceAsset
from registry.datasets import DatasetAsset, DatasetField
from schemas.calls import Unit
from schemas.errors import ErrorCode

TOTAL: Final = "opsloom_total"
"""The column that carries the number of rows beyond the limit."""
_QUANTILES: Final = {"median": 0.5, "p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99}
_COMPARES: Final[Mapping[str, type[exp.Binary]]] = {
    "eq": exp.EQ, "ne": exp.NEQ, "lt": exp.LT, "gt": exp.GT, "lte": exp.LTE, "gte": exp.GTE,
    "like": exp.Like, "ilike": exp.ILike,
}  # fmt: skip
_UNITS: Final = {
    "percent": Unit.PERCENT, "bytes": Unit.BYTES, "seconds": Unit.SECONDS, "s": Unit.SECONDS, "%": Unit.PERCENT,
}  # fmt: skip


def build_statement(
    params: DynamicParameters, source: SourceAsset, datasets: Sequence[DatasetAsset], now: float
) -> Built | Refuse:
    """The statement of a call, or why there is none. `now` in Unix seconds, for what is still open."""
    if params.table not in source.tables:
        return Refuse(
            ErrorCode.INVALID_PARAMS,
            "There is no such table.",
            "See what the tool holds.",
            (f"the table {params.table}",),
        )
    for each in (*params.filters, *params.having, *(each for one in params.aggregates for each in one.where)):
        verdict = operator_guard({"field": each.field, "op": each.op, "value": each.value})
        if isinstance(verdict, Refuse):
            return verdict
    try:
        return _Statement(params, source, datasets, now).built()
    except Misfit as misfit:
        return misfit.refusal
    except SqlglotError as error:
        detail = (f"{type(error).__name__}: {str(error)[:200]}",)
        return Refuse(ErrorCode.INVALID_PARAMS, "The figures asked for cannot be computed.", None, detail)


@dataclass(slots=True)
class _Group:
    """One column of the result that rows are grouped by."""

    name: str
    expression: exp.Expr
    unit: Unit = Unit.TEXT


@dataclass(slots=True)
class _Statement:
    params: DynamicParameters
    source: SourceAsset
    datasets: Sequence[DatasetAsset]
    now: float
    values: dict[str, Any] = field(default_factory=dict)
    units: dict[str, Unit] = field(default_factory=dict)
    fields: Fields = field(init=False)

    def __post_init__(self) -> None:
        by_table = {each.table: each for each in self.datasets}
        self.fields = Fields(self.source, by_table, self.params.table, self._bind, self.now)

    def built(self) -> Built:
        params = self.params
        groups = [self._group(each) for each in params.group_by]
        grouped = bool(groups or params.aggregates)
        if params.fields and grouped:
            raise Misfit("A call asks for fields or for figures, not for both.")
        select = exp.Select()
        select.set("expressions", self._figures(groups) if grouped else self._listed())
        if params.filters:
            select.set("where", exp.Where(this=self._all(params.filters)))
        if groups:
            select.set("group", exp.Group(expressions=[group.expression.copy() for group in groups]))
        if params.having:
            select.set("having", exp.Having(this=self._having()))
        order = self._order(groups, grouped)
        if order:
            select.set("order", exp.Order(expressions=order))
        if params.limit is not None:
            select.set("limit", exp.Limit(expression=exp.Literal.number(params.limit)))
        # Last, because only now all names are known.
        select.set("from_", exp.From(this=self.fields.table_expression()))
        select.set("joins", self.fields.joined())
        dataset = next((each for each in self.datasets if each.table == params.table), None)
        return Built(
            statement=select.sql(dialect=self.source.engine),
            values=self.values,
            units=self.units,
            words=in_words(params, dataset),
        )

    def _bind(self, value: Any) -> exp.Expr:
        name = f"v{len(self.values)}"
        self.values[name] = value
        return exp.var(f":{name}")

    def _listed(self) -> list[exp.Expr]:
        names = self.params.fields or self._all_fields()
        found = []
        for name in names:
            self.units[name] = _unit_of(self.fields.declared(name))
            found.append(_named(self.fields.expression(name), name))
        return [*found, *self._total()]

    def _all_fields(self) -> list[str]:
        dataset = next((each for each in self.datasets if each.table == self.params.table), None)
        if dataset is not None:
            shown = [name for name, declared in dataset.fields.items() if not declared.hidden]
            return list(dataset.label) or shown
        return [each for each in self.source.tables[self.params.table] if each != self.source.tenant_column]

    def _total(self) -> list[exp.Expr]:
        if not self.params.total:
            return []
        counted = exp.Window(this=exp.Count(this=exp.Star()), over="OVER")
        return [_named(counted, TOTAL)]

    def _group(self, by: str | Bucket) -> _Group:
        if isinstance(by, Bucket):
            return _Group(by.bucket, self.fields.bucket(by.field, by.bucket, by.offset_minutes))
        declared = self.fields.declared(by)
        return _Group(by, self.fields.expression(by), _unit_of(declared))

    def _figures(self, groups: Sequence[_Group]) -> list[exp.Expr]:
        found = []
        for group in groups:
            self.units[group.name] = group.unit
            found.append(_named(group.expression, group.name))
        aggregates = self.params.aggregates or [Aggregate.model_validate({"fn": "count", "as": "count"})]
        for each in aggregates:
            if each.as_ in self.units:
                raise Misfit(f"Two columns of the result are called {each.as_}.")
            declared = self.fields.declared(each.field) if each.field is not None else None
            self.units[each.as_] = _figure_unit(each, declared)
            found.append(_named(self._aggregate(each), each.as_))
        return [*found, *(self._total() if groups else [])]

    def _aggregate(self, asked: Aggregate) -> exp.Expr:
        met = self._all(asked.where) if asked.where else None
        if asked.fn == "share":
            if met is None:
                raise Misfit("A share needs a condition in where.")
            part = exp.Mul(this=exp.Literal.number("100.0"), expression=exp.Count(this=_when(met, _one())))
            return exp.Div(
                this=part, expression=exp.Nullif(this=exp.Count(this=exp.Star()), expression=_zero())
            )
        if asked.field is None:
            if asked.fn != "count":
                raise Misfit(f"{asked.fn} needs a field.")
            return exp.Count(this=exp.Star() if met is None else _when(met, _one()))
        value = self.fields.expression(asked.field)
        return self._of(asked.fn, value if met is None else _when(met, value))

    def _of(self, fn: str, value: exp.Expr) -> exp.Expr:
        if fn in _QUANTILES:
            return self.fields.quantile(value, _QUANTILES[fn])
        if fn == "count_distinct":
            return exp.Count(this=exp.Distinct(expressions=[value]))
        if fn == "sum":
            return exp.Coalesce(this=exp.Sum(this=value), expressions=[_zero()])
        simple: dict[str, type[exp.Func]] = {
            "count": exp.Count,
            "avg": exp.Avg,
            "min": exp.Min,
            "max": exp.Max,
        }
        return simple[fn](this=value)

    def _all(self, filters: Sequence[DynamicFilter]) -> exp.Expr:
        met = [self._met(each, self.fields.expression(each.field)) for each in filters]
        return exp.and_(*met, copy=False) if len(met) > 1 else met[0]

    def _having(self) -> exp.Expr:
        figures = {each.as_: each for each in self.params.aggregates}
        met = []
        for each in self.params.having:
            if each.field not in figures:
                raise Misfit("A filter over figures names one of them.", detail=each.field[:60])
            met.append(self._met(each, self._aggregate(figures[each.field])))
        return exp.and_(*met, copy=False) if len(met) > 1 else met[0]

    def _met(self, asked: DynamicFilter, value: exp.Expr) -> exp.Expr:
        """The condition; the operator guard has seen the filter."""
        op, declared = operator_named(asked.op), self.fields.declared(asked.field)
        if op in ("is_null", "not_null"):
            empty = exp.Is(this=value, expression=exp.Null())
            return empty if op == "is_null" else exp.Not(this=exp.paren(empty))
        if isinstance(asked.value, list):
            bound = [self._bound(each, declared) for each in asked.value]
            if op == "between":
                return exp.Between(this=value, low=bound[0], high=bound[1])
            listed = exp.In(this=value, expressions=bound)
            return listed if op == "in" else exp.Not(this=exp.paren(listed))
        assert op is not None
        return _COMPARES[op](this=value, expression=self._bound(asked.value, declared))

    def _bound(self, value: Any, declared: DatasetField | None) -> exp.Expr:
        if declared is not None and declared.type in ("time", "date"):
            return self.fields.bound_time(value, declared)
        if isinstance(value, bool) and self.source.engine in ("sqlite", "mysql", "clickhouse"):
            return self._bind(int(value))
        return self._bind(value)

    def _order(self, groups: Sequence[_Group], grouped: bool) -> list[exp.Expr]:
        names = {group.name for group in groups} | {each.as_ for each in self.params.aggregates}
        if grouped and not self.params.aggregates:
            names.add("count")
        ordered: list[exp.Expr] = []
        for each in self.params.order_by:
            if grouped and each.field not in names:
                raise Misfit("An order over groups names a group or a figure.", detail=each.field)
            by = exp.column(each.field, quoted=True) if grouped else self.fields.expression(each.field)
            ordered.append(exp.Ordered(this=by, desc=each.desc, nulls_first=False))
        # Ties are broken by name, so that the same question gets the same rows.
        chosen = {each.field for each in self.params.order_by}
        rest = [group.name for group in groups if group.name not in chosen]
        ordered += [exp.Ordered(this=exp.column(name, quoted=True), nulls_first=False) for name in rest]
        return ordered


def _named(expression: exp.Expr, name: str) -> exp.Expr:
    return exp.alias_(expression, name, quoted=True, copy=False)


def _when(met: exp.Expr, value: exp.Expr) -> exp.Expr:
    return exp.Case(ifs=[exp.If(this=met, true=value)])


def _one() -> exp.Expr:
    return exp.Literal.number(1)


def _zero() -> exp.Expr:
    return exp.Literal.number(0)


def _unit_of(declared: DatasetField | None) -> Unit:
    if declared is None:
        return Unit.TEXT
    return _UNITS.get(declared.unit, Unit.NUMBER if declared.type == "number" else Unit.TEXT)


def _figure_unit(asked: Aggregate, declared: DatasetField | None) -> Unit:
    if asked.fn == "share":
        return Unit.PERCENT
    if asked.fn in ("count", "count_distinct") or declared is None:
        return Unit.NUMBER
    return _unit_of(declared)
