"""Limits and breakers on the road: exact over all workers, and they outlive the worker that holds them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest

from streams.followed import Followed
from tests.support.live_assets import (
    outcome,
    publish_policy,
    publish_probe,
    published_tool,
    until,
)
from tests.support.roadside import Roadside, step
from tests.support.workers import Fleet

QUICK_TAKEOVER = {"session_timeout_s": 6.0, "heartbeat_s": 0.5}
RESULTS = ("ops.aggregation",)


def starts(road: Roadside, tool_id: str) -> list[float]:
    """When each call of a tool began, by the results on the road."""
    events = [
        event
        for name in ("ToolSucceeded", "ToolFailed")
        for event in road.events("ops.aggregation", name)
        if event["tool_id"] == tool_id and (event.get("error") or {}).get("code") is None
    ]
    return sorted({event["call_id"]: float(event["started_at"]) for event in events}.values())


def most_in(window_s: float, moments: list[float]) -> int:
    """The largest number of moments in any window of this length."""
    return max(
        (sum(first <= moment < first + window_s for moment in moments) for first in moments), default=0
    )


async def test_breaker_opens_probes_and_closes(road: Roadside) -> None:
    """Three failures open it, the rest ends, a good probe closes it; each change is told as it happens."""
    await publish_policy(road, "GRAPH", breaker_failures=3, breaker_reset_s=2.0, breaker_successes=1)
    await publish_probe(road, "live_breaker", "GRAPH")
    await published_tool(road, "live_breaker")

    failing = [await outcome(road, "live_breaker", fail_code="UPSTREAM_UNAVAILABLE") for _ in range(3)]
    refused = await outcome(road, "live_breaker", value=1)

    assert {each["error_code"] for each in failing} == {"UPSTREAM_UNAVAILABLE"}
    assert refused["error_code"] == "CIRCUIT_OPEN"
    assert 0 < refused["error_details"]["details"]["retry_after_s"] <= 2.0

    await published_tool(road, "live_breaker")
    assert (await outcome(road, "live_breaker", value=1))["success"]

    def changes() -> list[tuple[str, str]]:
        found = road.events("ops.telemetry", "MetricPoint")
        return [
            (point["tags"]["from_state"], point["tags"]["to_state"])
            for point in found
            if point["name"] == "circuit_breaker_state_changes_total"
            and point["tags"]["service"] == "live_breaker"
        ]

    await road.until(lambda: bool(changes()) and changes()[-1][1] == "closed", "it is told to have closed")
    assert changes()[0] == ("closed", "open")


async def test_loud_tenant_does_not_keep_a_quiet_one_waiting(road: Roadside) -> None:
    """Sixty calls of one wait for a limit of ten a second; two of another do not wait behind them."""
    await publish_policy(road, "HTTP", calls_per_second=10)
    await publish_probe(road, "live_shared", "HTTP")
    await published_tool(road, "live_shared")
    await asyncio.gather(
        road.answer(await road.ask(tenant="globex", plan=[step("s", "live_shared", value=1)]), "globex")
    )

    loud = await road.ask_many(60, "loud", plan=[step("s", "live_shared", value=1)])
    await road.until(lambda: any(road.count(each) for each in loud), "the loud one is being served")
    quiet = [await road.ask(tenant="globex", plan=[step("s", "live_shared", value=n)]) for n in range(2)]
    await road.answers(quiet, tenant="globex")
    served = sum(road.count(each) for each in loud)

    assert served < 45
    assert {answer["status"] for answer in await road.answers(loud)} == {"success"}


async def test_limits_and_breakers_outlive_a_worker_that_was_killed(fleet: Fleet) -> None:
    """Ten a second before, across and after the kill, in every window; and a tool that rests goes on resting."""
    await asyncio.to_thread(fleet.started, "w0", **QUICK_TAKEOVER)
    async with Roadside(fleet.broker, fleet.topic_prefix, also=RESULTS) as road:
        await publish_policy(road, "HTTP", calls_per_second=10)
        await publish_policy(road, "GRAPH", breaker_failures=2, breaker_reset_s=600.0)
        await publish_probe(road, "live_killed", "HTTP")
        await publish_probe(road, "live_resting", "GRAPH")
        await published_tool(road, "live_killed")
        await published_tool(road, "live_resting")

        async def rests() -> bool:
            tried = await outcome(road, "live_resting", fail_code="UPSTREAM_UNAVAILABLE")
            return bool(tried["error_code"] == "CIRCUIT_OPEN")

        await until(rests, "the breaker is open")
        asked = await road.ask_many(60, "kill", plan=[step("s", "live_killed", value=1)])
        await road.until(lambda: sum(road.count(each) for each in asked) >= 20, "twenty are answered")
        fleet.workers[0].kill()
        await asyncio.to_thread(fleet.started, "w0", **QUICK_TAKEOVER)

        answers = await road.answers(asked, within_s=100)

        assert {answer["status"] for answer in answers} == {"success"}
        assert most_in(1.0, starts(road, "live_killed")) <= 10
        assert (await outcome(road, "live_resting", value=1))["error_code"] == "CIRCUIT_OPEN"


@pytest.mark.kafka
async def test_limit_is_exact_over_workers_that_come_and_go(fleet: Fleet) -> None:
    """Two workers, one of which joins and one of which is killed under load: never more than the limit a second."""
    await asyncio.to_thread(fleet.started, "w0", **QUICK_TAKEOVER)
    async with Roadside(fleet.broker, fleet.topic_prefix, also=RESULTS) as road:
        tools = [f"live_fleet_{n}" for n in range(4)]
        await publish_policy(road, "HTTP", calls_per_second=10, calls_per_minute=1_000)
        for tool_id in tools:
            await publish_probe(road, tool_id, "HTTP")
        for tool_id in tools:
            await published_tool(road, tool_id)
        plan = [step(tool_id, tool_id, value=1) for tool_id in tools]

        asked = await road.ask_many(100, "joins", plan=plan)
        await asyncio.to_thread(fleet.started, "w1", **QUICK_TAKEOVER)
        asked += await road.ask_many(100, "both", plan=plan)
        await road.until(lambda: sum(road.count(each) for each in asked) >= 60, "sixty are answered")
        fleet.workers[0].kill()

        answers = await road.answers(asked, within_s=110)

        assert {answer["status"] for answer in answers} == {"success"}
        for tool_id in tools:
            assert most_in(1.0, starts(road, tool_id)) <= 10


async def wait_for_shards(road: Roadside, tool_id: str, shards: int) -> None:
    """Until the planner divides the tool: its calls bear keys of their own."""

    async def divided() -> bool:
        await outcome(road, tool_id, value=0)
        keys = {record.key for record in road.records["ops.tool-calls.timeseries"]}
        return any(key.startswith(f"{tool_id}#".encode()) for key in keys if key)

    await until(divided, f"{tool_id} is in {shards} parts")


@pytest.mark.kafka
async def test_shards_of_a_tool_run_on_two_workers_within_its_one_limit(fleet: Fleet) -> None:
    """Sixteen parts, thirty-two starts a second: both workers run calls, and together never more than the limit."""
    followed = (*RESULTS, "ops.tool-calls.timeseries")
    for name in ("w0", "w1"):
        await asyncio.to_thread(fleet.started, name, **QUICK_TAKEOVER)
    async with Roadside(fleet.broker, fleet.topic_prefix, also=followed) as road:
        await publish_policy(road, "HTTP", calls_per_second=32, calls_per_minute=10_000)
        await publish_probe(road, "live_hot", "HTTP", shards=16)
        await published_tool(road, "live_hot")
        await wait_for_shards(road, "live_hot", 16)

        asked = await road.ask_many(200, "hot", plan=[step("s", "live_hot", value=1)])
        answers = await road.answers(asked, within_s=60)

        async def both() -> bool:
            return await _workers_of(fleet, "live_hot") == {"w0", "w1"}

        await until(both, "both say how their parts do")
        assert {answer["status"] for answer in answers} == {"success"}
        assert most_in(1.0, starts(road, "live_hot")) <= 32
        keys = {record.key for record in road.records["ops.tool-calls.timeseries"]} - {b"live_hot"}
        assert keys == {f"live_hot#{number}".encode() for number in range(16)}


async def _workers_of(fleet: Fleet, tool_id: str) -> set[str]:
    """Who ran a tool's calls, by their words on its health."""
    words: list[dict[str, Any]] = []

    def take(records: Sequence[Any]) -> None:
        words.extend(json.loads(record.value) for record in records if record.value)

    followed = Followed(fleet.broker, f"{fleet.topic_prefix}ops.tool-health", take)
    try:
        await followed.catch_up()
    finally:
        await followed.close()
    return {word["worker"] for word in words if word["tool_id"] == tool_id and word["calls"]}
