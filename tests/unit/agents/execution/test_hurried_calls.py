"""What a timeout says about a tool: something when the call had its time, nothing when its question was in a hurry."""

from __future__ import annotations

from typing import Any

from agents.execution.execution import Execution
from agents.execution.tools.probe import Probe
from agents.execution.virtual_time import VirtualLoop, run_in_virtual_time
from registry.assembly import Entry
from registry.assets import PolicyAsset, ToolAsset
from registry.registry import Registry
from schemas.calls import ToolFailed
from tests.support.execution_stores import call

AT = 1_800_000_000.0
POLICY = PolicyAsset(
    id="p",
    policy_set="DEFAULT",
    timeout_s=10,
    retries=0,
    calls_per_minute=1_000,
    calls_per_second=1_000,
    breaker_failures=3,
    max_rows=10,
)
TOOL = ToolAsset(
    id="probe",
    name="Probe",
    tool_type="probe",
    kind="timeseries",
    timeout_seconds=10,
    rate_limit_per_minute=1_000,
)


def codes_of(*calls: tuple[float, float]) -> list[str]:
    """How calls end, one after the other, each (seconds the tool takes, seconds the question leaves it)."""
    loop = VirtualLoop(AT)
    registry = Registry([Entry(POLICY, ""), Entry(TOOL, "")])
    execution = Execution(registry, {"probe": Probe()}, loop.time)

    async def one(takes_s: float, left_s: float) -> str:
        now, params = loop.time(), {"sleep_s": takes_s}
        fields: dict[str, Any] = {"deadline_at": now + left_s}
        result = await execution.run(call("probe", params, now=now, **fields))
        return result.error.code.value if isinstance(result, ToolFailed) else "ok"

    async def all_of_them() -> list[str]:
        try:
            return [await one(*each) for each in calls]
        finally:
            await execution.close()

    return run_in_virtual_time(loop, all_of_them())


def test_questions_in_a_hurry_do_not_open_the_breaker_for_the_others() -> None:
    """The tool takes a second, five questions leave it half of one; the sixth has time, and it works."""
    codes = codes_of(*[(1.0, 0.5)] * 5, (1.0, 60.0))

    assert codes == ["TOOL_TIMEOUT"] * 5 + ["ok"]


def test_calls_that_had_the_tools_whole_timeout_open_it() -> None:
    """Three calls hang for the ten seconds that tool and policy allow."""
    codes = codes_of(*[(3_600.0, 60.0)] * 3, (0.0, 60.0))

    assert codes == ["TOOL_TIMEOUT"] * 3 + ["CIRCUIT_OPEN"]


def test_a_hurried_call_counts_where_the_tool_is_known_to_be_much_faster() -> None:
    """Twenty calls of 0.1 s; then three that hang, of half a second each."""
    codes = codes_of(*[(0.1, 60.0)] * 20, *[(3_600.0, 0.5)] * 3, (0.1, 60.0))

    assert codes[-4:] == ["TOOL_TIMEOUT"] * 3 + ["CIRCUIT_OPEN"]


def test_a_hurried_call_counts_nothing_where_few_calls_are_known() -> None:
    """Nineteen are too few to say what the tool usually takes."""
    codes = codes_of(*[(0.1, 60.0)] * 19, *[(3_600.0, 0.5)] * 3, (0.1, 60.0))

    assert codes[-1] == "ok"
