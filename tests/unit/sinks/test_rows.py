"""What each event leaves behind, told from the event alone."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.answers import Status
from schemas.calls import ClaimCheck, ToolCalled
from schemas.errors import ErrorCode
from schemas.events import Event
from schemas.plans import LlmUsage
from schemas.telemetry import MetricPoint, SpanEnded
from sinks.client import encode
from sinks.rows import Origin, merge, root_span, rows_of
from tests.support.road_events import answer, failed, letter, plan_failed, plan_made, result, succeeded

_HERE = Origin("ops.somewhere", 2, 17)
_TRACE = "a" * 32


def _point(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = (row for row in rows if row["name"] == name)
    return found


def test_a_plan_leaves_its_planning_stage_and_span() -> None:
    """10 ms from the question to the plan, under the trace's root span."""
    rows = rows_of(plan_made(_TRACE, 1000.0), _HERE)
    assert set(rows) == {"stages", "spans"}
    assert rows["stages"][0]["status"] == "ok"
    assert rows["stages"][0]["duration_ms"] == pytest.approx(10)
    assert rows["spans"][0]["parent_id"] == root_span(_TRACE)


def test_a_plan_that_a_model_made_leaves_what_it_cost() -> None:
    """Calls, tokens and latency, by model; a replan repeats its plan's usage and counts nothing."""
    usage = LlmUsage(model="small", prompt_tokens=200, completion_tokens=40, latency_ms=1200.0, calls=2)
    plan = replace(plan_made(_TRACE, 1000.0), usage=usage)

    points = rows_of(plan, _HERE)["metric_points"]

    assert {point["name"]: point["value"] for point in points} == {
        "llm_calls": 2.0,
        "llm_prompt_tokens": 200.0,
        "llm_completion_tokens": 40.0,
        "llm_latency_ms": 1200.0,
    }
    assert {point["tags"]["model"] for point in points} == {"small"}
    assert "metric_points" not in rows_of(replace(plan, attempt=1), _HERE)


def test_a_failed_plan_is_an_error_with_its_code() -> None:
    """The span carries the code, so that errors are found from spans too."""
    rows = rows_of(plan_failed(_TRACE, 1000.0), _HERE)
    assert rows["stages"][0]["status"] == "error"
    assert rows["spans"][0]["error_code"] == "PLAN_INVALID"


def test_a_call_leaves_a_row_a_span_and_two_figures() -> None:
    """100 ms, three rows found, one retry."""
    rows = rows_of(succeeded(_TRACE, "a", 1000.0, 0.1), _HERE)
    call = rows["tool_calls"][0]
    assert (call["status"], call["row_count"], call["retry_count"], call["tool_asset_version"]) == (
        "success",
        3,
        1,
        4,
    )
    assert call["duration_ms"] == pytest.approx(100)
    assert _point(rows["metric_points"], "tool_execution_latency")["value"] == pytest.approx(100)
    assert _point(rows["metric_points"], "tool_fail_rate")["value"] == 0.0
    assert rows["spans"][0]["tool_call_id"] == call["tool_call_id"]


def test_what_the_guards_had_to_do_with_a_call_is_in_its_row() -> None:
    """Remembered, lifted by an override, 250 ms before the turnstile; and a claim's rows are all that were found."""
    event = succeeded(_TRACE, "a", 1000.0, 0.1)
    whole = ClaimCheck(reference="r", digest="d", size_bytes=9, row_count=700)
    event = replace(
        event,
        cached=True,
        lifted=("override.friday@2",),
        waited_s=0.25,
        output=replace(event.output, claim=whole),
    )

    call = rows_of(event, _HERE)["tool_calls"][0]

    assert (call["cached"], call["lifted"], call["waited_ms"]) == (True, ["override.friday@2"], 250.0)
    assert call["row_count"] == 700


def test_a_failed_call_says_what_was_lifted_and_how_long_it_waited() -> None:
    """An override does not make a tool work."""
    event = replace(
        failed(_TRACE, "a", 1000.0, 0.1, ErrorCode.UPSTREAM_UNAVAILABLE), lifted=("o@1",), waited_s=2.0
    )

    call = rows_of(event, _HERE)["tool_calls"][0]

    assert (call["cached"], call["lifted"], call["waited_ms"]) == (False, ["o@1"], 2000.0)


@pytest.mark.parametrize(
    ("code", "status", "fails", "span"),
    [
        (ErrorCode.TOOL_TIMEOUT, "timeout", 1.0, "error"),
        (ErrorCode.UPSTREAM_UNAVAILABLE, "error", 1.0, "error"),
        (ErrorCode.POLICY_DENY, "error", 1.0, "error"),
        (ErrorCode.DATA_NOT_FOUND, "error", 0.0, "warning"),
    ],
)
def test_a_failed_call_counts_unless_it_only_found_nothing(
    code: ErrorCode, status: str, fails: float, span: str
) -> None:
    """DATA_NOT_FOUND is not a failure of the tool; a timeout is told apart."""
    rows = rows_of(failed(_TRACE, "a", 1000.0, 0.1, code), _HERE)
    assert rows["tool_calls"][0]["status"] == status
    assert rows["tool_calls"][0]["timeout_exceeded"] is (status == "timeout")
    assert rows["tool_calls"][0]["error_detail"] == "operators only"
    assert _point(rows["metric_points"], "tool_fail_rate")["value"] == fails
    assert rows["spans"][0]["status"] == span


def test_an_answer_leaves_the_slo_figures() -> None:
    """Latency in ms and one 0 or 1 for each rate, tagged with trace and tenant."""
    rows = rows_of(answer(_TRACE, 1000.0, 2.0, status=Status.DEGRADED, fallback=True, replans=2), _HERE)
    points = rows["metric_points"]
    assert _point(points, "latency")["value"] == pytest.approx(2000)
    assert _point(points, "fallback_rate")["value"] == 1.0
    assert _point(points, "fallback_rate")["reason"] == "primary_timeout"
    assert _point(points, "replan_rate")["value"] == 1.0
    assert _point(points, "timeout_rate")["value"] == 0.0
    assert all(row["trace_id"] == _TRACE and row["tenant_id"] == "acme" for row in points)
    stages = {row["stage_name"]: row["duration_ms"] for row in rows["stages"]}
    assert stages["execution"] == pytest.approx(1600)
    assert rows["answers"][0]["record"].startswith('{"event":"AnswerComposed"')


def test_phases_follow_one_another_in_time() -> None:
    """Each stage starts where the one before it ended."""
    stages = rows_of(answer(_TRACE, 1000.0, 10.0), _HERE)["stages"]
    for before, after in pairwise(stages):
        assert after["started_at"] == pytest.approx(before["started_at"] + before["duration_ms"] / 1000)


def test_an_answer_tells_of_calls_that_nobody_else_tells_of() -> None:
    """A timeout counts as a failed call; a skipped one has its cause and counts as nothing."""
    results = (
        result(_TRACE, "a"),
        result(_TRACE, "b", "timeout", 500.0, ErrorCode.TOOL_TIMEOUT),
        result(_TRACE, "c", "skipped", 0.0),
    )
    rows = rows_of(answer(_TRACE, 1000.0, 1.0, status=Status.PARTIAL_SUCCESS, results=results), _HERE)
    calls = {row["step_id"]: row for row in rows["tool_calls"]}
    assert set(calls) == {"b", "c"}
    assert calls["c"]["cause"] == "a"
    assert calls["c"]["tool_call_id"]
    assert _point(rows["metric_points"], "tool_fail_rate")["tool_call_id"] == calls["b"]["tool_call_id"]
    assert _point(rows["metric_points"], "timeout_rate")["value"] == 1.0


def test_what_the_worker_says_outweighs_what_the_answer_says() -> None:
    """Both name the same call; the higher evidence stays."""
    heard = rows_of(answer(_TRACE, 1000.0, 1.0, results=(result(_TRACE, "b", "timeout"),)), _HERE)[
        "tool_calls"
    ][0]
    seen = rows_of(failed(_TRACE, "b", 1000.0, 0.5, ErrorCode.TOOL_TIMEOUT), _HERE)["tool_calls"][0]
    assert heard["tool_call_id"] == seen["tool_call_id"]
    assert heard["evidence"] < seen["evidence"]


def test_a_point_without_a_trace_is_known_by_where_it_lay() -> None:
    """Known tags become columns, the others stay tags."""
    point = MetricPoint(name="questions_read", value=3.0, at=5.0, tags={"worker": "w1", "reason": "x"})
    (row,) = rows_of(point, _HERE)["metric_points"]
    assert (row["subject"], row["reason"], row["tags"]) == ("ops.somewhere/2/17", "x", {"worker": "w1"})


def test_a_span_without_a_parent_hangs_on_the_root() -> None:
    """So that every span of a trace is in one tree."""
    span = SpanEnded(
        trace_id=_TRACE,
        tenant_id="acme",
        span_id="s",
        name="n",
        kind="k",
        status="ok",
        started_at=1.0,
        duration_ms=2.0,
    )
    assert rows_of(span, _HERE)["spans"][0]["parent_id"] == root_span(_TRACE)


def test_a_dead_letter_keeps_both_places() -> None:
    """Where the bad event lay, and where the letter about it lies."""
    (row,) = rows_of(letter(9, 1000.0), _HERE)["dead_letters"]
    assert (row["origin_topic"], row["origin_offset"], row["letter_offset"]) == ("ops.questions", 9, 17)
    assert (row["tenant_id"], row["code"]) == ("acme", "NOT_JSON")


def test_a_call_asked_for_leaves_nothing() -> None:
    """Its result tells all of it."""
    called = ToolCalled(
        trace_id=_TRACE,
        tenant_id="acme",
        user_id="u",
        roles=(),
        call_id="c",
        step_id="a",
        tool_id="t",
        tool_type="direct_query",
        kind="sql",
        params={},
        timeout_s=1.0,
        deadline_at=2.0,
        called_at=1.0,
    )
    assert rows_of(called, _HERE) == {}


@given(
    latency_s=st.floats(0, 120),
    asked_at=st.floats(1.7e9, 2e9),
    statuses=st.lists(st.sampled_from(["success", "error", "timeout", "skipped"]), max_size=4),
)
def test_the_same_event_gives_the_same_rows(latency_s: float, asked_at: float, statuses: list[str]) -> None:
    """Nothing but the event decides; whatever it is, it can be written, and each row knows its tenant."""
    results = tuple(result(_TRACE, f"s{i}", status) for i, status in enumerate(statuses))
    events: list[Event] = [
        plan_made(_TRACE, asked_at),
        answer(_TRACE, asked_at, latency_s, results=results),
        failed(_TRACE, "b", asked_at, latency_s, ErrorCode.TOOL_TIMEOUT),
    ]
    once = merge(rows_of(event, _HERE) for event in events)
    assert once == merge(rows_of(event, _HERE) for event in events)
    for rows in once.values():
        assert encode(rows).count(b"\n") >= len(rows) - 1
        assert all(row["tenant_id"] == "acme" for row in rows)
