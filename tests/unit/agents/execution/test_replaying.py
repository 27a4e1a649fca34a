"""Recorded calls under a changed policy, each figure worked out by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agents.execution.recorded import RecordedCall, scripts_of
from agents.execution.replay_figures import ToolFigures, figures_of
from agents.execution.replaying import Replay
from agents.execution.virtual_time import Stalled, VirtualLoop, run_in_virtual_time
from registry.assembly import Entry
from registry.assets import Parameter, PolicyAsset, SourceAsset, TemplateAsset, ToolAsset
from registry.registry import Registry
from schemas.errors import ErrorCode
from schemas.questions import Mode

AT = 1_800_000_000.0
WIDE = {"timeout_s": 30, "retries": 1, "calls_per_minute": 1_000, "calls_per_second": 100, "max_rows": 100}


def world(**fields: Any) -> Registry:
    """One SQL tool, its source, a template each for tickets and salaries, and one policy."""
    policy = PolicyAsset.model_validate(
        {"id": "p", "version": fields.pop("version", 1), "policy_set": "SQL", **WIDE, **fields}
    )
    tables = {"tickets": ["id", "tenant_id"], "salaries": ["id", "tenant_id"]}
    assets = (
        policy,
        SourceAsset(id="db", engine="sqlite", location="x", tenant_column="tenant_id", tables=tables),
        ToolAsset(
            id="sql",
            name="SQL",
            tool_type="direct_query",
            kind="sql",
            source="db",
            rate_limit_per_minute=1_000,
            timeout_seconds=60,
            max_rows=1_000,
            max_concurrent_calls=50,
        ),
        *(
            TemplateAsset(
                id=f"list.{table}",
                title=table,
                tool="sql",
                mode=Mode.CONFIG,
                examples=(f"list {table}",),
                statement=f"SELECT id FROM {table} WHERE id = :which",
                parameters={"which": Parameter(type="integer", resolver="number")},
            )
            for table in tables
        ),
    )
    return Registry([Entry(asset, "") for asset in assets])


def call(number: int, at_s: float, took_s: float = 0.1, **fields: Any) -> RecordedCall:
    given = {"tool_id": "sql", "tenant_id": "acme", "deadline_at": AT + at_s + 50, **fields}
    return RecordedCall(call_id=f"c{number}", started_at=AT + at_s, ended_at=AT + at_s + took_s, **given)


def replayed(calls: list[RecordedCall], before: Registry, after: Registry) -> ToolFigures:
    (row,) = figures_of(Replay(before, after, calls).run())
    return row


def test_a_tighter_limit_that_refuses_lets_so_many_through_and_no_more() -> None:
    """Twenty calls in a second, five a second allowed: five pass and fifteen are refused; before, all passed."""
    calls = [call(number, number * 0.05) for number in range(20)]

    row = replayed(calls, world(), world(version=2, calls_per_second=5, over_limit="refuse"))

    assert (row.before.allowed, row.before.rate_limited) == (20, 0)
    assert (row.after.allowed, row.after.rate_limited) == (5, 15)
    assert (row.as_recorded, row.estimated) == (20, 0)


def test_a_tighter_limit_that_waits_says_how_long() -> None:
    """Ten calls at once, five a second: five begin at once, five 1.01 s later (a start counts 10 ms longer)."""
    calls = [call(number, 0.0) for number in range(10)]

    row = replayed(calls, world(), world(version=2, calls_per_second=5))

    assert (row.after.allowed, row.after.waited) == (10, 5)
    assert row.after.longest_wait_s == pytest.approx(1.01, abs=0.005)
    assert row.after.waited_s == pytest.approx(5.05, abs=0.02)
    assert row.before.waited == 0


def test_a_shorter_timeout_cuts_off_what_took_longer() -> None:
    """Of calls of 1, 2, … 6 s, three take longer than 3.5 s; each is tried once more, as the policy says."""
    calls = [call(number, number * 20.0, float(number)) for number in range(1, 7)]

    row = replayed(calls, world(), world(version=2, timeout_s=3.5, breaker_failures=50))

    assert (row.before.timed_out, row.after.timed_out, row.after.allowed) == (0, 3, 6)
    assert row.after.retries == 3


def test_a_breaker_that_opens_sooner_sends_calls_away() -> None:
    """Ten failures a second apart, no retries: after two the breaker rests for 60 s."""
    down = {"code": ErrorCode.UPSTREAM_UNAVAILABLE}
    calls = [call(number, float(number), **down) for number in range(10)]
    before = world(retries=0, breaker_failures=50)

    row = replayed(calls, before, world(version=2, retries=0, breaker_failures=2))

    assert (row.before.failed, row.before.circuit_open) == (10, 0)
    assert (row.after.failed, row.after.circuit_open) == (2, 8)


def test_fewer_retries_fail_what_worked_at_the_second_try() -> None:
    """A call of 2 s with one retry took 1 s a try."""
    calls = [call(1, 0.0, 2.0, retries=1)]

    row = replayed(calls, world(), world(version=2, retries=0))

    assert (row.before.failed, row.before.retries) == (0, 1)
    assert (row.after.failed, row.after.retries, row.after.allowed) == (1, 0, 1)


def test_a_smaller_cap_cuts_rows_and_a_larger_one_admits_not_to_know() -> None:
    """Fifty rows under a cap of 20 are cut; a result that was cut at 100 may have had any number."""
    calls = [call(1, 0.0, row_count=50), call(2, 1.0, row_count=100, truncated=True)]

    smaller = replayed(calls, world(), world(version=2, max_rows=20))
    larger = replayed(calls, world(), world(version=2, max_rows=500))

    assert (smaller.before.cut, smaller.after.cut) == (1, 2)
    assert (larger.after.cut, larger.rows_unknown) == (0, 1)


def test_tables_denied_are_told_by_the_templates_statement() -> None:
    """The guard judges; of a query of its own nobody knows which tables it asked."""
    calls = [
        call(1, 0.0, query="list.salaries(which=1)"),
        call(2, 1.0, query="list.tickets(which=1)"),
        call(3, 2.0, query="sql(a query of its own)"),
    ]

    row = replayed(calls, world(), world(version=2, deny_tables=("salaries",)))

    assert (row.newly_denied, row.after.denied, row.after.allowed, row.tables_unknown) == (1, 1, 2, 1)
    assert row.before.denied == 0


def test_a_call_that_was_refused_takes_its_tools_median_time() -> None:
    """Calls of 1 and 3 s ran, so the refused one is taken for 2 s; it works, as the one before it did."""
    refused = call(3, 30.0, 0.0, code=ErrorCode.RATE_LIMITED)

    script = scripts_of([call(1, 0.0, 1.0), call(2, 10.0, 3.0), refused], {"sql": 9.0})["c3"]

    assert script.estimated
    assert script.tries == ((2.0, None),)


def test_a_call_that_met_an_open_breaker_fails_as_the_one_before_it() -> None:
    """Whoever lengthens nothing but closes the breaker sooner sees the tool go on failing until one is seen to work."""
    down = call(1, 0.0, 0.5, code=ErrorCode.UPSTREAM_UNAVAILABLE)
    sent_away = call(2, 5.0, 0.0, code=ErrorCode.CIRCUIT_OPEN)
    works = call(3, 100.0, 0.2)
    sent_away_later = call(4, 101.0, 0.0, code=ErrorCode.CIRCUIT_OPEN)

    scripts = scripts_of([down, sent_away, works, sent_away_later], {})

    assert scripts["c2"].tries[0].code is ErrorCode.UPSTREAM_UNAVAILABLE
    assert scripts["c4"].tries[0].code is None


def test_a_wider_limit_lets_the_refused_in() -> None:
    """Six calls in a second under five a second: one was refused, and would not be under ten."""
    calls = [call(number, number * 0.1) for number in range(5)]
    calls.append(call(5, 0.5, 0.0, code=ErrorCode.RATE_LIMITED))
    tight = world(calls_per_second=5, over_limit="refuse")

    row = replayed(calls, tight, world(version=2, calls_per_second=10))

    assert (row.before.rate_limited, row.after.rate_limited) == (1, 0)
    assert (row.after.allowed, row.estimated, row.as_recorded) == (6, 1, 6)


def test_what_was_refused_before_the_turnstile_stays_refused_and_asks_nothing_of_the_limit() -> None:
    """Five refused by the guard and five that ran, five a second."""
    calls = [call(number, 0.0, 0.0, code=ErrorCode.SQL_BLOCKED) for number in range(5)]
    calls += [call(number, 0.1) for number in range(5, 10)]

    row = replayed(calls, world(), world(version=2, calls_per_second=5, over_limit="refuse"))

    assert (row.after.refused, row.after.allowed, row.after.rate_limited) == (5, 5, 0)


def test_a_call_that_waited_came_before_it_began() -> None:
    """Recorded from when its tool began: it came two seconds earlier, and under a wider limit begins then."""
    waited = call(1, 2.0, 1.0, waited_s=2.0)

    assert waited.came_at == AT
    assert waited.try_s == pytest.approx(1.0)


def test_remembered_results_run_when_nothing_is_remembered_any_more() -> None:
    """A ttl of 0 sends each of them to the tool."""
    calls = [call(1, 0.0), call(2, 1.0, 0.0, cached=True)]

    row = replayed(calls, world(cache_ttl_s=30), world(version=2, cache_ttl_s=0))

    assert (row.before.remembered, row.before.allowed) == (1, 1)
    assert (row.after.remembered, row.after.allowed) == (0, 2)


def test_a_day_of_waiting_takes_no_time_and_waiting_for_nothing_is_said() -> None:
    """The clock jumps; what never ends is an error and no hang."""
    loop = VirtualLoop(AT)
    run_in_virtual_time(loop, asyncio.sleep(86_400))
    assert loop.time() == pytest.approx(AT + 86_400)

    other = VirtualLoop(AT)

    async def for_ever() -> None:
        await other.create_future()

    with pytest.raises(Stalled):
        run_in_virtual_time(other, for_ever())
