"""Capabilities: what each tool can do, for whom, and beside which others. Pure functions, frozen records."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from registry.assets import CapabilityType, ExecutionMode, ToolAsset
from registry.decisions import ALLOW, Decision, Refuse
from schemas.errors import ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Capability:
    """A tool seen as a capability; `supported_tenants` None means all."""

    tool_id: str
    tool_name: str
    name: str
    capability_type: CapabilityType
    execution_mode: ExecutionMode
    max_concurrent_calls: int
    timeout_seconds: float
    rate_limit_per_minute: int
    max_result_size_mb: float
    max_rows: int
    fallback_enabled: bool
    fallback_tool_id: str | None
    depends_on: tuple[str, ...]
    supported_tenants: tuple[str, ...] | None
    roles: tuple[str, ...]
    parameters: Mapping[str, Any]
    output_types: tuple[str, ...]
    cost_ms: float
    failure_rate: float


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The tool to prefer and why."""

    tool_id: str
    expected_ms: float
    reasons: tuple[str, ...]


def capability_of(tool: ToolAsset) -> Capability:
    """A tool's capability; `name` is the tool type, by which plans may ask for it."""
    return Capability(
        tool_id=tool.id,
        tool_name=tool.name,
        name=tool.tool_type,
        capability_type=tool.capability_type,
        execution_mode=tool.execution_mode,
        max_concurrent_calls=tool.max_concurrent_calls,
        timeout_seconds=tool.timeout_seconds,
        rate_limit_per_minute=tool.rate_limit_per_minute,
        max_result_size_mb=tool.max_result_size_mb,
        max_rows=tool.max_rows,
        fallback_enabled=tool.fallback_enabled,
        fallback_tool_id=tool.fallback_tool_id,
        depends_on=tool.depends_on,
        supported_tenants=tool.supported_tenants,
        roles=tool.roles,
        parameters=tool.parameters,
        output_types=tool.output_types,
        cost_ms=tool.cost_ms,
        failure_rate=tool.failure_rate,
    )


def tenant_access(capability: Capability, tenant_id: str) -> Decision:
    """May this tenant use the tool at all?"""
    tenants = capability.supported_tenants
    if tenants is None or tenant_id in tenants:
        return ALLOW
    return Refuse(
        ErrorCode.TENANT_MISMATCH,
        f"tool {capability.tool_id} is not open to tenant {tenant_id}",
        "ask for a tool of this tenant",
    )


def parallel_use(capabilities: Iterable[Capability]) -> Decision:
    """May these run side by side? A serial tool runs alone, and no tool beside one it depends on."""
    chosen = list(capabilities)
    ids = {capability.tool_id for capability in chosen}
    for capability in chosen:
        if capability.execution_mode == "serial" and len(chosen) > 1:
            return Refuse(
                ErrorCode.PLAN_INVALID,
                f"tool {capability.tool_id} is serial and runs alone",
                "give its step a depends_on",
            )
        needed = ids.intersection(capability.depends_on)
        if needed:
            return Refuse(
                ErrorCode.PLAN_INVALID,
                f"tool {capability.tool_id} depends on {', '.join(sorted(needed))}",
                "give its step a depends_on",
            )
    return ALLOW


def fallback_use(capability: Capability, known: Mapping[str, Capability]) -> Decision:
    """May another tool stand in for this one when it fails?"""
    if not capability.fallback_enabled:
        return Refuse(ErrorCode.POLICY_DENY, f"tool {capability.tool_id} allows no fallback")
    if capability.fallback_tool_id is None:
        return Refuse(ErrorCode.POLICY_DENY, f"tool {capability.tool_id} names no fallback tool")
    if capability.fallback_tool_id not in known:
        return Refuse(
            ErrorCode.ASSET_LOAD_FAILED,
            f"tool {capability.tool_id} falls back to {capability.fallback_tool_id}, which is not published",
        )
    return ALLOW


def dependencies(capability: Capability, known: Mapping[str, Capability]) -> Decision:
    """Are all tools this one needs published, and do they not need one another in a circle?"""
    cycle = cycle_in({tool_id: each.depends_on for tool_id, each in known.items()}, capability.tool_id)
    if cycle:
        return Refuse(ErrorCode.ASSET_LOAD_FAILED, f"tools depend on one another: {' → '.join(cycle)}")
    missing = [tool_id for tool_id in capability.depends_on if tool_id not in known]
    if missing:
        return Refuse(
            ErrorCode.ASSET_LOAD_FAILED,
            f"tool {capability.tool_id} depends on {', '.join(missing)}, which is not published",
        )
    return ALLOW


def recommended(capabilities: Iterable[Capability]) -> Recommendation | None:
    """The cheapest tool by expected time, cost_ms / (1 - failure_rate); ties go to the smaller id."""
    ranked = sorted((_expected_ms(each), each.tool_id, each) for each in capabilities)
    if not ranked:
        return None
    expected_ms, tool_id, best = ranked[0]
    reasons = [f"{tool_id}: {best.cost_ms:g} ms at {best.failure_rate:.1%} failures"]
    reasons += [f"over {other}: {ms:g} ms expected" for ms, other, _ in ranked[1:4]]
    return Recommendation(tool_id, expected_ms, tuple(reasons))


def _expected_ms(capability: Capability) -> float:
    return capability.cost_ms / max(1.0 - capability.failure_rate, 0.001)


def cycle_in(edges: Mapping[str, Iterable[str]], start: str) -> tuple[str, ...]:
    """The first cycle reachable from `start`, as a path that ends where it began; empty if there is none."""
    path: list[str] = []
    on_path: set[str] = set()
    done: set[str] = set()
    waiting: list[tuple[str, bool]] = [(start, False)]
    while waiting:
        node, leaving = waiting.pop()
        if leaving:
            path.pop()
            on_path.discard(node)
            done.add(node)
        elif node in on_path:
            return (*path[path.index(node) :], node)
        elif node not in done:
            path.append(node)
            on_path.add(node)
            waiting.append((node, True))
            waiting += [(each, False) for each in edges.get(node, ())]
    return ()
