"""`QuestionAsked`: what a producer publishes to ask."""

from dataclasses import field
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from schemas.ids import QuestionId, TenantId
from schemas.plans import ProducerPlan, ToolName
from schemas.word import Json, word

MAX_QUESTION_CHARACTERS = 8_000
MAX_EVENT_BYTES = 64 * 1024
MAX_NESTING = 32
MAX_AHEAD_S = 3_600.0
MAX_AGE_S = 366 * 86_400.0
TOTAL_BUDGET_S = 120.0
TENANT_HEADER = "tenant_id"


class Mode(StrEnum):
    """Which kind of knowledge a question asks for; `all` leaves it to the planner."""

    ALL = "all"
    CONFIG = "config"
    METRIC = "metric"
    HISTORY = "history"
    GRAPH = "graph"
    DOCUMENT = "document"


RoleName = Annotated[str, StringConstraints(min_length=1, max_length=64)]


@word
class User:
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    roles: Annotated[tuple[RoleName, ...], Field(max_length=32)]


@word
class QuestionOptions:
    """A closed set: an option that is not here is a dead letter, not a silent no-op."""

    max_rows: Annotated[int, Field(ge=1, le=10_000)] | None = None
    deadline_s: Annotated[float, Field(gt=0, le=TOTAL_BUDGET_S)] | None = None
    """Seconds from the moment the planner reads the question; can only shorten the budget of 120 s."""
    deadline: AwareDatetime | None = None
    """Absolute; one already past is answered `failed`."""
    tools: Annotated[tuple[ToolName, ...], Field(max_length=32)] | None = None
    """Use only these tools."""
    fail_fast: bool = False
    """Answer at once when a step has failed for good, instead of going on with those that do not need it."""
    no_cache: bool = False
    """Plan and run afresh, whatever is remembered of the same question."""
    planner: Literal["rules", "llm"] | None = None
    """Which planner is to decide; None leaves it to the installation."""


@word
class QuestionAsked:
    schema_version: Annotated[int, Field(ge=1, le=1)]
    question_id: QuestionId
    tenant_id: TenantId
    user: User
    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION_CHARACTERS)]
    created_at: AwareDatetime
    mode: Mode = Mode.ALL
    context: dict[str, Json] = field(default_factory=dict)
    options: QuestionOptions = field(default_factory=QuestionOptions)
    plan: ProducerPlan | None = None
