"""What the SLO dashboard shows: a title, what to read, how to draw it. The layout is `build.py`'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Draw = Literal["timeseries", "stat", "gauge", "table"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. `width` is in twenty-fourths of the page; `unit` is Grafana's own name of it."""

    title: str
    sql: str
    draw: Draw = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    description: str = ""
    stacked: bool = False


_OF = "$__timeFilter(at) AND tenant_id IN (${tenant:singlequote})"
_WHERE = f"WHERE {_OF}"

PANELS: tuple[Panel, ...] = (
    Panel(
        "Answers",
        f"SELECT count() AS answers FROM slo_answers {_WHERE}",
        draw="stat",
        width=4,
        height=5,
        description="Answers published in the time chosen above.",
    ),
    Panel(
        "Answer latency",
        "SELECT quantileExactInclusive(0.5)(latency_ms) AS latency_p50,"
        " quantileExactInclusive(0.95)(latency_ms) AS latency_p95,"
        f" quantileExactInclusive(0.99)(latency_ms) AS latency_p99 FROM slo_answers {_WHERE}",
        draw="stat",
        unit="ms",
        width=8,
        height=5,
        description="From the question being read to the answer.",
    ),
    Panel(
        "Rates",
        "SELECT avgIf(value, name = 'tool_fail_rate') AS tool_fail_rate,"
        " avgIf(value, name = 'fallback_rate') AS fallback_rate,"
        " avgIf(value, name = 'replan_rate') AS replan_rate,"
        f" avgIf(value, name = 'timeout_rate') AS timeout_rate FROM slo_points {_WHERE}",
        draw="stat",
        unit="percentunit",
        width=8,
        height=5,
        description="Failed calls among calls; answers with a fallback, a replan, a timeout among answers.",
    ),
    Panel(
        "Error budget left",
        "SELECT if(count() = 0, NULL, 1 - countIf(status = 'failed') / (count() * (1 - ${objective}))) AS left"
        f" FROM slo_answers {_WHERE}",
        draw="gauge",
        unit="percentunit",
        width=4,
        height=5,
        description="Of the failed answers that the objective allows, the share not used up. Below 0: overspent.",
    ),
    Panel(
        "Answers by status",
        f"SELECT $__timeInterval(at) AS time, status, count() AS answers FROM slo_answers {_WHERE}"
        " GROUP BY time, status ORDER BY time, status",
        stacked=True,
    ),
    Panel(
        "Answer latency over time",
        "SELECT $__timeInterval(at) AS time, quantileExactInclusive(0.5)(latency_ms) AS latency_p50,"
        " quantileExactInclusive(0.95)(latency_ms) AS latency_p95,"
        f" quantileExactInclusive(0.99)(latency_ms) AS latency_p99 FROM slo_answers {_WHERE}"
        " GROUP BY time ORDER BY time",
        unit="ms",
    ),
    Panel(
        "Error budget burn rate",
        "SELECT $__timeInterval(at) AS time,"
        " countIf(status = 'failed') / count() / (1 - ${objective}) AS burn_rate"
        f" FROM slo_answers {_WHERE} GROUP BY time ORDER BY time",
        description="1 uses up the budget exactly by the end of the period; 14 uses up a month's in two days.",
    ),
    Panel(
        "Fallbacks, replans, timeouts",
        "SELECT $__timeInterval(at) AS time, avgIf(value, name = 'fallback_rate') AS fallback_rate,"
        " avgIf(value, name = 'replan_rate') AS replan_rate,"
        f" avgIf(value, name = 'timeout_rate') AS timeout_rate FROM slo_points {_WHERE}"
        " AND name IN ('fallback_rate', 'replan_rate', 'timeout_rate') GROUP BY time ORDER BY time",
        unit="percentunit",
    ),
    Panel(
        "Tool latency",
        "SELECT $__timeInterval(at) AS time, quantileExactInclusive(0.5)(value) AS p50,"
        " quantileExactInclusive(0.95)(value) AS p95, quantileExactInclusive(0.99)(value) AS p99"
        f" FROM slo_points {_WHERE} AND name = 'tool_execution_latency' GROUP BY time ORDER BY time",
        unit="ms",
    ),
    Panel(
        "Stage latency, p95",
        "SELECT $__timeInterval(at) AS time, stage_name, quantileExactInclusive(0.95)(value) AS p95"
        f" FROM slo_points {_WHERE} AND name = 'stage_latency' GROUP BY time, stage_name ORDER BY time, stage_name",
        unit="ms",
    ),
    Panel(
        "Tools",
        "SELECT tool_name, countIf(status != 'skipped') AS calls,"
        " countIf(status IN ('error', 'timeout') AND error_code != 'DATA_NOT_FOUND')"
        " / greatest(countIf(status != 'skipped'), 1) AS tool_fail_rate,"
        " quantileExactInclusiveIf(0.5)(duration_ms, status != 'skipped') AS p50,"
        " quantileExactInclusiveIf(0.95)(duration_ms, status != 'skipped') AS p95,"
        " quantileExactInclusiveIf(0.99)(duration_ms, status != 'skipped') AS p99,"
        f" countIf(status = 'skipped') AS skipped FROM slo_tool_calls {_WHERE}"
        " GROUP BY tool_name ORDER BY calls DESC LIMIT 50",
        draw="table",
        width=14,
        description="Latencies in ms.",
    ),
    Panel(
        "Exceptions and errors by type",
        f"SELECT $__timeInterval(at) AS time, error_code, count() AS calls FROM slo_tool_calls {_WHERE}"
        " AND error_code != '' GROUP BY time, error_code ORDER BY time, error_code",
        width=10,
        stacked=True,
        description="INTERNAL_ERROR is an exception nobody expected; CIRCUIT_OPEN a call its breaker held back.",
    ),
    Panel(
        "Error recovery time",
        "SELECT $__timeInterval(at) AS time, tool_name, avg(recovery_s) AS recovery_s FROM ("
        "SELECT tool_name, at, dateDiff('millisecond', at, next_success) / 1000 AS recovery_s FROM ("
        "SELECT tool_name, at, status, lagInFrame(status, 1, 'success') OVER before AS status_before,"
        " min(if(status = 'success', at, NULL)) OVER after AS next_success"
        f" FROM slo_tool_calls {_WHERE} AND status != 'skipped'"
        " WINDOW before AS (PARTITION BY tool_name ORDER BY at ROWS BETWEEN 1 PRECEDING AND CURRENT ROW),"
        " after AS (PARTITION BY tool_name ORDER BY at ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)"
        ") WHERE status != 'success' AND status_before = 'success' AND next_success IS NOT NULL"
        ") GROUP BY time, tool_name ORDER BY time, tool_name",
        unit="s",
        description="From a tool's first failure to its next success.",
    ),
    Panel(
        "Dead letters by code",
        "SELECT $__timeInterval(at) AS time, code, count() AS letters FROM dead_letters FINAL"
        " WHERE $__timeFilter(at) GROUP BY time, code ORDER BY time, code",
        stacked=True,
        description="Events that could not be taken, of all tenants: their sender was never checked.",
    ),
    Panel(
        "What workers counted",
        "SELECT $__timeInterval(at) AS time, name, sum(value) AS count FROM slo_points"
        " WHERE $__timeFilter(at) AND trace_id = '' GROUP BY time, name ORDER BY time, name",
        description="Metric points that belong to no trace, of all workers and tenants.",
    ),
    Panel(
        "Latest answers that were not a success",
        "SELECT at, tenant_id, status, error_code, latency_ms, trace_id FROM slo_answers"
        f" {_WHERE} AND status != 'success' ORDER BY at DESC LIMIT 50",
        draw="table",
        description="opsloom trace show TRACE_ID tells the whole story.",
    ),
)
