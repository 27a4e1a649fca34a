"""Plans: what the planner decided, and the events that carry it to the join."""

from dataclasses import field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.errors import OpsError
from schemas.word import AS_JSON, Instant, Json, word

MAX_STEPS = 20
MAX_DEPTH = 6

StepId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


class PlanKind(StrEnum):
    """`direct` answers without tools, `plan` runs steps, `reject` says what could be asked instead."""

    DIRECT = "direct"
    PLAN = "plan"
    REJECT = "reject"


class Strategy(StrEnum):
    PARALLEL = "parallel"
    SERIAL = "serial"
    DAG = "dag"


class Show(StrEnum):
    """How a step's output is drawn in the answer."""

    TEXT = "text"
    TABLE = "table"
    SERIES = "series"
    GRAPH = "graph"


@word
class Render:
    """How the answer speaks of a step's output. It travels with the plan, so that the join needs no registry.

    `text` is a template over the output's facts and the first row's columns: `{name}` or `{name|unit}` with
    unit one of bytes, percent, seconds, timestamp, number.
    """

    title: str
    text: str = ""
    show: Show = Show.TABLE
    max_rows: int = 12
    """Rows drawn in a table block; the rest is counted."""


@word
class Step:
    """One call of the plan. Which tool it is, its kind and its limits are resolved before it travels."""

    step_id: StepId
    tool_id: str
    tool_type: str
    """The adapter: direct_query, graph_query, document_search, baseline_metrics, …"""
    kind: str
    """Chooses the topic `ops.tool-calls.<kind>`: sql, http, graph, document, llm, timeseries, mcp."""
    params: dict[str, Json] = field(default_factory=dict)
    depends_on: tuple[StepId, ...] = ()
    fallback: str | None = None
    timeout_s: float = 30.0
    render: Render | None = None


@word
class ProducerStep:
    """A step of a plan that a producer sends along: a tool, its parameters, what it waits for."""

    step_id: StepId
    tool_id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    params: dict[str, Json] = field(default_factory=dict)
    depends_on: Annotated[tuple[StepId, ...], Field(max_length=MAX_STEPS)] = ()
    timeout_s: Annotated[float, Field(gt=0, le=120)] | None = None


@word
class ProducerPlan:
    steps: Annotated[tuple[ProducerStep, ...], Field(min_length=1, max_length=MAX_STEPS)]


@word
class AppliedAsset:
    """Which version of an asset took part in the answer."""

    asset_id: str
    kind: str
    version: int


@word
class PlanMade:
    """The planner's decision, published to `ops.aggregation`; it opens the trace and its deadline."""

    event: Literal["PlanMade"] = "PlanMade"
    trace_id: str
    tenant_id: str
    question_id: str
    user_id: str
    roles: tuple[str, ...]
    question: str
    mode: str
    kind: PlanKind
    asked_at: Instant
    """When the planner read the question; budgets count from here."""
    planned_at: Instant
    deadline_at: Instant
    max_rows: int | None = None
    steps: Annotated[tuple[Step, ...], AS_JSON] = ()
    strategy: Strategy = Strategy.PARALLEL
    planner: str = "rules"
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    text: str = ""
    """The answer itself for `direct`, why not for `reject`."""
    suggestions: tuple[str, ...] = ()
    applied_assets: tuple[AppliedAsset, ...] = ()
    attempt: int = 0
    """0 for the first plan, counts replans."""


@word
class PlanFailed:
    """No plan, and no hope of one: the trace is answered `failed` with this error."""

    event: Literal["PlanFailed"] = "PlanFailed"
    trace_id: str
    tenant_id: str
    question_id: str
    user_id: str
    question: str
    mode: str
    asked_at: Instant
    planned_at: Instant
    deadline_at: Instant
    error: OpsError


@word
class ReplanRequested:
    """The join asks for another plan: what triggered it and how grave it was."""

    event: Literal["ReplanRequested"] = "ReplanRequested"
    trace_id: str
    tenant_id: str
    attempt: int
    trigger: Literal["error", "timeout", "policy_violation"]
    severity: Literal["low", "medium", "high", "critical"]
    reason: str
    requested_at: Instant
