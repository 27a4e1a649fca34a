"""Another plan by a language model, where no other tool of the same kind does the work of a step that failed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from agents.llm.usage import summed
from agents.planning.context import AsyncPlanner, Draft, DraftStep, PlannerFailed, PlanningContext
from agents.planning.decided import Decided
from agents.planning.validation import Asker, check_plan, strategy_of
from registry.registry import Registry
from schemas.errors import OpsError
from schemas.plans import PlanMade, PlanPatch, ReplanRequested
from schemas.questions import Mode, QuestionAsked, QuestionOptions, User

LLM_REPLANS = 1
"""How often a model is asked for another plan for one question: each costs its time and tokens."""
_LEAST_S = 1.0
"""With less time than this no model is asked."""
_SHARE = 0.5
_LONGEST_STEP_ID = 64


class Plans(Protocol):
    """What this needs of `agents.planning.planning.Planning`."""

    @property
    def registry(self) -> Registry: ...

    def context_for(
        self, question: QuestionAsked, now: float, *, avoid: frozenset[str] = frozenset()
    ) -> PlanningContext: ...

    def resolve(self, draft: Draft, asker: Asker) -> Decided | OpsError: ...


async def think_again(
    model: AsyncPlanner, planning: Plans, request: ReplanRequested, standing: PlanMade, now: float
) -> PlanMade:
    """The next plan: `standing` (the answer to the request without a model, in which nothing has changed) with new
    steps in the place of those that failed and of those that waited for them. Where the model knows no other way
    either, `standing` itself, with what was paid for."""
    left_s = standing.deadline_at - now
    if left_s < _LEAST_S:
        return standing
    question = _question(request)
    context = replace(
        planning.context_for(question, now, avoid=frozenset(request.avoid)),
        failures=request.failures,
        budget_s=left_s * _SHARE,
    )
    found = await model.plan_async(question, context)
    paid = replace(standing, usage=summed(standing.usage, found.usage))
    if isinstance(found, PlannerFailed) or not isinstance(found, Draft):
        return paid
    asker = Asker(question.tenant_id, question.user.roles, question.options.tools)
    decided = planning.resolve(_renamed(found, request.attempt), asker)
    if isinstance(decided, OpsError):
        return paid
    added = tuple(replace(step, attempt=request.attempt) for step in decided.steps)
    lost = _lost(request)
    steps = (*[step for step in standing.steps if step.step_id not in lost], *added)
    if check_plan(steps, planning.registry, asker) is not None:
        return paid
    patch = PlanPatch(
        removed=tuple(step.step_id for step in standing.steps if step.step_id in lost),
        added=tuple(step.step_id for step in added),
        reason=f"another way by {model.name}",
    )
    record = replace(standing.replan_records[-1], patch=patch)
    return replace(
        paid,
        steps=steps,
        strategy=strategy_of(steps),
        patch=patch,
        replan_records=(*standing.replan_records[:-1], record),
        applied_assets=tuple(dict.fromkeys((*standing.applied_assets, *decided.applied))),
    )


def _question(request: ReplanRequested) -> QuestionAsked:
    plan = request.plan
    return QuestionAsked(
        schema_version=1,
        question_id=plan.question_id,
        tenant_id=plan.tenant_id,
        user=User(id=plan.user_id, roles=plan.roles),
        question=plan.question,
        created_at=datetime.fromtimestamp(plan.asked_at, UTC),
        mode=Mode(plan.mode),
        context={"language": plan.language, "time_zone": plan.time_zone},
        options=QuestionOptions(tools=plan.allowed_tools),
    )


def _lost(request: ReplanRequested) -> set[str]:
    """The steps that failed, and all that wait for them."""
    lost = {failure.step_id for failure in request.failures}
    grown = True
    while grown:
        waiting = {step.step_id for step in request.plan.steps if lost.intersection(step.depends_on)}
        grown = not waiting <= lost
        lost |= waiting
    return lost


def _renamed(draft: Draft, attempt: int) -> Draft:
    """The draft under step ids of its own, so that none is that of a step before."""
    names = {step.step_id: f"r{attempt}.{step.step_id}"[:_LONGEST_STEP_ID] for step in draft.steps}

    def renamed(value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("$from"), str):
                return {**value, "$from": names.get(value["$from"], value["$from"])}
            return {name: renamed(inner) for name, inner in value.items()}
        return [renamed(inner) for inner in value] if isinstance(value, list) else value

    def step_of(step: DraftStep) -> DraftStep:
        return replace(
            step,
            step_id=names[step.step_id],
            depends_on=tuple(names.get(each, each) for each in step.depends_on),
            params=renamed(step.params),
        )

    return replace(draft, steps=tuple(map(step_of, draft.steps)), at=None)
