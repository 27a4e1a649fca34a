"""Plans: what the planner decided, and the events that carry it to the join."""

from dataclasses import field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.errors import ErrorCode, OpsError
from schemas.word import AS_JSON, Instant, Json, word

MAX_STEPS = 20
MAX_DEPTH = 6
MAX_REPLANS = 3
"""How often a question may be given another plan."""

StepId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
ToolName = Annotated[str, StringConstraints(min_length=1, max_length=128)]


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
    unit one of bytes, percent, seconds, timestamp, number; `{name|unit|one|many}` adds the noun that is counted, or
    with one word only the unit that the figure is in. A `{name}` in a title is an argument of the step's call.
    """

    title: str
    text: str = ""
    show: Show = Show.TABLE
    max_rows: int = 12
    """Rows drawn in a table block; the rest is counted."""
    title_ko: str = ""
    """Korean; where there is none, the other speaks."""
    text_ko: str = ""
    measure: str = ""
    """What is measured, such as latency_p95_ms: outputs of one measure are about the same figure."""


@word
class Fallback:
    """The call that is made instead when a step's own tool failed for good; resolved like the step itself."""

    tool_id: str
    tool_type: str
    kind: str
    params: dict[str, Json] = field(default_factory=dict)
    timeout_s: float = 30.0
    render: Render | None = None
    serial: bool = False
    shards: int = 1


@word
class Step:
    """One call of the plan. Which tool it is, its kind and its limits are resolved before it travels.

    Anywhere inside `params` may stand a reference to an earlier result, `{"$from": step_id, "path": JMESPath}`. The
    step it names is among `depends_on`; the join puts the value there when it gives out the call.
    """

    step_id: StepId
    tool_id: str
    tool_type: str
    """The adapter: direct_query, graph_query, document_search, baseline_metrics, …"""
    kind: str
    """Chooses the topic `ops.tool-calls.<kind>`: sql, http, graph, document, llm, timeseries, mcp."""
    params: dict[str, Json] = field(default_factory=dict)
    depends_on: tuple[StepId, ...] = ()
    fallback: Fallback | None = None
    timeout_s: float = 30.0
    render: Render | None = None
    capability: str | None = None
    """The capability that was asked for, where the plan left the choice of the tool open."""
    serial: bool = False
    """Never beside another call of the same tool in this question."""
    continue_on_error: bool = True
    """False: when this step has failed for good, no further step is begun."""
    attempt: int = 0
    """The plan that made this step what it is: 0 for the first, n for the n-th replan. Part of its call's id."""
    shards: int = 1
    """Into how many parts the tool's calls are divided; each part holds its share of the tool's limits."""


@word
class ProducerStep:
    """A step of a plan that a producer sends along: a tool or a capability (exactly one), its parameters, what it
    waits for, and which tool may stand in."""

    step_id: StepId
    tool_id: ToolName | None = None
    params: dict[str, Json] = field(default_factory=dict)
    depends_on: Annotated[tuple[StepId, ...], Field(max_length=MAX_STEPS)] = ()
    timeout_s: Annotated[float, Field(gt=0, le=120)] | None = None
    capability: ToolName | None = None
    fallback: ToolName | None = None
    """A tool that takes the same parameters; None: the one that the tool itself names, if any."""
    continue_on_error: bool = True


@word
class ProducerPlan:
    steps: Annotated[tuple[ProducerStep, ...], Field(min_length=1, max_length=MAX_STEPS)]
    strategy: Strategy | None = None
    """None: as the dependencies say. `serial` runs one step at a time, in the order of the plan."""


@word
class AppliedAsset:
    """Which version of an asset took part in the answer."""

    asset_id: str
    kind: str
    version: int


@word
class LlmUsage:
    """What a language model was used for: tokens and time over all calls."""

    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_ms: float = 0.0
    calls: int = 0


@word
class StepFailure:
    """A step that failed for good: the tools that were tried for it, and what the last one failed of."""

    step_id: str
    tool_ids: tuple[str, ...]
    code: ErrorCode


@word
class StepChange:
    """One step before and after a replan."""

    step_id: str
    tool_before: str
    tool_after: str
    reason: str = ""


@word
class PlanPatch:
    """What a replan changed. Nothing in it: there was no other way, and the plan stands as it was."""

    replaced: tuple[StepChange, ...] = ()
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    reason: str = ""

    @property
    def changes(self) -> bool:
        return bool(self.replaced or self.removed or self.added)


Trigger = Literal["error", "timeout", "policy_violation"]
Gravity = Literal["low", "medium", "high", "critical"]


@word
class ReplanRecord:
    """One replan: what was asked for and why, and what was decided."""

    attempt: int
    trigger: Trigger
    severity: Gravity
    reason: str
    failures: tuple[StepFailure, ...] = ()
    requested_at: Instant = 0.0
    decided_at: Instant = 0.0
    patch: PlanPatch | None = None


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
    """0 for the first plan, counts replans. A replan is a whole plan: its steps are all that there are."""
    max_replans: int = 0
    """How often the join may ask for another plan; 0 where the planner knows no other way."""
    fail_fast: bool = False
    """Answer at once when a step has failed for good."""
    no_cache: bool = False
    allowed_tools: tuple[str, ...] | None = None
    """The question's own restriction: only these tools, for a replan too."""
    language: str = "en"
    """Of the question, `en` or `ko`; the texts of the answer follow it."""
    time_zone: str = "UTC"
    """IANA name, the asker's."""
    usage: LlmUsage | None = None
    patch: PlanPatch | None = None
    """What this attempt changed; None for the first plan."""
    replan_records: Annotated[tuple[ReplanRecord, ...], AS_JSON] = ()
    """Every replan up to this one, oldest first."""
    composer: Annotated[Step | None, AS_JSON] = None
    """A model that writes the text when all steps have ended; it is held to the figures of their outputs."""


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
    language: str = "en"


@word
class ReplanRequested:
    """The join asks for another plan; published to `ops.replans`. It holds all that the planner needs to decide, so
    that the planner remembers nothing."""

    event: Literal["ReplanRequested"] = "ReplanRequested"
    trace_id: str
    tenant_id: str
    attempt: int
    """The number of the plan that is asked for, 1 to 3."""
    trigger: Trigger
    severity: Gravity
    reason: str
    requested_at: Instant
    plan: Annotated[PlanMade, AS_JSON]
    """The plan as it stands: question, asker, mode, deadline, steps."""
    failures: tuple[StepFailure, ...] = ()
    succeeded: tuple[str, ...] = ()
    """Steps whose results stay."""
    avoid: tuple[str, ...] = ()
    """Tools that failed in this question; another plan must not ask them again."""
