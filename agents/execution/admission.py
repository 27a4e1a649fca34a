"""The first steps of the path: tenant, role, asset state, policy. Decided once per (tool, tenant, roles)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agents.execution.guards.verdict import Bounds, Refuse
from agents.execution.tool import BuildsStatement, Tool
from registry.assets import PolicyAsset, SourceAsset, ToolAsset
from registry.defaults import timeout_of
from registry.registry import Registry
from schemas.errors import ErrorCode

_READS = frozenset({"read_only", "time_series", "graph_query", "search"})
"""Capability types whose results may be remembered."""

_KEPT = 4_096
"""Decisions kept; beyond it all are forgotten and made anew."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A tool that this tenant may use in this role, with its limits resolved."""

    tool: ToolAsset
    adapter: Tool
    source: SourceAsset | None
    policy: PolicyAsset
    timeout_s: float
    row_cap: int
    max_bytes: int
    bounds: Bounds
    builder: BuildsStatement | None = None
    """The adapter again, if it builds its statement: asked once, for a structural check costs more than the call."""
    remembers: bool = False
    """The policy wants results remembered, and the tool only reads."""
    schema: Mapping[str, Any] = field(default_factory=dict)
    """What a call's parameters are held to besides the adapter's own; empty: nothing."""
    is_open: bool = False
    """The adapter leaves it to `schema` what a call may say."""


class Admission:
    """Answers from memory; the registry is a snapshot, so a decision holds as long as this object."""

    def __init__(self, registry: Registry, tools: Mapping[str, Tool], max_output_bytes: int) -> None:
        self._registry = registry
        self._tools = tools
        self._max_output_bytes = max_output_bytes
        self._decided: dict[tuple[str, str, tuple[str, ...]], Admitted | Refuse] = {}

    def of(self, tool_id: str, tenant_id: str, roles: tuple[str, ...]) -> Admitted | Refuse:
        """The decision for one call."""
        key = (tool_id, tenant_id, roles)
        decision = self._decided.get(key)
        if decision is None:
            if len(self._decided) >= _KEPT:
                self._decided.clear()
            decision = self._decided[key] = self._decide(tool_id, tenant_id, roles)
        return decision

    def _decide(self, tool_id: str, tenant_id: str, roles: tuple[str, ...]) -> Admitted | Refuse:
        tool = self._registry.tool(tool_id)
        if tool is None:
            return _not_loaded(f"no published tool {tool_id}")
        if tool.supported_tenants is not None and tenant_id not in tool.supported_tenants:
            return Refuse(
                ErrorCode.TENANT_MISMATCH,
                "The tool belongs to another tenant.",
                violations=(f"{tool_id} does not serve {tenant_id}",),
            )
        if not set(roles) & set(tool.roles):
            return Refuse(
                ErrorCode.PERMISSION_DENIED,
                "Your role may not use this tool.",
                f"Ask someone with one of the roles {', '.join(tool.roles)}.",
                (f"{tool_id} is not for the roles {', '.join(roles) or '(none)'}",),
            )
        source = self._registry.source(tool.source) if tool.source is not None else None
        if tool.source is not None and source is None:
            return _not_loaded(f"no published source {tool.source} for {tool_id}")
        adapter = self._tools.get(tool.tool_type)
        if adapter is None:
            return _not_loaded(f"no adapter for the tool type {tool.tool_type} of {tool_id}")
        policy = self._registry.policy_for(tool)
        if policy is None:
            return Refuse(
                ErrorCode.POLICY_DENY,
                "No policy allows this tool.",
                "An administrator can publish a policy for it.",
                (f"no policy for {tool_id}",),
            )
        return self._admitted(tool, adapter, source, policy)

    def _admitted(
        self, tool: ToolAsset, adapter: Tool, source: SourceAsset | None, policy: PolicyAsset
    ) -> Admitted:
        row_cap = min(tool.max_rows, policy.max_rows)
        return Admitted(
            tool=tool,
            adapter=adapter,
            source=source,
            policy=policy,
            timeout_s=timeout_of(tool, policy),
            row_cap=row_cap,
            max_bytes=min(int(tool.max_result_size_mb * 1_000_000), self._max_output_bytes),
            bounds=Bounds(
                _reachable(source, policy), None if source is None else source.tenant_column, row_cap
            ),
            builder=adapter if isinstance(adapter, BuildsStatement) else None,
            remembers=policy.cache_ttl_s > 0 and policy.read_only and tool.capability_type in _READS,
            schema=_schema_of(tool, adapter),
            is_open=_is_open(adapter),
        )


def _is_open(adapter: Tool) -> bool:
    return adapter.parameters.model_config.get("extra") == "allow"


def _schema_of(tool: ToolAsset, adapter: Tool) -> Mapping[str, Any]:
    """The asset's own schema; without one, an adapter that takes anything takes only what it declares itself."""
    if tool.parameters or not _is_open(adapter):
        return tool.parameters
    declared = adapter.parameters.model_json_schema().get("properties", {})
    return {"type": "object", "properties": {name: {} for name in declared}}


def _reachable(source: SourceAsset | None, policy: PolicyAsset) -> dict[str, tuple[str, ...]]:
    """The source's whitelist, narrowed by the policy's."""
    if source is None:
        return {}
    allowed = None if policy.allow_tables is None else {name.lower() for name in policy.allow_tables}
    denied = {name.lower() for name in policy.deny_tables}
    return {
        name: tuple(columns)
        for name, columns in source.tables.items()
        if (allowed is None or name.lower() in allowed) and name.lower() not in denied
    }


def _not_loaded(violation: str) -> Refuse:
    return Refuse(
        ErrorCode.ASSET_LOAD_FAILED,
        "A tool of the plan is not available.",
        "See which tools are published.",
        (violation,),
    )
