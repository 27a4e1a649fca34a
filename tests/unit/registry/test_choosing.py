"""Resolution: which tool does a capability's work, and why."""

from pathlib import Path

import pytest

from registry.assets import ToolAsset
from registry.choosing import Resolved
from registry.decisions import Refuse
from registry.pack import Pack
from registry.registry import Registry
from schemas.errors import ErrorCode
from schemas.health import BreakerState, ToolHealth


def tool(tool_id: str, **fields: object) -> ToolAsset:
    return ToolAsset(id=tool_id, name=tool_id, tool_type="direct_query", kind="sql", **fields)  # type: ignore[arg-type]


def registry_of(*tools: ToolAsset) -> Registry:
    return Registry.of(Pack(id="p", title="p", folder=Path("."), tools=tools))


def seen(tool_id: str, breaker: BreakerState = "closed", **fields: float) -> ToolHealth:
    return ToolHealth(tool_id=tool_id, breaker=breaker, at=0.0, worker="w", **fields)  # type: ignore[arg-type]


TWO = registry_of(tool("fast", cost_ms=10), tool("slow", cost_ms=100))


def ask(registry: Registry, *health: ToolHealth, **options: object) -> Resolved | Refuse:
    known = {each.tool_id: each for each in health}
    return registry.resolve("direct_query", "acme", ("viewer",), health=known.get, **options)  # type: ignore[arg-type]


def tool_of(found: Resolved | Refuse) -> str:
    assert isinstance(found, Resolved), found
    return found.tool_id


def test_cheapest_is_chosen_and_says_over_which() -> None:
    """Without observations the declared cost and failure rate decide."""
    found = ask(TWO)

    assert tool_of(found) == "fast"
    assert isinstance(found, Resolved)
    assert found.reasons[1].startswith("over slow: 100 ms at 1.0% failures (declared)")


def test_observed_figures_replace_the_declared_ones() -> None:
    """A tool that fails nine times in ten, or has become slow, loses to a dearer one."""
    failing = seen("fast", failure_rate=0.95, p50_ms=10, calls=100)
    slowed = seen("fast", p50_ms=900, calls=100)

    assert tool_of(ask(TWO, failing)) == tool_of(ask(TWO, slowed)) == "slow"


def test_few_observations_change_nothing() -> None:
    """Two calls say nothing about a tool."""
    assert tool_of(ask(TWO, seen("fast", failure_rate=1.0, p50_ms=9_000, calls=2))) == "fast"


@pytest.mark.parametrize("state", ["open", "half_open"])
def test_tool_whose_breaker_is_not_closed_is_passed_over(state: BreakerState) -> None:
    """However cheap it is, as long as there is another."""
    assert tool_of(ask(TWO, seen("fast", state))) == "slow"


def test_open_breaker_is_chosen_when_it_is_alone() -> None:
    """Nothing else is left: the call decides, and the reasons say so."""
    found = ask(TWO, seen("fast", "open"), avoid={"slow"})

    assert tool_of(found) == "fast"
    assert isinstance(found, Resolved)
    assert any("breaker is open" in reason for reason in found.reasons)


def test_half_open_goes_before_open() -> None:
    """A breaker that lets probes through may work."""
    assert tool_of(ask(TWO, seen("fast", "open"), seen("slow", "half_open"))) == "slow"


@pytest.mark.parametrize(
    ("registry", "options", "code"),
    [
        (registry_of(), {}, ErrorCode.ASSET_LOAD_FAILED),
        (registry_of(tool("a", supported_tenants=("globex",))), {}, ErrorCode.TENANT_MISMATCH),
        (registry_of(tool("a", roles=("admin",))), {}, ErrorCode.PERMISSION_DENIED),
        (registry_of(tool("a")), {"avoid": {"a"}}, ErrorCode.ASSET_LOAD_FAILED),
        (registry_of(tool("a")), {"tools": ("b",)}, ErrorCode.ASSET_LOAD_FAILED),
    ],
)
def test_refusal_says_what_stood_in_the_way(
    registry: Registry, options: dict[str, object], code: ErrorCode
) -> None:
    """No tool, another tenant's, another role's, all avoided, or none of those the question allows."""
    found = ask(registry, **options)

    assert isinstance(found, Refuse)
    assert found.code is code
