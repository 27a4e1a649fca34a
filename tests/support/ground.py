"""A pack to prove things on: tools that behave, tools that fail in every way, and tools that go where nobody may."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.support.llm_server import KEY, LlmServer
from tests.support.web_service import Service

TOKEN = "ghp_GroundProof0123456789abcdefGROUND"
"""The credential of the HTTP tools; `env:GROUND_TOKEN`."""
TOKEN_ENV = "GROUND_TOKEN"
CROWN = "crown jewels"
"""Lies in a table that no source lists."""
OWN, FOREIGN = "acme's own title", "globex's own title"
MCP_SERVER = Path(__file__).with_name("mcp_server.py")
METADATA = "169.254.169.254"

_COLUMNS = ["id", "tenant_id", "title", "status", "amount"]
_SIZE = {"type": "object", "properties": {"size": {"type": "integer", "minimum": 1, "default": 3}}}
_WIDE = {"calls_per_minute": 100_000, "calls_per_second": 10_000, "breaker_failures": 1_000_000}


def fill(folder: Path) -> None:
    """The stores of the pack's SQL tools, in the data folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "ground.db")) as store, store:
        store.execute("CREATE TABLE tickets (id INT, tenant_id TEXT, title TEXT, status TEXT, amount REAL)")
        store.execute("CREATE TABLE crown (v TEXT)")
        store.execute("CREATE TABLE denied (tenant_id TEXT, v TEXT)")
        store.execute("INSERT INTO crown VALUES (?)", (CROWN,))
        store.executemany(
            "INSERT INTO tickets VALUES (?, ?, ?, ?, ?)",
            [(n, tenant, title, "open" if n % 2 else "closed", n * 1.5)
             for tenant, title in (("acme", OWN), ("globex", FOREIGN)) for n in range(1, 6)],
        )  # fmt: skip
    with closing(sqlite3.connect(folder / "hollow.db")) as store, store:
        store.execute("CREATE TABLE nothing_that_is_listed (v TEXT)")
    (folder / "garbage.db").write_bytes(b"no database at all, although it is named like one" * 50)


def settings_in(folder: Path, service: Service, model: LlmServer) -> dict[str, Any]:
    """Fill the data folder; the settings of a worker on it."""
    fill(folder)
    key = folder / "llm.key"
    key.write_text(KEY)
    return {
        "packs": packs_in(folder / "packs", service),
        "llm_url": model.url,
        "llm_model": "small",
        "llm_key": f"file:{key}",
        "llm_timeout_s": 2.0,
        "llm_retries": 0,
        "llm_breaker_failures": 1000,
        "log_level": "debug",
    }


def packs_in(folder: Path, service: Service) -> str:
    """Write the packs `ground` (wide limits) and `gates` (narrow ones); the settings value that names both."""
    places = [_pack(folder / "ground", _sources(service), _tools(), _policies("ground", retries=0))]
    places.append(_pack(folder / "gates", [_desk("gates.desk", service)], _gated(), _gate_policies()))
    return ",".join(str(place) for place in places)


def _pack(folder: Path, sources: list[Any], tools: list[Any], policies: list[Any]) -> Path:
    for kind, assets in (("sources", sources), ("tools", tools), ("policies", policies)):
        (folder / kind).mkdir(parents=True)
        (folder / kind / "all.yaml").write_text(json.dumps(assets))  # JSON is YAML
    manifest = {"id": folder.name, "title": f"The {folder.name}", "tenants": ["acme", "globex"]}
    (folder / "pack.yaml").write_text(json.dumps(manifest))
    return folder


def _desk(source_id: str, service: Service) -> dict[str, Any]:
    opened = {"internal": True, "credential": {"secret": f"env:{TOKEN_ENV}"}, "max_bytes": 1_000_000}
    return {"id": source_id, "engine": "http", "location": service.url, "outbound": opened}


def _store(source_id: str, file: str) -> dict[str, Any]:
    return {"id": source_id, "engine": "sqlite", "location": f"{{data}}/{file}", "tenant_column": "tenant_id",
            "tables": {"tickets": _COLUMNS, "denied": ["tenant_id", "v"]}}  # fmt: skip


def _sources(service: Service) -> list[dict[str, Any]]:
    inside = {"internal": True}
    return [
        _desk("ground.desk", service),
        {"id": "ground.closed", "engine": "http", "location": service.url, "outbound": {"mode": "public"}},
        {"id": "ground.metadata", "engine": "http", "location": f"http://{METADATA}", "outbound": inside},
        {"id": "ground.away", "engine": "http", "location": "http://127.0.0.1:9", "outbound": inside},
        {"id": "ground.prom", "engine": "prometheus", "location": f"{service.url}/prom", "outbound": inside},
        {"id": "ground.mcp_inside", "engine": "mcp", "location": f"{service.url}/echo"},
        {"id": "ground.mcp_metadata", "engine": "mcp", "location": f"http://{METADATA}/mcp"},
        {
            "id": "ground.mcp",
            "engine": "mcp",
            "location": "stdio:",
            "outbound": {"command": [sys.executable, str(MCP_SERVER), "stdio"]},
        },
        _store("ground.store", "ground.db"),
        _store("ground.hollow", "hollow.db"),
        _store("ground.garbage", "garbage.db"),
        _store("ground.missing", "nowhere/missing.db"),
        _store("ground.gone", "nowhere/gone.db"),
    ]


REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tickets": ("desk", {"path": "/tickets", "query": {"size": "{size}"}, "rows": "items"}),
    "html": ("desk", {"path": "/html"}),
    "broken": ("desk", {"path": "/status/500"}),
    "refused": ("desk", {"path": "/status/401"}),
    "slow": ("desk", {"path": "/slow"}),
    "cut": ("desk", {"path": "/cut"}),
    "reset": ("desk", {"path": "/reset"}),
    "bomb": ("desk", {"path": "/bomb"}),
    "endless": ("desk", {"path": "/endless"}),
    "unlike": (
        "desk",
        {"path": "/tickets", "response_schema": {"type": "object", "required": ["total"]}},
    ),
    "astray": ("desk", {"path": "/to", "query": {"to": f"http://{METADATA}/latest/meta-data/"}}),
    "inside": ("closed", {"path": "/tickets"}),
    "metadata": ("metadata", {"path": "/latest/meta-data/"}),
    "away": ("away", {"path": "/"}),
}
"""The HTTP tools `ground.NAME`: source and request."""
_LARGE = ("bomb", "endless")
"""Take a moment to be sent."""


def _tool(
    tool_id: str, tool_type: str, kind: str, source: str | None = None, **fields: Any
) -> dict[str, Any]:
    return {
        "id": tool_id,
        "name": tool_id.partition(".")[2],
        "description": f"Proves {tool_id}",
        "tool_type": tool_type,
        "kind": kind,
        "max_concurrent_calls": 500,
        "rate_limit_per_minute": 1_000_000,
        **({"source": source} if source else {}),
        **fields,
    }


def _tools() -> list[dict[str, Any]]:
    tools = [
        _tool(f"ground.{name}", "http_tool", "http", f"ground.{source}", http=request, parameters=_SIZE,
              timeout_seconds=20 if name in _LARGE else 1)
        for name, (source, request) in REQUESTS.items()
    ]  # fmt: skip
    numbers = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
    for name, source, call in (
        ("mcp_add", "mcp", "add"),
        ("mcp_fail", "mcp", "fail"),
        ("mcp_inside", "mcp_inside", "add"),
        ("mcp_metadata", "mcp_metadata", "add"),
    ):
        tools.append(_tool(f"ground.{name}", "mcp_tool", "mcp", f"ground.{source}", mcp={"tool": call},
                           parameters=numbers))  # fmt: skip
    for name, source in (
        ("sql", "store"),
        ("hollow", "hollow"),
        ("garbage", "garbage"),
        ("missing", "missing"),
    ):
        tools.append(_tool(f"ground.{name}", "direct_query", "sql", f"ground.{source}"))
        tools.append(_tool(f"ground.{name}_table", "dynamic", "sql", f"ground.{source}"))
    tools += [
        _tool("ground.sql_or_copy", "direct_query", "sql", "ground.gone", fallback_tool_id="ground.sql"),
        _tool("ground.prom", "prometheus", "timeseries", "ground.prom"),
        _tool("ground.probe", "probe", "timeseries"),
        _tool("ground.probe_copy", "probe", "document"),
        _tool("ground.probe_or_copy", "probe", "timeseries", fallback_tool_id="ground.probe_copy"),
        _tool("ground.serial", "probe", "timeseries", execution_mode="serial"),
        _tool("ground.brief", "probe", "timeseries", timeout_seconds=0.3),
        _tool("ground.small", "probe", "timeseries", max_result_size_mb=0.01),
        _tool("ground.of_globex", "probe", "timeseries", supported_tenants=["globex"]),
        _tool("ground.for_admins", "probe", "timeseries", roles=["admin"]),
        _tool("ground.needs_probe", "probe", "timeseries", depends_on=["ground.probe"]),
        _tool("ground.left", "probe", "timeseries", capability_type="append_only", cost_ms=10,
              output_types=["weight"]),
        _tool("ground.right", "probe", "document", capability_type="append_only", cost_ms=20,
              output_types=["weight"]),
    ]  # fmt: skip
    return tools


def _policies(pack: str, **fields: Any) -> list[dict[str, Any]]:
    return [
        {"id": f"{pack}.{name}", "policy_set": name.upper(), "timeout_s": 60, "retries": 0, "max_rows": 100,
         "deny_tables": ["denied"] if name == "sql" else [], **_WIDE, **fields}
        for name in ("default", "sql", "http", "graph")
    ]  # fmt: skip


def _gated() -> list[dict[str, Any]]:
    request = {"path": "/tickets", "query": {"size": "{size}"}, "rows": "items"}
    broken = {"path": "/status/503"}
    return [
        _tool("gates.limited", "probe", "timeseries", rate_limit_per_minute=2),
        _tool("gates.narrow", "probe", "timeseries", max_concurrent_calls=1),
        _tool("gates.frail", "probe", "timeseries", policy_set="GRAPH"),
        _tool("gates.remembered", "http_tool", "http", "gates.desk", http=request, parameters=_SIZE,
              policy_set="SQL", capability_type="read_only"),
        _tool("gates.tried_again", "http_tool", "http", "gates.desk", http=broken, parameters=_SIZE),
    ]  # fmt: skip


def _gate_policies() -> list[dict[str, Any]]:
    default, sql, http, graph = _policies("gates")
    return [
        {**default, "over_limit": "refuse"},
        {**sql, "cache_ttl_s": 600},
        {**http, "retries": 1},
        {**graph, "breaker_failures": 2, "breaker_reset_s": 3_600},
    ]
