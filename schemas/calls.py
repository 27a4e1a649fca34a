"""One call of a tool: asked for, succeeded or failed."""

from dataclasses import field
from enum import StrEnum
from typing import Annotated, Literal

from schemas.errors import OpsError
from schemas.word import AS_JSON, Instant, Json, word


class Unit(StrEnum):
    """What a figure is counted in; tells the reader's side how to write it."""

    BYTES = "bytes"
    PERCENT = "percent"
    SECONDS = "seconds"
    TIMESTAMP = "timestamp"
    NUMBER = "number"
    TEXT = "text"


class Shape(StrEnum):
    """How to read the rows of an output.

    table: any columns. series: first column a timestamp (Unix seconds), second a number, oldest first.
    graph: columns from, relation, to. documents: columns of a search hit. facts: no rows, named figures only.
    """

    TABLE = "table"
    SERIES = "series"
    GRAPH = "graph"
    DOCUMENTS = "documents"
    FACTS = "facts"


@word
class Column:
    name: str
    unit: Unit = Unit.TEXT


@word
class ClaimCheck:
    """Where the whole of a result lies that was too large to travel; what travels is its first rows."""

    reference: str
    digest: str
    """SHA-256 of the stored bytes, in hexadecimal."""
    size_bytes: int
    row_count: int


@word
class ToolOutput:
    """What a tool found. Rows are lists of JSON scalars, one per column, in column order."""

    shape: Shape
    columns: tuple[Column, ...] = ()
    rows: list[list[Json]] = field(default_factory=list)
    facts: dict[str, Json] = field(default_factory=dict)
    """Named figures computed by the tool, such as p95 or row_count; scalars."""
    fact_units: dict[str, Unit] = field(default_factory=dict)
    truncated: bool = False
    """More rows existed than the cap let through (`MAX_ROWS_EXCEEDED`)."""
    source: str = ""
    """Which source was asked, as its asset id."""
    query: str = ""
    """What was asked, in words fit for a user: a template's id and its arguments, never a statement."""
    read_at: Instant = 0.0
    claim: ClaimCheck | None = None
    """Set when `rows` are only the first of what was found, and all of it lies in the claim store."""


@word
class ToolCalled:
    """Published by the join when all a step waits for is there; keyed by `tool_id`."""

    event: Literal["ToolCalled"] = "ToolCalled"
    trace_id: str
    tenant_id: str
    user_id: str
    roles: tuple[str, ...]
    call_id: str
    step_id: str
    tool_id: str
    tool_type: str
    kind: str
    params: dict[str, Json]
    timeout_s: float
    deadline_at: Instant
    called_at: Instant
    max_rows: int | None = None
    group: int = 0
    """Execution group: steps of one group may run side by side."""
    attempt: int = 0
    """The plan that asked for this call: 0 for the first, n for the n-th replan."""
    stands_in_for: str | None = None
    """The tool that failed, where this call is its fallback."""
    no_cache: bool = False
    """Run it, whatever is remembered of the same call."""
    shards: int = 1
    """Into how many parts the tool's calls are divided; which one this is follows from `call_id`."""


@word
class ToolSucceeded:
    event: Literal["ToolSucceeded"] = "ToolSucceeded"
    trace_id: str
    tenant_id: str
    call_id: str
    step_id: str
    tool_id: str
    tool_type: str
    group: int
    started_at: Instant
    ended_at: Instant
    retries: int = 0
    output: Annotated[ToolOutput, AS_JSON]
    policy_version: int = 0
    asset_version: int = 0
    cached: bool = False
    """Taken from an earlier identical call of the same tenant; `output.read_at` says how old it is."""
    lifted: tuple[str, ...] = ()
    """Overrides that let this call past a block, as `id@version`."""
    waited_s: float = 0.0
    """How long it stood before the tool's limit, breaker and places, over all tries."""


@word
class ToolFailed:
    event: Literal["ToolFailed"] = "ToolFailed"
    trace_id: str
    tenant_id: str
    call_id: str
    step_id: str
    tool_id: str
    tool_type: str
    group: int
    started_at: Instant
    ended_at: Instant
    retries: int = 0
    error: OpsError
    policy_version: int = 0
    asset_version: int = 0
    lifted: tuple[str, ...] = ()
    """Overrides that let this call past a block, as `id@version`."""
    waited_s: float = 0.0
    """How long it stood before the tool's limit, breaker and places, over all tries."""


@word
class DeadlinePassed:
    """Published by the sweep of the deadline table; the fold decides what it means."""

    event: Literal["DeadlinePassed"] = "DeadlinePassed"
    trace_id: str
    tenant_id: str
    phase: Literal["total", "execution", "compose"] = "total"
    deadline_at: Instant
    passed_at: Instant
