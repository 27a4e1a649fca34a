"""The calls of tools as their workers told of them, in the order in which they began: what a replay goes through."""

from __future__ import annotations

from dataclasses import dataclass

from clickhouse_connect.driver.client import Client

from sinks.client import query
from sinks.queries.window import MICROSECONDS, window, within
from sinks.rows.words import WITNESSED

MOST = 200_000
"""Calls of one replay; of more, the first."""


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call; moments are Unix seconds. `deadline_at` is when its question's execution had to be over, 0 where the
    question has no answer yet."""

    call_id: str
    tool_id: str
    tenant_id: str
    started_at: float
    ended_at: float
    error_code: str
    retries: int
    waited_ms: float
    deadline_at: float
    row_count: int
    truncated: bool
    cached: bool
    lifted: tuple[str, ...]
    policy_version: int
    query: str


@dataclass(frozen=True, slots=True)
class RecordedCalls:
    """`untold`: calls of which no worker told anything, skipped ones apart; `left_out`: more than `MOST`."""

    calls: tuple[CallRecord, ...]
    untold: int
    left_out: int


_CALLS = f"""
SELECT tool_call_id, tool_asset_id, tenant_id, toUnixTimestamp64Micro(started_at) AS started_us,
    toUnixTimestamp64Micro(ended_at) AS ended_us, error_code, retry_count, waited_ms, row_count, truncated, cached,
    lifted, policy_version, query,
    toUnixTimestamp64Micro(planned.started_at) AS planned_us, planned.budget_ms AS budget_ms
FROM (SELECT * FROM tool_calls FINAL WHERE {within("ended_at")} AND evidence = {WITNESSED}
    ORDER BY started_at, tool_call_id LIMIT {{limit:UInt32}}) AS calls
ANY LEFT JOIN (SELECT tenant_id, trace_id, started_at, budget_ms FROM stages FINAL
    WHERE stage_name = 'execution' AND {within("asked_at")}) AS planned
ON calls.tenant_id = planned.tenant_id AND calls.trace_id = planned.trace_id
ORDER BY calls.started_at, tool_call_id
"""
_COUNT = f"""
SELECT countIf(evidence = {WITNESSED}) AS told, countIf(evidence != {WITNESSED} AND status != 'skipped') AS untold
FROM tool_calls FINAL WHERE {within("ended_at")}
"""


def recorded_calls(
    client: Client, since_s: float, now: float, *, tenant_id: str | None = None, most: int = MOST
) -> RecordedCalls:
    """The calls that ended in the window that ends at `now`. Raises ClickHouseError."""
    values = window(since_s, now, tenant_id)
    counted = query(client, _COUNT, values)[0]
    rows = query(client, _CALLS, {**values, "limit": most})
    calls = tuple(
        CallRecord(
            call_id=row["tool_call_id"],
            tool_id=row["tool_asset_id"],
            tenant_id=row["tenant_id"],
            started_at=row["started_us"] / MICROSECONDS,
            ended_at=row["ended_us"] / MICROSECONDS,
            error_code=row["error_code"],
            retries=row["retry_count"],
            waited_ms=row["waited_ms"],
            deadline_at=_deadline(row["planned_us"], row["budget_ms"]),
            row_count=row["row_count"],
            truncated=bool(row["truncated"]),
            cached=bool(row["cached"]),
            lifted=tuple(row["lifted"]),
            policy_version=row["policy_version"],
            query=row["query"],
        )
        for row in rows
    )
    return RecordedCalls(calls, int(counted["untold"]), max(0, int(counted["told"]) - len(calls)))


def _deadline(planned_us: int, budget_ms: float) -> float:
    return planned_us / MICROSECONDS + budget_ms / 1000 if planned_us > 0 and budget_ms > 0 else 0.0
