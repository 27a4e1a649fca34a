"""`baseline_metrics`: a time series with its figures: last, extremes, quantiles, baseline, anomaly, change.

The source lists one table with the columns at, series, metric and value (and the tenant column, if it has one).
"""

import re
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.engines.by_name import Engines
from agents.execution.tools.engines.engine import Engine, Found, Question
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.series_baselines import (
    SEASON_S,
    Season,
    Series,
    comparison_facts,
    seasonal_facts,
)
from agents.execution.tools.series_facts import (
    ALL,
    OF_OTHER_POINTS,
    Facts,
    Function,
    facts_of,
    thinned,
    units_of,
)
from agents.execution.tools.threads import Stop, Threads
from registry.assets import SourceAsset
from schemas.calls import Shape, ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error

MAX_POINTS_READ = 50_000
"""Of a longer series the newest points are read, and the output says that it was cut."""

DEFAULT_SINCE = "1h"
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_SINCE = re.compile(r"(\d{1,6})([smhdw])")
_NEEDED = ("at", "series", "metric", "value")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


class BaselineMetricsParameters(Parameters):
    metric: Annotated[str, Field(min_length=1, max_length=256)]
    series: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    """None takes all series of the metric together; the rows then name the series of each point."""
    since: Annotated[str, Field(pattern=r"^\d{1,6}[smhdw]$")] | None = None
    """How far back from now, such as 15m, 24h or 7d; an hour if no time is given at all."""
    from_: Annotated[float | None, Field(alias="from")] = None
    """Unix seconds; goes before `since`."""
    to: float | None = None
    functions: Annotated[list[Function], Field(max_length=len(ALL) + len(OF_OTHER_POINTS))] = Field(
        default_factory=lambda: list(ALL)
    )
    season: Season = "day"
    """What `seasonal` takes for usual: the same time of earlier days, or of earlier weeks."""
    seasons: Annotated[int, Field(ge=1, le=28)] = 7
    """How many of them."""
    compare_with: Annotated[str, Field(pattern=r"^(previous|\d{1,6}[smhdw])$")] = "previous"
    """What `compare` puts beside it: the stretch of the same length just before, or the same stretch so long ago."""


class BaselineMetrics:
    """A series, oldest first, thinned evenly to the row cap; figures are computed from all points that were read."""

    tool_type = "baseline_metrics"
    parameters = BaselineMetricsParameters
    statement_field = None

    def __init__(self, engines: Engines, *, threads: int = 4, clock: Callable[[], float] = time.time) -> None:
        self._engines = engines
        self._threads = Threads(threads, "baseline-metrics")
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Points and figures. No points is no error: no rows, and `row_count` 0."""
        source = invocation.source
        engine = self._engines.of(invocation)
        if isinstance(engine, OpsError):
            return engine
        if source is None or (table := _table_of(source)) is None:
            return ops_error(
                ErrorCode.ASSET_LOAD_FAILED,
                detail=f"{invocation.tool.id} has no source with a table of series",
            )
        now = self._clock()
        start, end = _period(invocation.params, now)
        if start >= end:
            return ops_error(ErrorCode.INVALID_PARAMS, "The time range ends before it begins.")
        reading = _Reading(invocation, source, table, engine)
        found = await self._threads.run(lambda stop: reading.run(start, end, stop))
        return found if isinstance(found, OpsError) else _output(invocation, *found, now)

    async def close(self) -> None:
        """End the threads and the engines."""
        await self._threads.close()
        self._engines.close()


def _table_of(source: SourceAsset) -> str | None:
    """The source's table of series; its name goes into a statement, so it has to be a plain one."""
    if source.tenant_column is not None and not _NAME.fullmatch(source.tenant_column):
        return None
    for name, columns in source.tables.items():
        bound = source.tenant_column is None or source.tenant_column in columns
        if set(_NEEDED) <= set(columns) and bound and _NAME.fullmatch(name):
            return name
    return None


def _period(params: Mapping[str, Any], now: float) -> tuple[float, float]:
    end = now if params["to"] is None else params["to"]
    if params["from_"] is not None:
        return params["from_"], end
    return end - _seconds(params["since"] or DEFAULT_SINCE), end


def _seconds(stretch: str) -> int:
    found = _SINCE.fullmatch(stretch)
    assert found is not None, "the parameters' pattern lets no other through"
    return int(found[1]) * _SECONDS[found[2]]


def _statement(
    source: SourceAsset, table: str, params: Mapping[str, Any], start: float, end: float
) -> tuple[str, dict[str, Any]]:
    """The statement and its values; newest first, so that a cut takes the oldest."""
    values: dict[str, Any] = {"metric": params["metric"], "start": float(start), "end": float(end)}
    if params["series"] is not None:
        values["series"] = params["series"]
    types = {"start": "Float64", "end": "Float64"}
    remote = source.engine == "clickhouse"

    def hole(name: str) -> str:
        return f"{{{name}:{types.get(name, 'String')}}}" if remote else f":{name}"

    at = "toFloat64(at)" if remote else "at"
    conditions = [f"metric = {hole('metric')}", f"{at} >= {hole('start')}", f"{at} <= {hole('end')}"]
    if params["series"] is not None:
        conditions.append(f"series = {hole('series')}")
    if source.tenant_column is not None:
        conditions.append(f"{source.tenant_column} = {hole(TENANT_PLACEHOLDER)}")
    statement = (
        f"SELECT {at} AS moment, value, series FROM {table} WHERE {' AND '.join(conditions)} "
        f"ORDER BY moment DESC, series DESC LIMIT {MAX_POINTS_READ + 1}"
    )
    return statement, values


class _Reading:
    """All that one call reads, in a thread."""

    def __init__(self, invocation: Invocation, source: SourceAsset, table: str, engine: Engine) -> None:
        self._invocation = invocation
        self._source = source
        self._table = table
        self._engine = engine
        self._ends_at = time.monotonic() + invocation.timeout_s

    def run(self, start: float, end: float, stop: Stop) -> tuple[Found, Facts] | OpsError:
        """The points, and the figures for which other points were read."""
        found = self._points(start, end, stop)
        if isinstance(found, OpsError) or not found.rows:
            return found if isinstance(found, OpsError) else (found, {})
        params, facts = self._invocation.params, Facts()
        series = _series(found)
        if "seasonal" in params["functions"] and len(series.at):
            history = self._points(start - SEASON_S[params["season"]] * params["seasons"], start, stop)
            if isinstance(history, OpsError):
                return history
            facts |= seasonal_facts(series, _series(history), params["season"])
        if "compare" in params["functions"]:
            given = params["compare_with"]
            offset_s = end - start if given == "previous" else _seconds(given)
            other = self._points(start - offset_s, end - offset_s, stop)
            if isinstance(other, OpsError):
                return other
            facts |= comparison_facts(series, _series(other))
        return found, facts

    def _points(self, start: float, end: float, stop: Stop) -> Found | OpsError:
        statement, values = _statement(self._source, self._table, self._invocation.params, start, end)
        left_s = max(0.001, self._ends_at - time.monotonic())
        question = Question(
            self._source, self._invocation.tenant_id, statement, values, MAX_POINTS_READ + 1, left_s
        )
        return self._engine.ask(question, stop)


def _kept(found: Found) -> list[list[Any]]:
    """Points in time order, without those that have no value."""
    newest_first = found.rows[:MAX_POINTS_READ]
    return [row for row in reversed(newest_first) if row[0] is not None and row[1] is not None]


def _series(found: Found) -> Series:
    points = _kept(found)
    return Series(
        np.array([row[0] for row in points], dtype=np.float64),
        np.array([row[1] for row in points], dtype=np.float64),
    )


def _output(invocation: Invocation, found: Found, more_facts: Facts, now: float) -> ToolOutput:
    cut = len(found.rows) > MAX_POINTS_READ
    points = _kept(found)
    several = len({row[2] for row in points}) > 1
    unit = _unit(invocation)
    facts: dict[str, Any] = {}
    if points:
        at = np.array([row[0] for row in points], dtype=np.float64)
        values = np.array([row[1] for row in points], dtype=np.float64)
        facts = dict(facts_of(at, values, tuple(invocation.params["functions"])))
        facts |= more_facts
        facts["series_count"] = len({row[2] for row in points})
    shown = [points[position] for position in thinned(len(points), invocation.row_cap)]
    rows = [row if several else row[:2] for row in shown]
    return rows_output(
        invocation,
        ("at", "value", "series") if several else ("at", "value"),
        rows,
        now,
        shape=Shape.SERIES,
        units={"at": Unit.TIMESTAMP, "value": unit},
        facts=facts,
        fact_units={**units_of(facts, unit), "series_count": Unit.NUMBER},
        truncated=cut or len(shown) < len(points),
    )


def _unit(invocation: Invocation) -> Unit:
    template = invocation.template
    return template.units.get("value", Unit.NUMBER) if template is not None else Unit.NUMBER
