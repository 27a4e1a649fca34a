"""What a planner is given and what it may decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from registry.choosing import Health, nothing_known
from registry.registry import Registry
from schemas.errors import OpsError
from schemas.plans import AppliedAsset, LlmUsage, Render, StepFailure
from schemas.questions import QuestionAsked

KnownValues = Callable[[str, str], Sequence[str]]
"""(tenant_id, template_id) → the names in the first column of that template's result. Planning calls it while it
decides, so it must answer from memory; the same sequence object until the names change keeps the index warm."""


PLAN_BUDGET_S = 30.0
"""What planning may take of a question's time."""


def _unchecked(_: "Draft") -> OpsError | None:
    return None


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """All a planner may know beside the question. `now` in Unix seconds, UTC."""

    registry: Registry
    tenant_id: str
    roles: tuple[str, ...]
    now: float
    known_values: Callable[[str], Sequence[str]]
    """Template id → known names, for this tenant."""
    time_zone: str = "UTC"
    """IANA name, the asker's: what "yesterday" means."""
    language: str = "en"
    """Of the question: `en` or `ko`."""
    avoid: frozenset[str] = frozenset()
    """Tools that a replan must not use."""
    health: Health = nothing_known
    failures: tuple[StepFailure, ...] = ()
    """For a replan: the steps of the plan before that failed for good."""
    budget_s: float = PLAN_BUDGET_S
    """For a planner that waits: seconds it may take."""
    check: Callable[["Draft"], OpsError | None] = _unchecked
    """What would be wrong with a draft as a plan; None when it is valid."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Answered without any tool."""

    text: str
    reasons: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    score: float = 0.0
    usage: LlmUsage | None = None


@dataclass(frozen=True, slots=True)
class Reject:
    """Not answered: why not, and what could be asked instead."""

    text: str
    reasons: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    score: float = 0.0
    usage: LlmUsage | None = None


@dataclass(frozen=True, slots=True)
class PlannerFailed:
    """A planner that waits came to nothing: it was not reached, ran out of time, or made no valid plan."""

    error: OpsError
    usage: LlmUsage | None = None


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step as its planner thinks of it; tool type, kind and limits are filled in when it is validated."""

    step_id: str
    tool_id: str | None
    """None where a capability is asked for instead."""
    params: dict[str, Any] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    timeout_s: float | None = None
    render: Render | None = None
    template_id: str | None = None
    capability: str | None = None
    fallback: str | None = None
    continue_on_error: bool = True


@dataclass(frozen=True, slots=True)
class Draft:
    """Steps to run. It is validated before it travels, whoever made it."""

    steps: tuple[DraftStep, ...]
    planner: str
    reasons: tuple[str, ...] = ()
    score: float = 0.0
    applied: tuple[AppliedAsset, ...] = ()
    """Assets that shaped the draft besides its tools and templates."""
    usage: LlmUsage | None = None
    at: Callable[[float], "Draft | None"] | None = field(default=None, compare=False, repr=False)
    """The same draft as of another moment, where its times are kept in words; None: they are fixed."""


Decision = Direct | Draft | Reject


class Planner(Protocol):
    """Turns a question into a decision. Pure: no I/O, no clock but the context's."""

    name: str

    def plan(self, question: QuestionAsked, context: PlanningContext) -> Direct | Draft | Reject: ...


class AsyncPlanner(Protocol):
    """A planner that has to wait, such as a language model. It keeps to `context.budget_s` and raises only for bugs."""

    name: str

    async def plan_async(
        self, question: QuestionAsked, context: PlanningContext
    ) -> Direct | Draft | Reject | PlannerFailed: ...
