"""The path from a call to a result: its order, its limits, its retries."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.execution.execution import Execution
from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.probe import Probe
from registry.assets import PolicyAsset, SourceAsset, ToolAsset
from registry.defaults import DEFAULT_POLICIES
from registry.registry import Registry
from schemas.calls import Shape, ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import SPECS, ErrorCode, OpsError, ops_error
from tests.support.execution_stores import NOW, TENANT, call, tool

Result = ToolSucceeded | ToolFailed


class Scripted:
    """An adapter that does what the test says, and remembers how it was called."""

    tool_type = "scripted"
    statement_field = None

    class parameters(Parameters):  # the protocol's name
        n: int = 0

    def __init__(self, act: Callable[[int], Awaitable[Any]]) -> None:
        self._act = act
        self.invocations: list[Invocation] = []
        self.closed = False

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        self.invocations.append(invocation)
        result: ToolOutput | OpsError = await self._act(len(self.invocations))
        return result

    async def close(self) -> None:
        self.closed = True


def scripted(*results: Any) -> Scripted:
    """Gives these results in turn, the last one from then on; exceptions are raised."""

    async def act(n: int) -> Any:
        result = results[min(n, len(results)) - 1]
        if isinstance(result, BaseException):
            raise result
        return result

    return Scripted(act)


FINE = ToolOutput(shape=Shape.FACTS, facts={"n": 1})


def execution_of(adapter: Scripted, *, fields: dict[str, Any] | None = None, **options: Any) -> Execution:
    registry = Registry.of().register(tool("t", "scripted", "mcp", None, **(fields or {})))
    options.setdefault("chance", lambda: 0.0)
    return Execution(registry, {"scripted": adapter}, options.pop("clock", lambda: NOW), **options)


def asked(**fields: Any) -> ToolCalled:
    return call("t", fields.pop("params", {}), now=NOW, **fields)


def error_of(result: Result) -> OpsError:
    assert isinstance(result, ToolFailed), result
    return result.error


def finished_without_waiting(work: Any) -> Any:
    """Drive a coroutine that must not suspend."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise AssertionError("the call waited")


def test_a_tool_that_does_not_wait_is_run_without_waiting() -> None:
    """No loop, no task, no timer is needed."""
    result = finished_without_waiting(execution_of(scripted(FINE)).run(asked()))

    assert isinstance(result, ToolSucceeded)
    assert result.output is FINE


def test_a_call_carries_the_versions_it_ran_under() -> None:
    result = finished_without_waiting(execution_of(scripted(FINE), fields={"version": 3}).run(asked()))

    assert (result.asset_version, result.policy_version) == (3, 1)


@pytest.mark.parametrize(
    ("fields", "call_fields", "code"),
    [
        ({"roles": ("admin",)}, {"tenant_id": "globex"}, ErrorCode.TENANT_MISMATCH),
        ({"roles": ("admin",)}, {}, ErrorCode.PERMISSION_DENIED),
        ({"tool_type": "unheard"}, {"roles": ()}, ErrorCode.PERMISSION_DENIED),
        ({"tool_type": "unheard"}, {}, ErrorCode.ASSET_LOAD_FAILED),
        ({"status": "draft"}, {}, ErrorCode.ASSET_LOAD_FAILED),
        ({"status": "deleted"}, {}, ErrorCode.ASSET_LOAD_FAILED),
        ({}, {"params": {"n": "1"}}, ErrorCode.INVALID_PARAMS),
        ({}, {"params": {"n": 1, "m": 2}}, ErrorCode.INVALID_PARAMS),
        ({}, {"tool_id": "unheard"}, ErrorCode.ASSET_LOAD_FAILED),
    ],
)
def test_the_first_step_that_refuses_gives_the_code(
    fields: dict[str, Any], call_fields: dict[str, Any], code: ErrorCode
) -> None:
    """Tenant before role before asset before parameters; the tool is never reached."""
    adapter = scripted(FINE)
    given = {"tool_type": "scripted", **fields}
    asset = ToolAsset(id="t", name="t", kind="mcp", supported_tenants=(TENANT,), **given)
    execution = Execution(Registry.of().register(asset), {"scripted": adapter}, lambda: NOW)
    called = replace(asked(params=call_fields.pop("params", {})), **call_fields)

    result = finished_without_waiting(execution.run(called))

    assert error_of(result).code is code
    assert not adapter.invocations


def test_without_a_policy_nothing_runs() -> None:
    """Fail closed, and before the parameters are looked at."""
    adapter = scripted(FINE)
    registry = Registry.of(default_policies=()).register(tool("t", "scripted", "mcp", None))

    result = finished_without_waiting(
        Execution(registry, {"scripted": adapter}, lambda: NOW).run(asked(params={"x": 1}))
    )

    assert error_of(result).code is ErrorCode.POLICY_DENY
    assert not adapter.invocations


def test_a_source_that_is_not_published_stops_the_call() -> None:
    source = SourceAsset(id="s", engine="sqlite", location="x", status="published")
    registry = Registry.of().register(source).register(tool("t", "scripted", "mcp", "s"))
    registry = registry.register(source.model_copy(update={"status": "deleted", "version": 2}))
    adapter = scripted(FINE)

    result = finished_without_waiting(Execution(registry, {"scripted": adapter}, lambda: NOW).run(asked()))

    assert error_of(result).code is ErrorCode.ASSET_LOAD_FAILED


def test_the_time_of_a_call_is_the_least_of_all_its_limits() -> None:
    """Tool 20 s, policy 30 s, call 25 s; then a deadline that comes sooner."""
    adapter = scripted(FINE)
    execution = execution_of(adapter, fields={"timeout_seconds": 20.0})

    finished_without_waiting(execution.run(asked(timeout_s=25.0)))
    finished_without_waiting(execution.run(asked(timeout_s=5.0)))
    finished_without_waiting(execution.run(asked(timeout_s=25.0, deadline_at=NOW + 2)))

    assert [invocation.timeout_s for invocation in adapter.invocations] == [20.0, 5.0, 2.0]


def test_the_row_cap_is_the_least_of_all_its_limits() -> None:
    adapter = scripted(FINE)
    execution = execution_of(adapter, fields={"max_rows": 50_000})

    finished_without_waiting(execution.run(asked()))
    finished_without_waiting(execution.run(asked(max_rows=7)))
    finished_without_waiting(execution.run(asked(max_rows=0)))

    assert [invocation.row_cap for invocation in adapter.invocations] == [10_000, 7, 1]


@pytest.mark.parametrize("code", [ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.TOOL_TIMEOUT])
async def test_what_may_pass_is_tried_again_and_counted(code: ErrorCode) -> None:
    adapter = scripted(ops_error(code), FINE)

    result = await execution_of(adapter).run(asked())

    assert isinstance(result, ToolSucceeded)
    assert result.retries == 1


async def test_retries_end_where_the_policy_says() -> None:
    """DEFAULT allows two retries after the first try."""
    adapter = scripted(ops_error(ErrorCode.UPSTREAM_UNAVAILABLE))

    result = await execution_of(adapter).run(asked())

    assert error_of(result).code is ErrorCode.UPSTREAM_UNAVAILABLE
    assert (result.retries, len(adapter.invocations)) == (2, 3)


@pytest.mark.parametrize(
    "code", [code for code in SPECS if code not in (ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.TOOL_TIMEOUT)]
)
def test_refusals_and_faults_are_not_tried_again(code: ErrorCode) -> None:
    adapter = scripted(ops_error(code))

    result = finished_without_waiting(execution_of(adapter).run(asked()))

    assert error_of(result).code is code
    assert (result.retries, len(adapter.invocations)) == (0, 1)


def test_nothing_is_tried_again_after_the_deadline() -> None:
    """The pause of up to 100 ms would end after it."""
    adapter = scripted(ops_error(ErrorCode.UPSTREAM_UNAVAILABLE))
    execution = execution_of(adapter, chance=lambda: 0.9)

    result = finished_without_waiting(execution.run(asked(deadline_at=NOW + 0.05)))

    assert (result.retries, len(adapter.invocations)) == (0, 1)


@pytest.mark.parametrize(
    "bug", [ValueError("boom"), KeyError("x"), RecursionError(), asyncio.CancelledError()]
)
async def test_a_bug_in_an_adapter_is_a_result(bug: BaseException) -> None:
    """INTERNAL_ERROR; the user reads the code's meaning, operators what was raised."""
    result = await execution_of(scripted(bug)).run(asked())

    error = error_of(result)
    assert error.code is ErrorCode.INTERNAL_ERROR
    assert error.message == SPECS[ErrorCode.INTERNAL_ERROR].meaning
    assert error.detail


@pytest.mark.parametrize(
    "output",
    [
        None,
        "text",
        ToolOutput(shape=Shape.TABLE, rows=[[1]]),
        ToolOutput(shape=Shape.FACTS, facts={"x": object()}),
    ],
)
def test_malformed_output_is_a_coded_error(output: Any) -> None:
    result = finished_without_waiting(execution_of(scripted(output)).run(asked()))

    assert error_of(result).code is ErrorCode.INTERNAL_ERROR


async def test_calls_beyond_the_bulkhead_wait_their_turn() -> None:
    """At most two at a time; all end."""
    running = most = 0

    async def act(_: int) -> ToolOutput:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return FINE

    execution = execution_of(Scripted(act), fields={"max_concurrent_calls": 2})

    results = await asyncio.gather(*(execution.run(asked()) for _ in range(9)))

    assert most == 2
    assert all(isinstance(result, ToolSucceeded) for result in results)


async def test_a_serial_tool_runs_one_call_at_a_time() -> None:
    running = most = 0

    async def act(_: int) -> ToolOutput:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        running -= 1
        return FINE

    execution = execution_of(Scripted(act), fields={"execution_mode": "serial"})

    await asyncio.gather(*(execution.run(asked()) for _ in range(5)))

    assert most == 1


async def test_waiting_for_a_place_ends_with_the_calls_time() -> None:
    """TOOL_TIMEOUT without having run; the place goes to the next."""
    release = asyncio.Event()

    async def act(_: int) -> ToolOutput:
        await release.wait()
        return FINE

    adapter = Scripted(act)
    execution = execution_of(adapter, fields={"max_concurrent_calls": 1})
    first = asyncio.create_task(execution.run(asked()))
    await asyncio.sleep(0)

    waiting = await execution.run(asked(timeout_s=0.02))
    release.set()

    assert error_of(waiting).code is ErrorCode.TOOL_TIMEOUT
    assert isinstance(await first, ToolSucceeded)
    assert len(adapter.invocations) == 1


async def test_a_tool_that_will_not_stop_keeps_its_place_but_not_the_call() -> None:
    """The call is answered in time; the bulkhead counts the tool until it has ended."""
    release = asyncio.Event()

    async def act(n: int) -> ToolOutput:
        if n > 1:
            return FINE
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue
        return FINE

    policy = DEFAULT_POLICIES[0].model_copy(update={"retries": 0})
    registry = Registry.of(default_policies=(policy,)).register(
        tool("t", "scripted", "mcp", None, max_concurrent_calls=1)
    )
    execution = Execution(registry, {"scripted": Scripted(act)}, lambda: NOW)

    assert error_of(await execution.run(asked(timeout_s=0.01))).code is ErrorCode.TOOL_TIMEOUT
    assert error_of(await execution.run(asked(timeout_s=0.01))).code is ErrorCode.TOOL_TIMEOUT
    release.set()
    assert isinstance(await execution.run(asked(timeout_s=1.0)), ToolSucceeded)


def tight(**fields: Any) -> PolicyAsset:
    limits = {"timeout_s": 5, "retries": 3, "calls_per_minute": 100, "calls_per_second": 10, "max_rows": 10}
    return PolicyAsset(id="tight", policy_set="DEFAULT", **{**limits, **fields})


def under(policy: PolicyAsset, adapter: Scripted, **options: Any) -> Execution:
    registry = Registry.of(default_policies=(policy,)).register(tool("t", "scripted", "mcp", None))
    options.setdefault("chance", lambda: 0.0)
    return Execution(registry, {"scripted": adapter}, lambda: NOW, **options)


async def test_every_attempt_counts_against_the_limit() -> None:
    """Two calls a minute: the second retry is over it."""
    adapter = scripted(ops_error(ErrorCode.UPSTREAM_UNAVAILABLE))

    result = await under(tight(calls_per_minute=2, over_limit="refuse"), adapter).run(asked())

    error = error_of(result)
    assert error.code is ErrorCode.RATE_LIMITED
    assert result.retries == 2
    assert len(adapter.invocations) == 2
    assert error.details["remaining_minute"] == 0
    assert 59 < error.details["retry_after_s"] < 61


async def test_an_open_breaker_refuses_before_the_tool() -> None:
    """After the policy's number of failures in a row nothing runs, and the refusal says when to come back."""
    adapter = scripted(ops_error(ErrorCode.UPSTREAM_UNAVAILABLE))
    execution = under(tight(retries=0, breaker_failures=3, breaker_reset_s=20), adapter)

    codes = [error_of(await execution.run(asked())).code for _ in range(4)]

    assert codes == [ErrorCode.UPSTREAM_UNAVAILABLE] * 3 + [ErrorCode.CIRCUIT_OPEN]
    assert len(adapter.invocations) == 3
    error = error_of(await execution.run(asked()))
    assert error.details == {"retry_after_s": 20.0}


def test_what_a_guard_refuses_counts_nowhere() -> None:
    execution = under(tight(calls_per_minute=1, over_limit="refuse"), scripted(FINE))

    refused = finished_without_waiting(execution.run(asked(params={"x": 1})))
    result = finished_without_waiting(execution.run(asked()))

    assert error_of(refused).code is ErrorCode.INVALID_PARAMS
    assert isinstance(result, ToolSucceeded)


def test_what_an_adapter_tells_is_cleaned_for_users_and_kept_for_operators() -> None:
    message = "no such table: salaries in /srv/db/file.db"
    adapter = scripted(ops_error(ErrorCode.TOOL_BAD_REQUEST, message, suggestion="See http://10.0.0.1/x"))

    error = error_of(finished_without_waiting(execution_of(adapter).run(asked())))

    assert error.message == SPECS[ErrorCode.TOOL_BAD_REQUEST].meaning
    assert error.suggestion is None
    assert error.detail == message


async def test_closing_closes_each_adapter_once() -> None:
    adapter = scripted(FINE)
    execution = execution_of(adapter)

    await execution.close()

    assert adapter.closed


def test_a_policy_of_its_own_narrows_a_packs_tools() -> None:
    policy = PolicyAsset(
        id="tight",
        policy_set="DEFAULT",
        timeout_s=3,
        retries=0,
        calls_per_minute=1,
        calls_per_second=1,
        max_rows=2,
    )
    adapter = scripted(FINE)
    registry = Registry.of(default_policies=(policy,)).register(tool("t", "scripted", "mcp", None))

    finished_without_waiting(Execution(registry, {"scripted": adapter}, lambda: NOW).run(asked()))

    assert (adapter.invocations[0].timeout_s, adapter.invocations[0].row_cap) == (3.0, 2)


def test_an_asset_may_narrow_the_parameters_of_its_adapter() -> None:
    """Only names in its `properties` pass, and the adapter still checks their types."""
    schema = {"properties": {"value": {}}, "required": ["value"]}
    registry = Registry.of().register(tool("probe", "probe", "mcp", None, parameters=schema))
    execution = Execution(registry, {"probe": Probe()}, lambda: NOW)

    asked_with: list[dict[str, Any]] = [{"value": 1}, {"value": 1, "rows": 3}, {}, {"value": []}]
    results = [
        finished_without_waiting(execution.run(call("probe", params, now=NOW))) for params in asked_with
    ]

    assert [isinstance(result, ToolSucceeded) for result in results] == [True, False, False, False]
