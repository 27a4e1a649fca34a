"""Remembered results: whose they are, how old they may be, and that identical calls run once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.tool import Invocation, Parameters
from registry.assets import PolicyAsset, ToolAsset
from registry.registry import Registry
from schemas.calls import Shape, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, OpsError, ops_error
from tests.support.execution_stores import NOW, call

Result = ToolSucceeded | ToolFailed


class Counting:
    """Counts its runs; waits for `gate` when there is one."""

    tool_type = "counting"
    statement_field = None

    class parameters(Parameters):  # the protocol's name
        n: int = 0

    def __init__(self) -> None:
        self.runs = 0
        self.gate: asyncio.Event | None = None
        self.fails = False

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        self.runs += 1
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            return ops_error(ErrorCode.TOOL_BAD_REQUEST)
        return ToolOutput(shape=Shape.FACTS, facts={"run": self.runs}, read_at=NOW)

    async def close(self) -> None:
        """Nothing to release."""


class House:
    """An execution over one counting tool, with a clock to turn."""

    def __init__(self, ttl_s: float = 60.0, **fields: Any) -> None:
        self.now = NOW
        self.adapter = Counting()
        policy = PolicyAsset(
            id="p",
            policy_set="DEFAULT",
            timeout_s=5,
            retries=0,
            calls_per_minute=1_000,
            calls_per_second=1_000,
            max_rows=10,
            cache_ttl_s=ttl_s,
        )
        given = {"capability_type": "search", "tool_type": "counting", "kind": "mcp", **fields}
        self.tool = ToolAsset(id="t", name="t", **given)
        self.registry = Registry.of(default_policies=(policy,)).register(self.tool)
        self.execution = Execution(self.registry, {"counting": self.adapter}, lambda: self.now)

    async def ask(self, tenant: str = "acme", **fields: Any) -> Result:
        params = fields.pop("params", {"n": 1})
        return await self.execution.run(call("t", params, now=self.now, tenant_id=tenant, **fields))


async def test_same_call_is_answered_from_memory_and_says_so() -> None:
    """`read_at` stays that of the one real run."""
    house = House()
    first = await house.ask()
    house.now += 59
    second = await house.ask()

    assert isinstance(first, ToolSucceeded)
    assert isinstance(second, ToolSucceeded)
    assert (first.cached, second.cached, house.adapter.runs) == (False, True, 1)
    assert second.output == first.output


@pytest.mark.parametrize(
    "other",
    [{"tenant": "globex"}, {"params": {"n": 2}}, {"max_rows": 3}, {"no_cache": True}],
    ids=["tenant", "parameters", "row cap", "asked to run"],
)
async def test_another_call_is_run(other: dict[str, Any]) -> None:
    """Above all another tenant's."""
    house = House()
    await house.ask()

    assert not getattr(await house.ask(**other), "cached", True)
    assert house.adapter.runs == 2


async def test_what_is_too_old_is_run_again() -> None:
    house = House(ttl_s=60)
    await house.ask()
    house.now += 60

    assert not getattr(await house.ask(), "cached", True)


async def test_new_version_of_an_asset_forgets_what_the_old_one_found() -> None:
    house = House()
    await house.ask()

    newer = house.registry.register(house.tool.model_copy(update={"version": 2}))
    house.execution.adopt(newer, {"counting": house.adapter})

    assert not getattr(await house.ask(), "cached", True)


@pytest.mark.parametrize("capability", ["read_write", "append_only", "api_call"])
async def test_tool_that_may_write_is_run_each_time(capability: str) -> None:
    """Whatever the policy says."""
    house = House(capability_type=capability)
    await house.ask()

    assert not getattr(await house.ask(), "cached", True)


async def test_nothing_is_remembered_unless_the_policy_says_how_long() -> None:
    house = House(ttl_s=0)
    await house.ask()

    assert not getattr(await house.ask(), "cached", True)


async def test_identical_calls_at_once_run_once() -> None:
    house = House()
    house.adapter.gate = asyncio.Event()
    calls = [asyncio.create_task(house.ask()) for _ in range(5)]
    await asyncio.sleep(0)
    house.adapter.gate.set()

    results = await asyncio.gather(*calls)

    assert house.adapter.runs == 1
    assert sorted(getattr(result, "cached", None) for result in results) == [False] + [True] * 4


async def test_failure_is_not_shared() -> None:
    """It may have been the other call's own: each tries for itself, and nothing is remembered."""
    house = House()
    house.adapter.fails, house.adapter.gate = True, asyncio.Event()
    calls = [asyncio.create_task(house.ask()) for _ in range(3)]
    await asyncio.sleep(0)
    house.adapter.gate.set()

    results = await asyncio.gather(*calls)

    assert all(isinstance(result, ToolFailed) for result in results)
    assert house.adapter.runs == 3
