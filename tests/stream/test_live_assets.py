"""Assets change while a worker runs, and the next call meets them: no restart, on the only path there is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.live_assets import (
    outcome,
    planned_beside_the_planner,
    publish,
    publish_policy,
    publish_probe,
    published_tool,
    until,
)
from tests.support.roadside import Roadside

REFUSING = {"calls_per_minute": 1, "over_limit": "refuse"}


async def test_policy_that_changes_holds_for_the_next_call(road: Roadside) -> None:
    """A tool that may be called at will may be called once a minute, and at will again."""
    await publish_policy(road, "HTTP")
    await publish_probe(road, "live_limited", "HTTP")
    await published_tool(road, "live_limited")

    await publish_policy(road, "HTTP", **REFUSING)

    async def limited() -> bool:
        return (await outcome(road, "live_limited", value=1))["error_code"] == "RATE_LIMITED"

    await until(limited, "the limit holds")
    refused = await outcome(road, "live_limited", value=1)
    assert "1 a minute" in refused["error"]
    assert refused["error_details"]["details"]["remaining_minute"] == 0
    assert 0 < refused["error_details"]["details"]["retry_after_s"] <= 61

    await publish_policy(road, "HTTP")
    await published_tool(road, "live_limited")


async def test_results_say_under_which_version_of_the_policy_they_were_made(road: Roadside) -> None:
    """Each decision can be traced to the policy it was made under."""
    await publish_probe(road, "live_versioned", "GRAPH")
    version = await publish_policy(road, "GRAPH")

    async def applied() -> bool:
        answer = await road.answer(
            await road.ask(plan=[{"step_id": "s", "tool_id": "live_versioned", "params": {"value": 1}}])
        )
        found = [each for each in answer["applied_assets"] if each["kind"] == "policy"]
        return [each["version"] for each in found] == [version]

    await until(applied, "the answer names the version")


async def test_override_lifts_a_limit_until_it_expires(road: Roadside) -> None:
    """For its tool and tenant alone, and not a moment longer."""
    await publish_policy(road, "HTTP", **REFUSING)
    await publish_probe(road, "live_lifted", "HTTP")
    await until_limited(road, "live_lifted")

    ends_at = datetime.now(UTC) + timedelta(seconds=6)
    body = {
        "lifts": ["rate_limit"],
        "tool": "live_lifted",
        "tenant": "acme",
        "reason": "an incident",
        "expires_at": ends_at.isoformat(),
    }
    await publish(road, "override", "let-acme", body)

    await published_tool(road, "live_lifted")
    results = [await outcome(road, "live_lifted", value=n) for n in range(3)]
    assert all(result["success"] for result in results)
    await until_limited(road, "live_lifted")
    assert datetime.now(UTC) >= ends_at


async def until_limited(road: Roadside, tool_id: str) -> None:
    async def limited() -> bool:
        return (await outcome(road, tool_id, value=1)).get("error_code") == "RATE_LIMITED"

    await until(limited, f"{tool_id} is limited")


async def test_tool_that_is_unpublished_fails_what_was_planned_with_it(road: Roadside) -> None:
    """A plan made before: the call ends in ASSET_LOAD_FAILED. A plan made after: there is no such tool. And back."""
    await publish_policy(road, "GRAPH")
    await publish_probe(road, "live_withdrawn", "GRAPH")
    await published_tool(road, "live_withdrawn")

    await publish(road, "tool", "live_withdrawn", status="deleted")

    async def withdrawn() -> bool:
        return (await outcome(road, "live_withdrawn", value=1))["error_code"] == "PLAN_INVALID"

    await until(withdrawn, "the planner does not know it")
    answer = await planned_beside_the_planner(road, "live_withdrawn")
    assert answer["results"][0]["error_code"] == "ASSET_LOAD_FAILED"

    await publish_probe(road, "live_withdrawn", "GRAPH")
    await published_tool(road, "live_withdrawn")


async def test_changes_that_do_not_fit_stop_nothing(road: Roadside) -> None:
    """Rubbish, a policy without limits, a tool of no source: counted, and the last good version stays."""
    await publish_policy(road, "HTTP")
    await publish_probe(road, "live_steady", "HTTP")
    await published_tool(road, "live_steady")
    before = road.counted("asset_changes_refused")

    await road.send("ops.assets", b"\xff not JSON", tenant=None, key=b"x", partition=0)
    await publish(road, "policy", "probe.http", {"policy_set": "HTTP"}, pack_id="probe")
    await publish(
        road, "tool", "live_steady", {"name": "x", "tool_type": "probe", "kind": "sql", "source": "gone"}
    )
    await publish(road, "tool", "live_steady", {"name": "old"}, version=1)

    await road.until(lambda: road.counted("asset_changes_refused") >= before + 4, "all four are counted")
    assert (await outcome(road, "live_steady", value=1))["success"]
