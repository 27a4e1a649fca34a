"""What a planner is given and what it may decide."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from registry.registry import Registry
from schemas.plans import AppliedAsset, Render
from schemas.questions import QuestionAsked

KnownValues = Callable[[str, str], Sequence[str]]
"""(tenant_id, template_id) → the names in the first column of that template's result. Planning calls it while it
decides, so it must answer from memory; the same sequence object until the names change keeps the index warm."""


@dataclass(frozen=True, slots=True)
class PlanningContext:
    """All a planner may know beside the question. `now` in Unix seconds, UTC."""

    registry: Registry
    tenant_id: str
    roles: tuple[str, ...]
    now: float
    known_values: Callable[[str], Sequence[str]]
    """Template id → known names, for this tenant."""


@dataclass(frozen=True, slots=True)
class Direct:
    """Answered without any tool."""

    text: str
    reasons: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Reject:
    """Not answered: why not, and what could be asked instead."""

    text: str
    reasons: tuple[str, ...] = ()
    suggestions: tuple[str, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class DraftStep:
    """A step as its planner thinks of it; tool type, kind and limits are filled in when it is validated."""

    step_id: str
    tool_id: str
    params: dict[str, Any] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    timeout_s: float | None = None
    render: Render | None = None
    template_id: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """Steps to run. It is validated before it travels, whoever made it."""

    steps: tuple[DraftStep, ...]
    planner: str
    reasons: tuple[str, ...] = ()
    score: float = 0.0
    applied: tuple[AppliedAsset, ...] = ()
    """Assets that shaped the draft besides its tools and templates."""


class Planner(Protocol):
    """Turns a question into a decision. Pure: no I/O, no clock but the context's."""

    name: str

    def plan(self, question: QuestionAsked, context: PlanningContext) -> Direct | Draft | Reject: ...
