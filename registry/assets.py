"""Assets: the declared state of the world. A pack is a folder of them; each has a version and a status."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from registry.outbound_assets import HttpCall, McpCall, OutboundSpec, PromCall
from schemas.calls import Unit
from schemas.plans import Show
from schemas.questions import Mode
from schemas.shards import MAX_SHARDS

CapabilityType = Literal[
    "read_write", "read_only", "append_only", "time_series", "api_call", "graph_query", "search"
]
ExecutionMode = Literal["serial", "parallel", "streaming", "batch"]
Engine = Literal[
    "sqlite",
    "clickhouse",
    "ladybug",
    "fts5",
    "http",
    "prometheus",
    "mcp",
    "postgres",
    "duckdb",
    "mysql",
    "neo4j",
]
Kind = Literal["sql", "http", "graph", "document", "llm", "timeseries", "mcp"]
PolicySet = Literal["DEFAULT", "SQL", "HTTP", "GRAPH"]


class Asset(BaseModel):
    """What every asset has. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,127}$")
    version: int = Field(default=1, ge=1)
    status: Literal["draft", "published", "deleted"] = "published"
    description: str = ""


class SourceAsset(Asset):
    """A store that tools may ask. `tables` is the whitelist: what is not in it does not exist."""

    engine: Engine
    location: str
    """A path or URL; `{data}`, `{pack}` and `{clickhouse}` are filled in by the loader; credentials only as
    `env:NAME` or `file:PATH` references."""
    tables: dict[str, list[str]] = Field(default_factory=dict)
    """Table (or node label) to its columns."""
    tenant_column: str | None = None
    """None: the whole source belongs to the tenants its tools support."""
    user: str = ""
    """The account at a PostgreSQL, MySQL or ClickHouse server; `{tenant}` in it, and in `credential` and `location`,
    stands for the tenant that asks, so that each has a role of its own."""
    credential: str = ""
    """Its password, as a reference: `env:NAME`, `file:PATH` or `vault:PATH#KEY`."""
    outbound: OutboundSpec | None = None
    """Of the engines http, prometheus and mcp: where calls may lead and with which credential."""


class ToolAsset(Asset):
    """A tool as planners, guards and executors know it; its names and defaults are those of a capability."""

    name: str
    tool_type: str
    """The adapter, such as direct_query."""
    kind: Kind
    source: str | None = None
    policy_set: PolicySet | None = None
    """None: the kind picks it (sql → SQL, http → HTTP, graph → GRAPH, others DEFAULT)."""
    capability_type: CapabilityType = "read_only"
    execution_mode: ExecutionMode = "parallel"
    max_concurrent_calls: int = Field(default=10, ge=1)
    timeout_seconds: float = Field(default=30.0, gt=0)
    rate_limit_per_minute: int = Field(default=100, ge=1)
    max_result_size_mb: float = Field(default=50.0, gt=0)
    max_rows: int = Field(default=10_000, ge=1)
    fallback_enabled: bool = True
    fallback_tool_id: str | None = None
    depends_on: tuple[str, ...] = ()
    supported_tenants: tuple[str, ...] | None = None
    roles: tuple[str, ...] = ("admin", "manager", "developer", "viewer")
    """Which roles may use it."""
    parameters: dict[str, Any] = Field(default_factory=dict)
    """JSON schema of the call's parameters (the adapter's own schema when empty)."""
    output_types: tuple[str, ...] = ()
    cost_ms: float = 100.0
    failure_rate: float = 0.01
    shards: int = Field(default=1, ge=1, le=MAX_SHARDS)
    """Into how many parts its calls are divided, each with its share of the limits; one worker runs a part."""
    http: HttpCall | None = None
    """Of an http_tool: the request it makes."""
    mcp: McpCall | None = None
    """Of an mcp_tool: which tool of the server it calls."""
    prometheus: PromCall | None = None
    """Of a prometheus tool: its queries and bounds."""


class PolicyAsset(Asset):
    """Limits of one policy set; without a policy for its set a tool is refused."""

    policy_set: PolicySet
    timeout_s: float = Field(gt=0)
    retries: int = Field(ge=0)
    calls_per_minute: int = Field(ge=1)
    calls_per_second: int = Field(ge=1)
    breaker_failures: int = Field(default=5, ge=1)
    breaker_reset_s: float = Field(default=60.0, gt=0)
    breaker_probes: int = Field(default=1, ge=1)
    """Calls in flight while the breaker is half-open."""
    breaker_successes: int = Field(default=2, ge=1)
    """Good probes that close it."""
    over_limit: Literal["wait", "refuse"] = "wait"
    """What a call does that is over the rate limit: wait inside its deadline, or end in RATE_LIMITED at once."""
    queue_length: int = Field(default=1_000, ge=0)
    """Calls of one tool that may wait; what comes on top is RATE_LIMITED."""
    tenant_calls_per_minute: int | None = Field(default=None, ge=1)
    tenant_calls_per_second: int | None = Field(default=None, ge=1)
    tenant_share: float | None = Field(default=None, gt=0, le=1)
    """At most this part of the limits for one tenant, even when no other tenant is there."""
    cache_ttl_s: float = Field(default=0.0, ge=0, le=86_400)
    """How old a remembered result may be; 0: nothing is remembered. Only of tools that read."""
    read_only: bool = True
    max_rows: int = Field(ge=1)
    allow_tables: tuple[str, ...] | None = None
    deny_tables: tuple[str, ...] = ()


class Parameter(BaseModel):
    """A hole in a template and who fills it.

    Each parameter `name` becomes the argument `name`, except a `time_range`: it becomes the two arguments
    `name_from` and `name_to` (Unix seconds, UTC, from ≤ t < to), bound as `:name_from` and `:name_to` in
    SQL and `$name_from` and `$name_to` in Cypher. Its `default` is a time range in words: "last 1 hour".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["string", "integer", "number", "time_range"]
    resolver: Literal["entity", "enum", "top_n", "time_range", "number", "text"]
    values_from: str | None = None
    """For `entity`: id of the template (of the same pack) whose first result column lists the known names.
    A fixed list may stand in `values` instead; `aliases` maps other names to known ones."""
    values: tuple[str, ...] = ()
    """For `enum`: allowed values; synonyms go into `aliases`."""
    aliases: dict[str, str] = Field(default_factory=dict)
    default: Any = None
    """None: the question must give it, else the template does not apply."""
    minimum: float | None = None
    maximum: float | None = None


class RenderSpec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: str = ""
    """What the answer calls it, when not by the template's title. A `{name}` in it is an argument of the call."""
    title_ko: str = ""
    text: str = ""
    text_ko: str = ""
    """In Korean; where there is none, `text` speaks."""
    show: Show = Show.TABLE
    max_rows: int = 12


class TemplateAsset(Asset):
    """A question the pack can answer: words that ask for it, the tool that answers, and how to say it."""

    title: str
    tool: str
    mode: Mode
    examples: tuple[str, ...] = Field(min_length=1)
    """Example questions, English or Korean: what retrieval learns from."""
    keywords: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    statement: str = ""
    """SQL or Cypher with named parameters (`:name` for SQL, `$name` for Cypher); else empty."""
    call: dict[str, Any] = Field(default_factory=dict)
    """Further parameters of the tool, passed as they are (for baseline_metrics: metric, functions, …)."""
    units: dict[str, Unit] = Field(default_factory=dict)
    """Result column (or fact) to its unit."""
    render: RenderSpec = RenderSpec()


class ComboAsset(Asset):
    """A question that needs several templates at once."""

    title: str
    examples: tuple[str, ...] = Field(min_length=1)
    keywords: tuple[str, ...] = ()
    templates: tuple[str, ...] = Field(min_length=2)
    mode: Mode = Mode.ALL
