"""How assets describe what is called over a network: where it may lead, with which credential, and how one request is
made and read. Nothing here holds a secret: only references."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.calls import Unit

_REFERENCE = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|vault:[^#]+#.+)$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HostEntry(_Part):
    """A host that may be called. With host, port and scheme all named it may lie inside the own network."""

    host: str = Field(min_length=1, max_length=253)
    port: int | None = Field(default=None, ge=1, le=65_535)
    scheme: Literal["http", "https"] | None = None
    internal: bool | None = None
    """True: may lead to internal addresses (never to metadata or link-local ones)."""


class CredentialRef(_Part):
    """A secret by reference, resolved when a call is made, and the header it goes into."""

    secret: str = Field(pattern=_REFERENCE)
    """`env:NAME`, `file:PATH` or `vault:PATH#KEY`."""
    header: str = Field(default="Authorization", pattern=r"^[A-Za-z0-9-]{1,64}$")
    scheme: Literal["Bearer", "Basic", ""] = "Bearer"
    """What stands before the secret; for Basic the secret is `user:password`."""


class OutboundSpec(_Part):
    """Of a source that is called over HTTP: where it may lead and what goes along."""

    mode: Literal["public", "allowlist"] = "allowlist"
    """allowlist: the source's own host and those listed; public: any public host."""
    allowlist: tuple[str | HostEntry, ...] = ()
    """Hosts, `*.domain`, addresses, ranges, or entries. The source's own host is always on it."""
    internal: bool = False
    """True: the source's own host may lie inside the own network."""
    headers: dict[str, str] = Field(default_factory=dict)
    credential: CredentialRef | None = None
    max_bytes: int = Field(default=10_000_000, ge=1, le=100_000_000)
    """Of one reply, before and after compression."""
    command: tuple[str, ...] = ()
    """MCP over stdio: the program and its arguments, exactly as they are run."""
    environment: dict[str, str] = Field(default_factory=dict)
    """MCP over stdio: names to references (`env:NAME` …) or `plain:TEXT`, handed to the program."""
    tenant_label: str = Field(default="tenant_id", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")
    """Prometheus: the label every selector is bound to."""
    tenant_bound: bool = True
    """Prometheus: False only for a source whose series belong to all of its tools' tenants."""


class Paging(_Part):
    """How the next page is asked for. Never more than `max_pages`, never beyond the row cap."""

    kind: Literal["page", "offset", "cursor", "link"]
    parameter: str = ""
    """The query parameter that moves: the page's number, the offset or the cursor."""
    start: int = 1
    size: int = Field(default=100, ge=1, le=10_000)
    size_parameter: str = ""
    cursor: str = ""
    """JMESPath of the next cursor in the reply; null ends."""
    max_pages: int = Field(default=10, ge=1, le=100)


class HttpCall(_Part):
    """One HTTP request as a template. `{name}` in a text is filled from the call's parameters, encoded for where it
    stands; a query, header or body value that is exactly `{name}` keeps the parameter's type, and is left out when
    the parameter was not given. `{tenant_id}` is the asker's tenant."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    path: str = Field(default="", max_length=2_000)
    query: dict[str, Any] = Field(default_factory=dict)
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None
    response: Literal["json", "text"] = "json"
    rows: str = ""
    """JMESPath to the list of rows; empty: the reply itself."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Column to its JMESPath inside a row; empty: the row's own names."""
    facts: dict[str, str] = Field(default_factory=dict)
    """Figure to its JMESPath inside the reply."""
    units: dict[str, Unit] = Field(default_factory=dict)
    response_schema: dict[str, Any] = Field(default_factory=dict)
    """JSON schema of the reply."""
    not_found: Literal["error", "empty"] = "error"
    """What a 404 means: DATA_NOT_FOUND, or no rows."""
    paging: Paging | None = None

    @field_validator("rows")
    @classmethod
    def _readable(cls, expression: str) -> str:
        import jmespath

        if expression:
            jmespath.compile(expression)
        return expression


class McpCall(_Part):
    """One tool of an MCP server."""

    tool: str = Field(min_length=1, max_length=256)
    output_schema: dict[str, Any] = Field(default_factory=dict)
    rows: str = ""
    """JMESPath into the structured result; empty: the result itself."""


class PromCall(_Part):
    """Queries a Prometheus tool may run. Without any, a call may bring its own PromQL."""

    queries: dict[str, str] = Field(default_factory=dict)
    """Name to PromQL; `{name}` stands for a parameter inside a label's quoted value or a duration."""
    max_points: int = Field(default=11_000, ge=2, le=11_000)
    max_range_s: float = Field(default=31 * 86_400.0, gt=0)
