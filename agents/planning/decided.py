"""From a decision to the event that carries it."""

from typing import NamedTuple

from agents.llm.prompts import prompt
from agents.planning.asking import language_of, time_zone_of
from agents.planning.validation import Asker, usable
from registry.defaults import shards_of, timeout_of
from registry.registry import Registry
from schemas.errors import OpsError
from schemas.plans import AppliedAsset, LlmUsage, PlanFailed, PlanKind, PlanMade, Step, Strategy
from schemas.questions import QuestionAsked

COMPOSE_BUDGET_S = 20.0
"""What a model may take to write the text."""
_COMPOSE = "_compose"


class Asked(NamedTuple):
    """A question, when it was read, and when its answer is due."""

    question: QuestionAsked
    trace_id: str
    now: float
    deadline_at: float


class Decided(NamedTuple):
    """A decision, whoever made it, before it becomes an event."""

    kind: PlanKind
    planner: str
    reasons: tuple[str, ...]
    score: float
    steps: tuple[Step, ...] = ()
    strategy: Strategy = Strategy.PARALLEL
    applied: tuple[AppliedAsset, ...] = ()
    text: str = ""
    suggestions: tuple[str, ...] = ()
    usage: LlmUsage | None = None
    max_replans: int = 0


def plan_made(asked: Asked, decided: Decided, planned_at: float, composer: Step | None) -> PlanMade:
    """The plan, direct answer or rejection as an event."""
    question, trace_id, now, deadline_at = asked
    options = question.options
    applied = decided.applied if composer is None else (*decided.applied, prompt("compose").applied)
    return PlanMade(
        trace_id=trace_id,
        tenant_id=question.tenant_id,
        question_id=question.question_id,
        user_id=question.user.id,
        roles=question.user.roles,
        question=question.question,
        mode=question.mode.value,
        kind=decided.kind,
        asked_at=now,
        planned_at=planned_at,
        deadline_at=deadline_at,
        max_rows=options.max_rows,
        steps=decided.steps,
        strategy=decided.strategy,
        planner=decided.planner,
        score=decided.score,
        reasons=decided.reasons,
        text=decided.text,
        suggestions=decided.suggestions,
        applied_assets=applied,
        fail_fast=options.fail_fast,
        no_cache=options.no_cache,
        allowed_tools=options.tools,
        language=language_of(question),
        time_zone=time_zone_of(question),
        usage=decided.usage,
        max_replans=decided.max_replans,
        composer=composer,
    )


def plan_failed(asked: Asked, error: OpsError, planned_at: float) -> PlanFailed:
    """The failure to make any plan as an event."""
    question = asked.question
    return PlanFailed(
        trace_id=asked.trace_id,
        tenant_id=question.tenant_id,
        question_id=question.question_id,
        user_id=question.user.id,
        question=question.question,
        mode=question.mode.value,
        asked_at=asked.now,
        planned_at=planned_at,
        deadline_at=asked.deadline_at,
        error=error,
        language=language_of(question),
    )


def composing_step(registry: Registry, tool_id: str, asked: Asked, decided: Decided) -> Step | None:
    """The call of the model that writes the text; None where the plan runs nothing, or the asker may not use it."""
    tool, question = registry.tool(tool_id), asked.question
    asker = Asker(
        question.tenant_id, question.user.roles
    )  # what may be asked is restricted, not who tells of it
    if tool is None or decided.kind is not PlanKind.PLAN or not usable(tool, asker):
        return None
    step_id = _COMPOSE
    while any(step.step_id == step_id for step in decided.steps):
        step_id += "_"
    return Step(
        step_id=step_id,
        tool_id=tool.id,
        tool_type=tool.tool_type,
        kind=tool.kind,
        params={"task": "compose"},
        timeout_s=min(timeout_of(tool, registry.policy_for(tool)), COMPOSE_BUDGET_S),
        shards=shards_of(tool, registry.policy_for(tool)),
    )
