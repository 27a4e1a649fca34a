"""Queries over known rows; every expected figure is worked out by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from schemas.answers import Status
from schemas.errors import ErrorCode
from schemas.events import Event
from schemas.plans import LlmUsage, PlanPatch, ReplanRecord, ReplanRequested, StepChange, StepFailure
from sinks.client import connect, insert
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.queries.dead_letters import list_dead_letters, show_dead_letter
from sinks.queries.slo import slo
from sinks.queries.trace import trace
from sinks.rows import Origin, merge, rows_of
from tests.support.road_events import answer, failed, letter, plan_failed, plan_made, result, succeeded


def _store(client: Client, events: list[Event]) -> None:
    for table, rows in merge(rows_of(event, Origin("t", 0, i)) for i, event in enumerate(events)).items():
        insert(client, table, rows)


def _five_answers(noon: float) -> list[Event]:
    """Latencies of 1, 2, 3, 4 and 5 s; the third degraded, the fourth with a timeout, the fifth replanned.

    Calls of 100, 200, 300 and 400 ms: one failed, one found nothing; and one of 500 ms that never reported.
    """
    names = [f"{number:032d}" for number in range(5)]
    return [
        answer(names[0], noon, 1.0),
        answer(names[1], noon, 2.0),
        answer(names[2], noon, 3.0, status=Status.DEGRADED, fallback=True),
        answer(
            names[3],
            noon,
            4.0,
            status=Status.PARTIAL_SUCCESS,
            results=(
                result(names[3], "a"),
                result(names[3], "b", "timeout", 500.0, ErrorCode.TOOL_TIMEOUT),
                result(names[3], "c", "skipped", 0.0),
            ),
        ),
        answer(names[4], noon, 5.0, replans=1),
        succeeded(names[0], "a", noon, 0.1),
        succeeded(names[3], "a", noon, 0.2),
        failed(names[1], "a", noon, 0.3, ErrorCode.UPSTREAM_UNAVAILABLE),
        failed(names[2], "a", noon, 0.4, ErrorCode.DATA_NOT_FOUND),
    ]


def test_the_nine_slo_metrics(client: Client, noon: float) -> None:
    """Quantiles interpolate between neighbours; rates are shares of answers, or of calls that ran."""
    events = _five_answers(noon)
    _store(client, events)
    _store(client, events)  # delivered twice

    report = slo(client, 3600, noon + 60)

    assert report.answers == 5
    assert report.answers_by_status == {"success": 3, "degraded": 1, "partial_success": 1}
    # 1..5 s: the median is the third; p95 lies 0.95 * 4 = 3.8 steps up, p99 3.96.
    assert report.latency_p50 == pytest.approx(3000)
    assert report.latency_p95 == pytest.approx(4800)
    assert report.latency_p99 == pytest.approx(4960)
    calls = report.tool_execution_latency
    assert calls is not None
    # 100, 200, 300, 400, 500 ms; the skipped one never ran.
    assert (calls.count, round(calls.p50), round(calls.p95), round(calls.p99)) == (5, 300, 480, 496)
    # The refused upstream and the call that never reported, of five; nothing found is no failure.
    assert report.tool_fail_rate == pytest.approx(2 / 5)
    assert report.fallback_rate == pytest.approx(1 / 5)
    assert report.replan_rate == pytest.approx(1 / 5)
    assert report.timeout_rate == pytest.approx(1 / 5)
    # Execution takes eight tenths of each answer.
    execution = report.stage_latency["execution"]
    assert (execution.count, round(execution.p50), round(execution.p95)) == (5, 2400, 3840)
    assert set(report.stage_latency) == {
        "planning",
        "tool_resolution",
        "execution",
        "aggregation",
        "response",
    }


def test_a_window_and_a_tenant_see_only_their_own(client: Client, noon: float) -> None:
    """What lies before the window or belongs to another tenant is not counted; nothing is not zero."""
    _store(
        client,
        [
            answer("a" * 32, noon, 1.0),
            answer("b" * 32, noon - 7200, 9.0),
            answer("c" * 32, noon, 3.0, tenant="other"),
        ],
    )

    assert slo(client, 3600, noon + 60).answers == 2
    assert slo(client, 10_800, noon + 60).answers == 3
    assert slo(client, 3600, noon + 60, tenant_id="other").latency_p50 == pytest.approx(3000)
    nobody = slo(client, 3600, noon + 60, tenant_id="nobody")
    assert (nobody.answers, nobody.latency_p50, nobody.tool_fail_rate) == (0, None, None)


def test_a_trace_from_end_to_end(client: Client, noon: float) -> None:
    """Two calls side by side, a third after them skipped: times count from the question."""
    name = "d" * 32
    _store(
        client,
        [
            plan_made(name, noon, planning_s=0.1),
            replace(
                succeeded(name, "a", noon + 0.1, 0.3),
                cached=True,
                lifted=("o@1",),
                waited_s=0.05,
                policy_version=2,
            ),
            failed(name, "b", noon + 0.15, 0.75, ErrorCode.TOOL_TIMEOUT),
            answer(
                name,
                noon,
                1.0,
                status=Status.PARTIAL_SUCCESS,
                results=(
                    result(name, "a"),
                    result(name, "b", "timeout", 750.0, ErrorCode.TOOL_TIMEOUT),
                    result(name, "c", "skipped", 0.0),
                ),
            ),
        ],
    )

    record = trace(client, name)

    assert record is not None
    assert record.answer is not None
    assert (record.tenant_id, record.answer["status"]) == ("acme", "partial_success")
    assert record.reasons == ("disk matches disk_usage",)
    by_step = {call.step_id: call for call in record.tool_calls}
    first, second, third = by_step["a"], by_step["b"], by_step["c"]
    assert (first.start_ms, first.end_ms, first.status, first.retry_count) == (100.0, 400.0, "success", 1)
    assert (second.start_ms, second.end_ms, second.status) == (150.0, 900.0, "timeout")
    assert (first.tool_asset_version, first.policy_version) == (4, 2)
    assert (first.cached, first.lifted, first.waited_ms) == (True, ("o@1",), 50.0)
    assert second.timeout_exceeded
    assert second.error_code == "TOOL_TIMEOUT"
    assert (third.status, third.cause) == ("skipped", "a")
    assert first.parallel
    assert second.parallel
    group = record.execution_groups[0]
    assert (group.group_index, group.parallel, group.start_ms, group.end_ms) == (0, True, 100.0, 1000.0)
    assert record.stages[0].stage_name == "planning"
    assert {stage.stage_name: stage.status for stage in record.stages} == {
        "planning": "ok",
        "tool_resolution": "ok",
        "execution": "warning",
        "aggregation": "ok",
        "response": "ok",
    }
    (root,) = record.spans
    assert (root.name, root.duration_ms, root.status) == ("answer", 1000.0, "warning")
    execution = next(span for span in root.children if span.name == "execution")
    assert [(span.name, span.parallel) for span in execution.children] == [("tool-a", True), ("tool-b", True)]


def test_a_trace_that_is_still_open_or_never_was(client: Client, noon: float) -> None:
    """Before the answer there is what is known so far; of an unknown trace there is nothing."""
    _store(client, [plan_made("e" * 32, noon), plan_failed("f" * 32, noon)])

    record = trace(client, "e" * 32)
    assert record is not None
    assert (record.answer, [stage.stage_name for stage in record.stages]) == (None, ["planning"])
    refused = trace(client, "f" * 32)
    assert refused is not None
    assert refused.stages[0].status == "error"
    assert trace(client, "0" * 32) is None


def test_another_tenants_trace_is_not_there(client: Client, noon: float) -> None:
    """Asking as a tenant finds nothing of anybody else's."""
    _store(client, [answer("a" * 32, noon, 1.0, tenant="other")])
    assert trace(client, "a" * 32, tenant_id="acme") is None
    assert trace(client, "a" * 32, tenant_id="other") is not None


def test_dead_letters_are_listed_newest_first_and_shown_with_their_bytes(client: Client, noon: float) -> None:
    """A list is short; one letter has what was sent, byte for byte."""
    _store(
        client,
        [letter(3, noon), letter(4, noon + 1, code=ErrorCode.NOT_UTF8), letter(5, noon, tenant="other")],
    )

    listed = list_dead_letters(client, 3600, noon + 60)
    assert [one.origin_offset for one in listed] == [4, 5, 3]
    assert listed[0].value is None
    assert [one.origin_offset for one in list_dead_letters(client, 3600, noon + 60, code="NOT_UTF8")] == [4]
    assert [one.tenant_id for one in list_dead_letters(client, 3600, noon + 60, tenant_id="other")] == [
        "other"
    ]
    assert len(list_dead_letters(client, 3600, noon + 60, limit=1)) == 1

    shown = show_dead_letter(client, "ops.questions", 1, 4)
    assert shown is not None
    assert (shown.letter_id, shown.value, shown.headers) == (
        "ops.questions/1/4",
        b"\xffno",
        (("tenant_id", b"acme"),),
    )
    assert show_dead_letter(client, "ops.questions", 1, 99) is None


def test_a_reader_is_enough_for_every_query(
    engine: EmbeddedClickHouse, client: Client, database: str, noon: float
) -> None:
    """Nothing that only looks needs to write."""
    _store(client, _five_answers(noon))
    reader = connect(engine.url, database, role="reader")
    assert slo(reader, 3600, noon + 60).answers == 5
    assert trace(reader, f"{0:032d}") is not None
    assert list_dead_letters(reader, 3600, noon + 60) == []


def test_the_record_of_a_trace_tells_when_it_was_planned_again(client: Client, noon: float) -> None:
    """The request is there at once; the decision takes its place, with what had which tool before and after."""
    name = f"{7:032d}"
    plan = plan_made(name, noon)
    failure = StepFailure(step_id="a", tool_ids=("tool-a",), code=ErrorCode.TOOL_TIMEOUT)
    common: dict[str, Any] = {
        "attempt": 1,
        "trigger": "timeout",
        "severity": "high",
        "reason": "step 'a' failed",
    }
    request = ReplanRequested(
        trace_id=name, tenant_id="acme", requested_at=noon + 2, plan=plan, failures=(failure,), **common
    )
    _store(client, [plan, request])

    found = trace(client, name)

    assert found is not None
    assert [(each.decision, each.trigger, each.requested_ms) for each in found.replans] == [
        ("pending", "timeout", 2000.0)
    ]

    change = StepChange(step_id="a", tool_before="tool-a", tool_after="tool-b", reason="same source")
    patch = PlanPatch(replaced=(change,))
    record = ReplanRecord(
        **common, failures=(failure,), requested_at=noon + 2, decided_at=noon + 2.5, patch=patch
    )
    _store(client, [replace(plan, attempt=1, patch=patch, replan_records=(record,))])

    found = trace(client, name)

    assert found is not None
    (replan,) = found.replans
    assert (replan.decision, replan.decided_ms) == ("changed", 2500.0)
    assert replan.patch is not None
    assert replan.patch["replaced"][0]["tool_after"] == "tool-b"
    assert replan.failures[0]["tool_ids"] == ["tool-a"]
    assert ("planning", 1, 500.0) in [
        (each.stage_name, each.attempt, each.duration_ms) for each in found.stages
    ]


def test_a_trace_tells_what_its_language_model_used(client: Client, noon: float) -> None:
    """Of its plan and of a call, each once however often the events came; nothing of another trace's."""
    name, other = "e" * 32, "f" * 32
    usage = LlmUsage(model="small", prompt_tokens=200, completion_tokens=40, latency_ms=1200.0, calls=2)
    call = succeeded(name, "a", noon, 0.1)
    facts = {
        "text": "Fine.",
        "model": "small",
        "prompt_tokens": 90,
        "completion_tokens": 9,
        "latency_ms": 80.5,
    }
    events: list[Event] = [
        replace(plan_made(name, noon), usage=usage),
        replace(call, tool_type="llm_tool", output=replace(call.output, facts=facts)),
        replace(plan_made(other, noon), usage=usage),
    ]
    _store(client, events)
    _store(client, events)

    record = trace(client, name)

    assert record is not None
    assert [
        (each.stage_name, each.model, each.calls, each.prompt_tokens, each.completion_tokens, each.latency_ms)
        for each in record.usage
    ] == [("planning", "small", 2, 200, 40, 1200.0), ("execution", "small", 2, 90, 9, 80.5)]
