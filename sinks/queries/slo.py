"""How it went: the nine SLO metrics over a window, by their exact names, and answers by status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clickhouse_connect.driver.client import Client

from sinks.client import query
from sinks.queries.window import window, within


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Milliseconds, interpolated between neighbours; `count` values went in."""

    p50: float
    p95: float
    p99: float
    count: int


@dataclass(frozen=True, slots=True)
class SloReport:
    """The nine metrics over `since_s` seconds up to `until` (Unix seconds). None: nothing happened to measure.

    Latencies in ms. `tool_fail_rate` is failed calls among calls that ran (nothing found is no failure); the
    other rates are answers among all answers: with a fallback, with a replan, with a timeout anywhere.
    """

    since_s: float
    until: float
    tenant_id: str | None
    answers: int
    answers_by_status: Mapping[str, int]
    latency_p50: float | None
    latency_p95: float | None
    latency_p99: float | None
    tool_execution_latency: Quantiles | None
    stage_latency: Mapping[str, Quantiles] = field(default_factory=dict)
    tool_fail_rate: float | None = None
    fallback_rate: float | None = None
    replan_rate: float | None = None
    timeout_rate: float | None = None


STAGES = ("planning", "tool_resolution", "execution", "aggregation", "response")

_POINTS = f"""
SELECT name, if(name = 'stage_latency', stage_name, '') AS stage, count() AS n, avg(value) AS mean,
    quantilesExactInclusive(0.5, 0.95, 0.99)(value) AS quantiles
FROM slo_points
WHERE name IN ('latency', 'tool_execution_latency', 'stage_latency',
    'tool_fail_rate', 'fallback_rate', 'replan_rate', 'timeout_rate') AND {within()}
GROUP BY name, stage
"""
_STATUS = f"SELECT status, count() AS n FROM slo_answers WHERE {within()} GROUP BY status ORDER BY status"


def slo(client: Client, since_s: float, now: float, *, tenant_id: str | None = None) -> SloReport:
    """The report over the window that ends at `now`, of one tenant or of all. Raises ClickHouseError."""
    values = window(since_s, now, tenant_id)
    points = {(row["name"], row["stage"]): row for row in query(client, _POINTS, values)}
    by_status = {row["status"]: int(row["n"]) for row in query(client, _STATUS, values)}
    latency = _quantiles(points.get(("latency", "")))
    stages = {stage: _quantiles(points.get(("stage_latency", stage))) for stage in STAGES}
    return SloReport(
        since_s=since_s,
        until=now,
        tenant_id=tenant_id,
        answers=sum(by_status.values()),
        answers_by_status=by_status,
        latency_p50=latency.p50 if latency else None,
        latency_p95=latency.p95 if latency else None,
        latency_p99=latency.p99 if latency else None,
        tool_execution_latency=_quantiles(points.get(("tool_execution_latency", ""))),
        stage_latency={stage: found for stage, found in stages.items() if found is not None},
        tool_fail_rate=_mean(points, "tool_fail_rate"),
        fallback_rate=_mean(points, "fallback_rate"),
        replan_rate=_mean(points, "replan_rate"),
        timeout_rate=_mean(points, "timeout_rate"),
    )


def _quantiles(row: Mapping[str, Any] | None) -> Quantiles | None:
    if row is None:
        return None
    p50, p95, p99 = row["quantiles"]
    return Quantiles(float(p50), float(p95), float(p99), int(row["n"]))


def _mean(points: Mapping[tuple[str, str], Mapping[str, Any]], name: str) -> float | None:
    row = points.get((name, ""))
    return float(row["mean"]) if row is not None else None
