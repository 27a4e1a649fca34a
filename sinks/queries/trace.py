"""One trace from end to end: answer, plan, calls, groups, stages and the tree of spans."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from sinks.client import query

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCallRecord:
    """One call; `start_ms` and `end_ms` count from the moment the question was read."""

    tool_call_id: str
    tool_type: str
    tool_asset_id: str
    tool_name: str
    start_ms: float
    end_ms: float
    duration_ms: float
    status: str
    error_code: str | None
    error_message: str | None
    retry_count: int
    execution_group_index: int
    timeout_exceeded: bool
    parallel: bool
    step_id: str
    error_detail: str | None
    """For operators only."""
    row_count: int
    source: str
    query: str
    cause: str | None
    tool_asset_version: int = 0
    policy_version: int = 0
    cached: bool = False
    """Taken from an earlier identical call."""
    lifted: tuple[str, ...] = ()
    """Overrides that let it past a block, as `id@version`."""
    waited_ms: float = 0.0
    """Before the tool's limit, breaker and places, over all tries."""


@dataclass(frozen=True, slots=True)
class ExecutionGroup:
    """Steps that could run side by side."""

    group_index: int
    parallel: bool
    tools: tuple[str, ...]
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class StageRecord:
    stage_name: str
    attempt: int
    status: str
    start_ms: float
    duration_ms: float
    budget_ms: float
    exhausted: bool


@dataclass(frozen=True, slots=True)
class SpanRecord:
    """A span and what happened within it, earliest first."""

    span_id: str
    parent_id: str | None
    name: str
    kind: str
    status: str
    start_ms: float
    duration_ms: float
    tool_call_id: str | None
    retries: int
    parallel: bool
    error_code: str | None
    children: tuple[SpanRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """What a language model was used for: planning (no call), or the call of a tool."""

    model: str
    stage_name: str
    tool_call_id: str | None
    calls: int
    prompt_tokens: int
    completion_tokens: int
    latency_ms: float


@dataclass(frozen=True, slots=True)
class ReplanTrace:
    """One time another plan was asked for. `decision`: pending, changed or unchanged; `patch` says which step had which
    tool before and after, and why."""

    attempt: int
    trigger: str
    severity: str
    reason: str
    decision: str
    failures: tuple[Mapping[str, Any], ...]
    patch: Mapping[str, Any] | None
    requested_ms: float
    decided_ms: float


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """All that is known of a trace. `answer` is None while there is none."""

    trace_id: str
    tenant_id: str
    started_at: datetime
    answer: Mapping[str, Any] | None
    reasons: tuple[str, ...]
    tool_calls: tuple[ToolCallRecord, ...]
    execution_groups: tuple[ExecutionGroup, ...]
    stages: tuple[StageRecord, ...]
    spans: tuple[SpanRecord, ...]
    usage: tuple[UsageRecord, ...] = ()
    replans: tuple[ReplanTrace, ...] = ()


_OF_TRACE = (
    "FINAL WHERE trace_id = {trace_id:String} AND ({tenant_id:String} = '' OR tenant_id = {tenant_id:String})"
)
# The trace is part of each table's key, so an index may skip rows before FINAL without changing what is found.
_SKIP = "SETTINGS use_skip_indexes_if_final = 1"
_ANSWER = f"SELECT * FROM answers {_OF_TRACE} {_SKIP}"
_CALLS = f"SELECT * FROM tool_calls {_OF_TRACE} ORDER BY started_at, tool_call_id, evidence {_SKIP}"
_STAGES = f"SELECT * FROM stages {_OF_TRACE} ORDER BY started_at, attempt {_SKIP}"
_SPANS = f"SELECT * FROM spans {_OF_TRACE} ORDER BY started_at, span_id {_SKIP}"

_USAGE = f"SELECT * FROM metric_points {_OF_TRACE} AND startsWith(name, 'llm_') ORDER BY at, subject {_SKIP}"
_REPLANS = f"SELECT * FROM replans {_OF_TRACE} ORDER BY attempt {_SKIP}"


def trace(client: Client, trace_id: str, *, tenant_id: str | None = None) -> TraceRecord | None:
    """The record of a trace, or None if nothing is known of it (to this tenant). Raises ClickHouseError."""
    values = {"trace_id": trace_id, "tenant_id": tenant_id or ""}
    answers, calls, stages, spans, usage = (
        query(client, sql, values) for sql in (_ANSWER, _CALLS, _STAGES, _SPANS, _USAGE)
    )
    known = [*answers, *stages, *spans, *calls]
    if not known:
        return None
    answer = answers[0] if answers else None
    begun = [row["asked_at"] for row in (*answers, *stages)] or [
        row["started_at"] for row in (*spans, *calls)
    ]
    start = min(begun)
    records = _calls(calls, start)
    return TraceRecord(
        trace_id=trace_id,
        tenant_id=str(known[0]["tenant_id"]),
        started_at=start,
        answer=answer,
        reasons=tuple(answer["reasons"]) if answer else (),
        tool_calls=records,
        execution_groups=_groups(records),
        stages=tuple(_stage(row, start) for row in stages),
        spans=_tree(spans, start, {call.tool_call_id for call in records if call.parallel}),
        usage=_usage(usage),
        replans=tuple(_replan(row, start) for row in query(client, _REPLANS, values)),
    )


def _replan(row: Record, start: datetime) -> ReplanTrace:
    return ReplanTrace(
        attempt=row["attempt"],
        trigger=row["trigger"],
        severity=row["severity"],
        reason=row["reason"],
        decision=row["decision"],
        failures=tuple(json.loads(row["failures"] or "[]")),
        patch=json.loads(row["patch"]) if row["patch"] else None,
        requested_ms=_ms(row["requested_at"], start),
        decided_ms=_ms(row["decided_at"], start),
    )


def _usage(rows: Sequence[Record]) -> tuple[UsageRecord, ...]:
    """The points of one plan or call, put together."""
    found: dict[str, dict[str, Record]] = defaultdict(dict)
    for row in rows:
        found[row["subject"]][row["name"]] = row

    def figure(points: Mapping[str, Record], name: str) -> float:
        return float(points[name]["value"]) if name in points else 0.0

    records = []
    for points in found.values():
        one = next(iter(points.values()))
        records.append(
            UsageRecord(
                model=one["tags"].get("model", ""),
                stage_name=one["stage_name"],
                tool_call_id=one["tool_call_id"] or None,
                calls=int(figure(points, "llm_calls")),
                prompt_tokens=int(figure(points, "llm_prompt_tokens")),
                completion_tokens=int(figure(points, "llm_completion_tokens")),
                latency_ms=figure(points, "llm_latency_ms"),
            )
        )
    return tuple(records)


def _ms(moment: datetime, start: datetime) -> float:
    """Milliseconds; moments are kept to the microsecond, cut off rather than rounded."""
    return round((moment - start).total_seconds() * 1000, 2)


def _calls(rows: Sequence[Record], start: datetime) -> tuple[ToolCallRecord, ...]:
    """One record a call: where the answer and the worker told of it in different hours, the worker's word."""
    by_id = {row["tool_call_id"]: row for row in sorted(rows, key=lambda row: int(row["evidence"]))}
    in_group: dict[int, int] = defaultdict(int)
    for row in by_id.values():
        in_group[row["execution_group_index"]] += 1
    records = [_call(row, start, in_group[row["execution_group_index"]] > 1) for row in by_id.values()]
    return tuple(sorted(records, key=lambda call: (call.execution_group_index, call.start_ms, call.step_id)))


def _call(row: Record, start: datetime, parallel: bool) -> ToolCallRecord:
    return ToolCallRecord(
        tool_call_id=row["tool_call_id"],
        tool_type=row["tool_type"],
        tool_asset_id=row["tool_asset_id"],
        tool_name=row["tool_name"],
        start_ms=_ms(row["started_at"], start),
        end_ms=_ms(row["ended_at"], start),
        duration_ms=row["duration_ms"],
        status=row["status"],
        error_code=row["error_code"] or None,
        error_message=row["error_message"] or None,
        retry_count=row["retry_count"],
        execution_group_index=row["execution_group_index"],
        timeout_exceeded=row["timeout_exceeded"],
        parallel=parallel,
        step_id=row["step_id"],
        error_detail=row["error_detail"] or None,
        row_count=row["row_count"],
        source=row["source"],
        query=row["query"],
        cause=row["cause"] or None,
        tool_asset_version=row["tool_asset_version"],
        policy_version=row["policy_version"],
        cached=row["cached"],
        lifted=tuple(row["lifted"]),
        waited_ms=row["waited_ms"],
    )


def _groups(calls: Sequence[ToolCallRecord]) -> tuple[ExecutionGroup, ...]:
    members: dict[int, list[ToolCallRecord]] = defaultdict(list)
    for call in calls:
        members[call.execution_group_index].append(call)
    return tuple(
        ExecutionGroup(
            group_index=index,
            parallel=len(group) > 1,
            tools=tuple(call.tool_name for call in group),
            start_ms=min(call.start_ms for call in group),
            end_ms=max(call.end_ms for call in group),
        )
        for index, group in sorted(members.items())
    )


def _stage(row: Record, start: datetime) -> StageRecord:
    return StageRecord(
        stage_name=row["stage_name"],
        attempt=row["attempt"],
        status=row["status"],
        start_ms=_ms(row["started_at"], start),
        duration_ms=row["duration_ms"],
        budget_ms=row["budget_ms"],
        exhausted=row["exhausted"],
    )


def _tree(rows: Sequence[Record], start: datetime, parallel: set[str]) -> tuple[SpanRecord, ...]:
    """Spans under their parents; one whose parent is not known, as before the answer, stands at the top."""
    ids = {row["span_id"] for row in rows}
    below: dict[str, list[Record]] = defaultdict(list)
    for row in rows:
        below[row["parent_id"] if row["parent_id"] in ids else ""].append(row)

    def grow(row: Record, above: frozenset[str]) -> SpanRecord:
        path = above | {row["span_id"]}
        return SpanRecord(
            span_id=row["span_id"],
            parent_id=row["parent_id"] or None,
            name=row["name"],
            kind=row["kind"],
            status=row["status"],
            start_ms=_ms(row["started_at"], start),
            duration_ms=row["duration_ms"],
            tool_call_id=row["tool_call_id"] or None,
            retries=row["retries"],
            parallel=row["parallel"] or row["tool_call_id"] in parallel,
            error_code=row["error_code"] or None,
            children=tuple(
                grow(child, path) for child in below[row["span_id"]] if child["span_id"] not in path
            ),
        )

    return tuple(grow(row, frozenset()) for row in below[""])
