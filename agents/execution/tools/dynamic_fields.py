"""Fields of a table as SQL expressions, in the words of each engine: columns, computed figures, looked-up fields,
buckets of time and quantiles. Names come from the source's whitelist or the pack's author, never from a call.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Final

import sqlglot
from sqlglot import exp

from agents.execution.guards.verdict import Refuse
from registry.assets import SourceAsset
from registry.datasets import DatasetAsset, DatasetField, Elapsed
from schemas.errors import ErrorCode

_SECONDS: Final = {"seconds": 1.0, "minutes": 60.0, "hours": 3_600.0, "days": 86_400.0}
_MAIN = "t"
_DEEPEST = 4
"""Computed fields may name computed fields, this deep."""

Bind = Callable[[Any], exp.Expr]
"""A value → its placeholder."""


class Misfit(Exception):
    """Carries a refusal out of the building of a statement."""

    def __init__(self, reason: str, suggestion: str | None = None, detail: str = "") -> None:
        super().__init__(reason)
        violations = (detail,) if detail else ()
        self.refusal = Refuse(ErrorCode.INVALID_PARAMS, reason, suggestion, violations)


@dataclass(slots=True)
class Fields:
    """Resolves the names of one statement's fields, and remembers which other tables it has to look into."""

    source: SourceAsset
    datasets: Mapping[str, DatasetAsset]
    """By table."""
    table: str
    bind: Bind
    now: float
    joins: dict[str, tuple[DatasetAsset, str]] = field(default_factory=dict)
    """Referring field → the dataset it refers to and the alias it is joined under."""

    @property
    def dialect(self) -> str:
        """The dialect of the source's engine, as sqlglot calls it."""
        return self.source.engine

    def declared(self, name: str) -> DatasetField | None:
        """What the pack says of a field; None for a plain column, or for one that is not there."""
        dataset, own = self._owner(name)
        return dataset.fields.get(own) if dataset is not None else None

    def expression(self, name: str) -> exp.Expr:
        """The field as an expression. Raises `Misfit` for a name that nobody declared."""
        own, dot, other = name.partition(".")
        if not dot:
            return self._of(self.datasets.get(self.table), self.table, own, _MAIN, 0)
        dataset, _ = self._owner(name)
        if dataset is None:
            raise _unknown(name)
        if own not in self.joins:
            self.joins[own] = (dataset, f"r{len(self.joins)}")
        return self._of(dataset, dataset.table, other, self.joins[own][1], 0)

    def joined(self) -> list[exp.Join]:
        """The joins that the names seen so far need: rows without a match stay."""
        found = []
        for own, (dataset, alias) in self.joins.items():
            assert dataset.key is not None  # checked when the pack was loaded
            matches = exp.EQ(this=_column(own, _MAIN), expression=_column(dataset.key, alias))
            found.append(exp.Join(this=_table(dataset.table, alias), side="LEFT", on=matches))
        return found

    def table_expression(self) -> exp.Expr:
        """The table itself, under the alias all columns carry."""
        return _table(self.table, _MAIN)

    def _owner(self, name: str) -> tuple[DatasetAsset | None, str]:
        own, dot, other = name.partition(".")
        dataset = self.datasets.get(self.table)
        if not dot or dataset is None:
            return dataset, own
        wanted = dataset.fields[own].refers_to if own in dataset.fields else None
        target = next((each for each in self.datasets.values() if each.id == wanted), None)
        return target, other

    def _of(self, dataset: DatasetAsset | None, table: str, name: str, alias: str, depth: int) -> exp.Expr:
        declared = dataset.fields.get(name) if dataset is not None else None
        if declared is not None and declared.computed and dataset is not None:
            if depth >= _DEEPEST:
                raise Misfit("A computed field of the table goes in circles.", detail=f"{table}.{name}")
            return self._computed(dataset, declared, alias, depth + 1)
        if name not in self.source.tables.get(table, ()):
            raise _unknown(name)
        return _column(name, alias)

    def _computed(self, dataset: DatasetAsset, declared: DatasetField, alias: str, depth: int) -> exp.Expr:
        if declared.elapsed is not None:
            return self._elapsed(dataset, declared.elapsed, alias)
        parsed = sqlglot.parse_one(declared.expression or "", dialect="sqlite")
        for column in list(parsed.find_all(exp.Column)):
            replaced = self._of(dataset, dataset.table, column.name, alias, depth)
            replaced = exp.paren(replaced, copy=False) if isinstance(replaced, exp.Binary) else replaced
            if column is parsed:
                return replaced
            column.replace(replaced)
        return parsed

    def _elapsed(self, dataset: DatasetAsset, elapsed: Elapsed, alias: str) -> exp.Expr:
        start, end = _column(elapsed.start, alias), _column(elapsed.end, alias)
        stored = time_format(dataset.fields[elapsed.start], self.source)
        if elapsed.open_end == "now":
            moment = self.bound_time(self.now, dataset.fields[elapsed.end])
            end = exp.Coalesce(this=end, expressions=[moment])
        seconds = _SECONDS[elapsed.unit]
        if stored == "text":
            start, end = _unix_seconds(start), _unix_seconds(end)
            stored = "unix"
        return exp.Div(this=self._seconds_between(start, end, stored), expression=_number(seconds))

    def _seconds_between(self, start: exp.Expr, end: exp.Expr, stored: str) -> exp.Expr:
        if stored == "unix":
            return exp.paren(exp.Sub(this=end, expression=start))
        if self.dialect == "clickhouse":
            return _call("dateDiff", exp.Literal.string("second"), start, end)
        if self.dialect == "mysql":
            return exp.TimestampDiff(this=end, expression=start, unit=exp.var("SECOND"))
        between = exp.paren(exp.Sub(this=end, expression=start))
        return exp.Extract(this=exp.var("EPOCH"), expression=between)

    def bound_time(self, value: Any, declared: DatasetField) -> exp.Expr:
        """A moment (ISO text in UTC, or Unix seconds) bound in the form the column holds."""
        if declared.type == "date":
            text = _moment(value).date().isoformat()
            return (
                self.bind(text) if self.dialect == "sqlite" else exp.cast(_as_text(self.bind(text)), "DATE")
            )
        stored = time_format(declared, self.source)
        moment = _moment(value)
        if stored == "unix":
            return self.bind(moment.timestamp())
        text = moment.strftime("%Y-%m-%d %H:%M:%S")
        if stored == "text":
            return self.bind(text)
        if self.dialect == "clickhouse":
            return _call("toDateTime64", self.bind(text), exp.Literal.number(3))
        return exp.cast(_as_text(self.bind(text)), "TIMESTAMP")

    def bucket(self, name: str, size: str, offset_minutes: int) -> exp.Expr:
        """The hour, day, week (its Monday) or month a time falls in, as a text that sorts."""
        declared, moment = self.declared(name), self.expression(name)
        stored = "text" if declared is None else time_format(declared, self.source)
        if self.dialect == "sqlite":
            return _sqlite_bucket(moment, size, offset_minutes, stored, declared)
        if offset_minutes and not (declared is not None and declared.type == "date"):
            raise Misfit("Buckets in another time zone are not available here.", "Ask for them in UTC.")
        if self.dialect == "clickhouse":
            return _call("toString", _call(f"toStartOf{size.capitalize()}", moment, *_monday(size)))
        if self.dialect == "mysql":
            return _mysql_bucket(moment, size)
        start = exp.TimestampTrunc(this=moment, unit=exp.var(size.upper()))
        return exp.cast(start, "TEXT")

    def quantile(self, value: exp.Expr, share: float) -> exp.Expr:
        """The quantile with linear interpolation between neighbours (type 7 of Hyndman and Fan, 1996)."""
        if self.dialect == "sqlite":
            return exp.Quantile(this=value, quantile=_number(share))
        if self.dialect == "clickhouse":
            name = "quantileExactInclusive"
            return exp.ParameterizedAgg(this=name, expressions=[_number(share)], params=[value])
        if self.dialect in ("postgres", "duckdb"):
            order = exp.Order(expressions=[exp.Ordered(this=value)])
            return exp.WithinGroup(this=exp.PercentileCont(this=_number(share)), expression=order)
        raise Misfit("This store has no percentiles.", "Ask for the average or the maximum.")


def time_format(declared: DatasetField, source: SourceAsset) -> str:
    """How the store holds a time: text, timestamp or unix."""
    return declared.time_format or ("text" if source.engine == "sqlite" else "timestamp")


def _sqlite_bucket(
    moment: exp.Expr, size: str, offset_minutes: int, stored: str, declared: DatasetField | None
) -> exp.Expr:
    modifiers: list[exp.Expr] = [exp.Literal.string("unixepoch")] if stored == "unix" else []
    if offset_minutes and not (declared is not None and declared.type == "date"):
        modifiers.append(exp.Literal.string(f"{offset_minutes:+d} minutes"))
    if size == "week":
        modifiers += [exp.Literal.string("weekday 0"), exp.Literal.string("-6 days")]
    pattern = {"hour": "%Y-%m-%d %H:00", "month": "%Y-%m"}.get(size, "%Y-%m-%d")
    return _call("STRFTIME", exp.Literal.string(pattern), moment, *modifiers)


def _mysql_bucket(moment: exp.Expr, size: str) -> exp.Expr:
    if size == "week":
        raise Misfit("Weeks are not available here.", "Ask by day.")
    pattern = {"hour": "%Y-%m-%d %H:00", "month": "%Y-%m"}.get(size, "%Y-%m-%d")
    return _call("DATE_FORMAT", moment, exp.Literal.string(pattern))


def _monday(size: str) -> Sequence[exp.Expr]:
    """ClickHouse's weeks begin on Sunday unless told otherwise."""
    return (exp.Literal.number(1),) if size == "week" else ()


def _moment(value: Any) -> datetime:
    """Raises `Misfit` for what is no moment."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Misfit("A time is given as text or in Unix seconds.")
    try:
        if not isinstance(value, str):
            return datetime.fromtimestamp(value, UTC)
        if len(value) == 10:
            found = date.fromisoformat(value)
            return datetime(found.year, found.month, found.day, tzinfo=UTC)
        read = datetime.fromisoformat(value)
    except (ValueError, OverflowError, OSError) as error:
        raise Misfit("A time is written like 2026-11-18 09:30:00.", detail=str(error)[:100]) from error
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _as_text(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, "TEXT")


def _unix_seconds(text: exp.Expr) -> exp.Expr:
    """SQLite's text as whole seconds: julianday() would lose some of them in its fraction."""
    return exp.cast(_call("STRFTIME", exp.Literal.string("%s"), text), "BIGINT")


def _column(name: str, alias: str) -> exp.Expr:
    return exp.column(name, table=alias, quoted=True)


def _table(name: str, alias: str) -> exp.Expr:
    table = exp.Table(this=exp.to_identifier(name, quoted=True))
    table.set("alias", exp.TableAlias(this=exp.to_identifier(alias)))
    return table


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _number(value: float) -> exp.Expr:
    return exp.Literal.number(repr(value))


def _unknown(name: str) -> Misfit:
    return Misfit("The table has no such field.", "See what the table holds.", f"the field {name[:80]}")
