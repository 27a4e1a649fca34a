"""Assets published beside a running worker, as any producer could."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from schemas.ids import trace_id
from schemas.plans import PlanKind, PlanMade, Step
from streams.codecs import Codec
from streams.schema_ids import FileIds
from tests.support.roadside import Roadside, now_s, step

TAKEN_WITHIN_S = 20.0


async def publish(
    road: Roadside, kind: str, asset_id: str, body: dict[str, Any] | None = None, **fields: Any
) -> int:
    """Publish a change to `ops.assets`; its version, which grows with the clock."""
    version = fields.pop("version", int(now_s() * 1000))
    event = {
        "event": "AssetChanged",
        "asset_id": asset_id,
        "kind": kind,
        "version": version,
        "status": "published",
        "body": body or {},
        "changed_at": datetime.now(UTC).isoformat(),
        "changed_by": "ann",
        "changed_by_role": "admin",
        "reason": "a test",
        **fields,
    }
    key = f"{kind}/{asset_id}@{version}".encode()
    await road.send("ops.assets", json.dumps(event).encode(), tenant=None, key=key, partition=0)
    return int(version)


async def publish_probe(road: Roadside, tool_id: str, policy_set: str, **fields: Any) -> None:
    """A tool of the probe pack that its policy of that set limits."""
    body = {
        "name": tool_id,
        "tool_type": "probe",
        "kind": "timeseries",
        "policy_set": policy_set,
        "max_concurrent_calls": 500,
        "rate_limit_per_minute": 1_000_000,
        **fields,
    }
    await publish(road, "tool", tool_id, body, pack_id="probe")


async def publish_policy(road: Roadside, policy_set: str, **fields: Any) -> int:
    """The probe pack's policy of a set; wide, but for `fields`."""
    body = {
        "policy_set": policy_set,
        "timeout_s": 30,
        "retries": 0,
        "calls_per_minute": 100_000,
        "calls_per_second": 10_000,
        "max_rows": 100,
        **fields,
    }
    return await publish(road, "policy", f"probe.{policy_set.lower()}", body, pack_id="probe")


async def until(happens: Callable[[], Awaitable[bool]], what: str) -> None:
    """Try again until it holds."""
    try:
        async with asyncio.timeout(TAKEN_WITHIN_S):
            while not await happens():
                pass
    except TimeoutError:
        raise AssertionError(f"not within {TAKEN_WITHIN_S} s: {what}") from None


async def outcome(road: Roadside, tool_id: str, **params: Any) -> dict[str, Any]:
    """What came of one call of a tool, as the answer says it."""
    answer = await road.answer(await road.ask(plan=[step("s", tool_id, **params)]))
    if not answer["results"]:
        return {"error_code": answer["error"]["code"], "success": False}
    result: dict[str, Any] = answer["results"][0]
    return result


async def published_tool(road: Roadside, tool_id: str) -> None:
    """Wait until a tool that was published can be called."""

    async def runs() -> bool:
        return bool((await outcome(road, tool_id, value=1))["success"])

    await until(runs, f"{tool_id} runs")


async def planned_beside_the_planner(road: Roadside, tool_id: str) -> dict[str, Any]:
    """The answer to a plan that no planner has looked at."""
    now, question_id = now_s(), f"beside-{uuid.uuid4().hex[:8]}"
    plan = PlanMade(
        trace_id=trace_id("acme", question_id),
        tenant_id="acme",
        question_id=question_id,
        user_id="u",
        roles=("viewer",),
        question="?",
        mode="all",
        kind=PlanKind.PLAN,
        asked_at=now,
        planned_at=now,
        deadline_at=now + 20,
        steps=(Step(step_id="s", tool_id=tool_id, tool_type="probe", kind="timeseries"),),
    )
    codec = Codec(FileIds.load())
    await road.send("ops.aggregation", codec.encode(plan), partition=road.home(question_id))
    return await road.answer(question_id)
