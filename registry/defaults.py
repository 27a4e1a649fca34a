"""What holds where a pack says nothing: the four policy sets and the capability rows of known tool types.

Figures: docs/packs.md lists them for authors of packs.
"""

from collections.abc import Mapping
from typing import Any

from registry.assets import PolicyAsset, PolicySet, ToolAsset

DEFAULT_POLICIES: tuple[PolicyAsset, ...] = (
    PolicyAsset(
        id="policy.default",
        description="Tools of a kind without a set of its own",
        policy_set="DEFAULT",
        timeout_s=30,
        retries=2,
        calls_per_minute=100,
        calls_per_second=10,
        max_rows=10_000,
    ),
    PolicyAsset(
        id="policy.sql",
        description="SQL: read-only, no DDL, no DCL",
        policy_set="SQL",
        timeout_s=60,
        retries=1,
        calls_per_minute=100,
        calls_per_second=10,
        max_rows=5_000,
    ),
    PolicyAsset(
        id="policy.http",
        description="HTTP: at most 5 redirects, each hop checked; a tool may raise the timeout to 60 s",
        policy_set="HTTP",
        timeout_s=30,
        retries=2,
        calls_per_minute=50,
        calls_per_second=10,
        read_only=False,
        max_rows=10_000,
    ),
    PolicyAsset(
        id="policy.graph",
        description="Graph queries: read-only",
        policy_set="GRAPH",
        timeout_s=45,
        retries=1,
        calls_per_minute=100,
        calls_per_second=10,
        max_rows=10_000,
    ),
)

HTTP_TIMEOUT_CEILING_S = 60.0
"""An HTTP tool may raise its policy's timeout up to here."""
LLM_TIMEOUT_CEILING_S = 120.0
"""A language model may take as long as this, whatever the set of its policy."""

_SET_OF_KIND: Mapping[str, PolicySet] = {"sql": "SQL", "http": "HTTP", "graph": "GRAPH"}

CAPABILITY_ROWS: Mapping[str, Mapping[str, Any]] = {
    "direct_query": {
        "capability_type": "read_only",
        "max_concurrent_calls": 20,
        "timeout_seconds": 30.0,
        "rate_limit_per_minute": 120,
        "max_result_size_mb": 50.0,
        "max_rows": 10_000,
    },
    "dynamic": {
        "capability_type": "read_only",
        "max_concurrent_calls": 20,
        "timeout_seconds": 30.0,
        "rate_limit_per_minute": 120,
        "max_result_size_mb": 50.0,
        "max_rows": 10_000,
    },
    "http_tool": {
        "capability_type": "api_call",
        "max_concurrent_calls": 10,
        "timeout_seconds": 60.0,
        "rate_limit_per_minute": 60,
        "max_result_size_mb": 10.0,
    },
    "graph_query": {
        "capability_type": "graph_query",
        "max_concurrent_calls": 15,
        "timeout_seconds": 45.0,
        "rate_limit_per_minute": 100,
        "max_result_size_mb": 30.0,
        "max_rows": 10_000,
    },
    "document_search": {
        "capability_type": "search",
        "max_concurrent_calls": 5,
        "timeout_seconds": 30.0,
        "rate_limit_per_minute": 50,
        "max_result_size_mb": 20.0,
        "max_rows": 100,
        "fallback_enabled": False,
    },
    "llm_tool": {
        "capability_type": "read_write",
        "execution_mode": "serial",
        "max_concurrent_calls": 1,
        "timeout_seconds": 120.0,
        "rate_limit_per_minute": 30,
        "max_result_size_mb": 5.0,
        "fallback_enabled": False,
    },
    "baseline_metrics": {
        "capability_type": "time_series",
        "max_concurrent_calls": 10,
        "timeout_seconds": 30.0,
        "rate_limit_per_minute": 100,
        "max_result_size_mb": 50.0,
        "max_rows": 1_000,
    },
}
"""What a tool of a known type is capable of, unless its asset says otherwise."""


def policy_set_of(tool: ToolAsset) -> PolicySet:
    """The set that limits a tool: its own choice, else its kind's, else DEFAULT."""
    return tool.policy_set or _SET_OF_KIND.get(tool.kind, "DEFAULT")


def with_capability_defaults(tool: ToolAsset) -> ToolAsset:
    """The tool with each field its author left open taken from its type's row; doing it twice is once."""
    row = CAPABILITY_ROWS.get(tool.tool_type, {})
    missing = {name: value for name, value in row.items() if name not in tool.model_fields_set}
    return tool.model_copy(update=missing) if missing else tool


def shards_of(tool: ToolAsset, policy: PolicyAsset | None) -> int:
    """Into how many parts the tool's calls are divided: never more than its tightest limit, so that each part has a
    share of at least one of each; a serial tool has one place, and so one part."""
    if tool.shards == 1 or tool.execution_mode == "serial" or policy is None:
        return 1
    limits = (
        tool.max_concurrent_calls,
        tool.rate_limit_per_minute,
        policy.calls_per_minute,
        policy.calls_per_second,
        policy.tenant_calls_per_minute,
        policy.tenant_calls_per_second,
    )
    return min(tool.shards, *(limit for limit in limits if limit is not None))


def timeout_of(tool: ToolAsset, policy: PolicyAsset | None) -> float:
    """Seconds one call may take: the smaller of tool and policy; an HTTP tool may go up to 60 s, a language model
    to 120 s."""
    if policy is None:
        return tool.timeout_seconds
    ceiling = policy.timeout_s
    if policy.policy_set == "HTTP" and "timeout_seconds" in tool.model_fields_set:
        ceiling = max(ceiling, HTTP_TIMEOUT_CEILING_S)
    if tool.kind == "llm":
        ceiling = max(ceiling, LLM_TIMEOUT_CEILING_S)
    return min(tool.timeout_seconds, ceiling)
