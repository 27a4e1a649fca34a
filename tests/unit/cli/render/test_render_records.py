"""SLO tables, traces, sparklines and errors as a terminal shows them."""

import io
from datetime import UTC, datetime

import pytest
from rich.console import Console, RenderableType

from cli.render.errors import exit_code_of, fail
from cli.render.figures import sparkline
from cli.render.slo import render_slo
from cli.render.trace import render_trace
from schemas.answers import Status


def shown(part: RenderableType, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(part)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_slo_shows_the_nine_metrics_by_their_exact_names() -> None:
    """Latencies in ms become words, rates percentages, what was not measured a dash."""
    report = {
        "since_s": 3600.0,
        "tenant_id": None,
        "answers": 1234,
        "answers_by_status": {"success": 1200, "partial_success": 34},
        "latency_p50": 120.0,
        "latency_p95": 950.0,
        "latency_p99": 3100.0,
        "tool_execution_latency": {"p50": 8.0, "p95": 80.0, "p99": 800.0, "count": 4000},
        "stage_latency": {"planning": {"p50": 2.0, "p95": 3.0, "p99": 4.0, "count": 1234}},
        "tool_fail_rate": 0.0123,
        "fallback_rate": 0.0,
        "replan_rate": None,
        "timeout_rate": 0.5,
    }

    lines = shown(render_slo(report)).splitlines()

    assert lines[:2] == ["1,234 answers in the last 1 h, all tenants", "success 1,200 · partial success 34"]
    by_name = {line.split()[0]: line.split()[1:] for line in lines[4:] if line.strip()}
    assert by_name["latency_p50"][:2] == ["120", "ms"]
    assert by_name["latency_p99"][:2] == ["3.1", "s"]
    assert by_name["tool_execution_latency"][:7] == ["8", "ms", "80", "ms", "800", "ms", "4,000"]
    assert by_name["planning"][:2] == ["2", "ms"]
    assert [
        by_name[name][0] for name in ("tool_fail_rate", "fallback_rate", "replan_rate", "timeout_rate")
    ] == [
        "1.2%",
        "0%",
        "–",
        "50%",
    ]
    assert max(map(len, lines)) <= 80


def test_slo_of_an_empty_window_says_so() -> None:
    """No answers, nine dashes."""
    text = shown(render_slo({"since_s": 60.0, "tenant_id": "acme", "answers": 0}))

    assert text.startswith("0 answers in the last 1 min, tenant acme")
    assert text.count("–") == 8


def test_trace_says_what_the_guards_had_to_do_with_a_call() -> None:
    """Versions in force, how long it waited, that it was remembered, and which override let it past a block."""
    call = {
        "tool_name": "db",
        "start_ms": 0.0,
        "end_ms": 50.0,
        "duration_ms": 50.0,
        "status": "success",
        "execution_group_index": 0,
        "tool_asset_version": 3,
        "policy_version": 2,
        "cached": True,
        "lifted": ("friday@2",),
        "waited_ms": 1500.0,
    }
    record = {
        "trace_id": "t1",
        "tenant_id": "acme",
        "started_at": datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        "tool_calls": (call,),
    }

    text = shown(render_trace(record), width=120)

    for words in ("3, policy 2", "waited 1.5 s", "remembered", "lifted by friday@2"):
        assert words in text


def test_trace_shows_when_each_call_ran() -> None:
    """Bars side by side, outcome and cause, phases and spans."""
    call = {
        "tool_name": "Host config",
        "tool_asset_id": "host_config",
        "start_ms": 0.0,
        "end_ms": 50.0,
        "duration_ms": 50.0,
        "status": "success",
        "error_code": None,
        "retry_count": 0,
        "execution_group_index": 0,
        "cause": None,
    }
    hung = {**call, "tool_name": "Metrics", "start_ms": 50.0, "end_ms": 100.0, "status": "timeout"}
    span = {"name": "question", "duration_ms": 100.0, "status": "ok", "error_code": None, "children": ()}
    record = {
        "trace_id": "t1",
        "tenant_id": "acme",
        "started_at": datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC),
        "answer": {"status": "partial_success", "question": "how full?", "text": "90% [1]"},
        "reasons": ("best match",),
        "tool_calls": (call, {**hung, "error_code": "TOOL_TIMEOUT", "retry_count": 1}),
        "stages": (
            {"stage_name": "tool_resolution", "status": "ok", "duration_ms": 1.0, "budget_ms": 60000.0},
        ),
        "spans": ({**span, "children": ({**span, "name": "planning"},)},),
        "usage": (
            {
                "model": "small",
                "stage_name": "planning",
                "calls": 2,
                "prompt_tokens": 1204,
                "completion_tokens": 96,
                "latency_ms": 1200.0,
            },
        ),
    }

    text = shown(render_trace(record))

    assert "planning: small, 2 calls, 1,204 tokens in, 96 out, 1.2 s" in text

    assert text.startswith(
        "◐ partial success  how full?\ntrace t1 · tenant acme · asked 2026-09-21 14:13:20 UTC\n"
    )
    assert "██████████··········" in text
    assert "··········██████████" in text
    assert "timeout · TOOL_TIMEOUT" in text
    assert "tool resolution" in text
    assert "└── planning 100 ms ok" in text


def test_trace_without_an_answer_is_shown_as_far_as_it_is_known() -> None:
    """A running question has no answer yet."""
    record = {
        "trace_id": "t1",
        "tenant_id": "acme",
        "started_at": datetime(2026, 1, 1, tzinfo=UTC),
        "answer": None,
    }

    assert shown(render_trace(record)).splitlines()[0] == "no answer yet"


@pytest.mark.parametrize(
    ("values", "bars"),
    [
        ([], ""),
        ([5.0], "▄"),
        ([1.0, 1.0], "▄▄"),
        ([0.0, 7.0], "▁█"),
        ([float(n) for n in range(8)], "▁▂▃▄▅▆▇█"),
    ],
)
def test_sparkline_spans_from_lowest_to_highest(values: list[float], bars: str) -> None:
    """Equal values have no height to show."""
    assert sparkline(values) == bars


def test_sparkline_keeps_its_width() -> None:
    """More values than bars share them."""
    assert len(sparkline([float(n) for n in range(1000)], 30)) == 30


def test_failure_is_one_sentence_and_a_hint() -> None:
    """On its console, inert, with the exit code asked for."""
    stream = io.StringIO()

    with pytest.raises(SystemExit) as left:
        fail(
            "No broker at [127.0.0.1:9092]\x1b[31m.", "Start one: opsloom up", 5, console=Console(file=stream)
        )

    assert left.value.code == 5
    assert stream.getvalue() == "error: No broker at [127.0.0.1:9092].\nhint: Start one: opsloom up\n"


def test_exit_code_tells_the_status() -> None:
    """0 success, 3 partial or degraded, 4 failed."""
    assert [exit_code_of(status) for status in Status] == [0, 3, 3, 4]
