"""Planning: every question gets exactly one decision, a plan or the failure to make one. Pure but for caches."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from agents.planning.context import Direct, Draft, KnownValues, Planner, PlanningContext, Reject
from agents.planning.resolution import Resolution
from agents.planning.validation import Asker
from registry.registry import Registry
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.plans import AppliedAsset, PlanFailed, PlanKind, PlanMade, ProducerPlan, Step, Strategy
from schemas.questions import TOTAL_BUDGET_S, QuestionAsked

PRODUCER = "producer"
_PRODUCER_REASONS = ("the question brought its own plan",)

Outcome = PlanMade | PlanFailed


def deadline_of(question: QuestionAsked, now: float) -> float:
    """When the answer is due: 120 s from now, or earlier if the question says so."""
    options = question.options
    deadline_at = now + TOTAL_BUDGET_S
    if options.deadline_s is not None:
        deadline_at = min(deadline_at, now + options.deadline_s)
    if options.deadline is not None:
        deadline_at = min(deadline_at, options.deadline.timestamp())
    return deadline_at


class Planning:
    """Decides what becomes of questions, against one registry; make a new one when the registry changes.

    `planners` are asked in turn: the first that does not reject wins, else the last one's rejection stands.
    `clock`, if given, stamps `planned_at`; nothing is decided by it.
    """

    def __init__(
        self,
        registry: Registry,
        planners: Sequence[Planner],
        *,
        known_values: KnownValues = lambda tenant_id, template_id: (),
        clock: Callable[[], float] | None = None,
    ) -> None:
        if not planners:
            raise ValueError("planning needs at least one planner")
        self.registry = registry
        self._planners = tuple(planners)
        self._known_values = known_values
        self._resolution = Resolution(registry)
        self._clock = clock

    def decide(self, question: QuestionAsked, *, trace_id: str, now: float) -> Outcome:
        """The decision on a question read at `now` (Unix seconds). Never raises for what a question may hold."""
        deadline_at = deadline_of(question, now)
        if deadline_at <= now:
            error = ops_error(
                ErrorCode.PLAN_TIMEOUT,
                "The question's deadline had passed before it was read.",
                detail=f"planning: deadline {now - deadline_at:.3f} s before the question was read",
                suggestion="ask again with a later deadline",
            )
            return self._failed(question, trace_id, now, deadline_at, error)
        asker = Asker(question.tenant_id, question.user.roles, question.options.tools)
        if question.plan is not None:
            decided = self._from_producer(question.plan, asker)
        else:
            decided = self._from_planners(question, asker, now)
        if isinstance(decided, OpsError):
            return self._failed(question, trace_id, now, deadline_at, decided)
        return self._made(question, trace_id, now, deadline_at, decided)

    def _from_producer(self, plan: ProducerPlan, asker: Asker) -> "_Decided | OpsError":
        shape = self._resolution.shape_of(plan.steps, asker)
        if isinstance(shape, OpsError):
            return shape
        steps = self._resolution.with_params(shape, [step.params for step in plan.steps])
        if isinstance(steps, OpsError):
            return steps
        applied = shape.applied + self._templates_of(steps)
        return _Decided(PlanKind.PLAN, PRODUCER, _PRODUCER_REASONS, 1.0, steps, shape.strategy, applied)

    def _from_planners(self, question: QuestionAsked, asker: Asker, now: float) -> "_Decided | OpsError":
        context = PlanningContext(
            registry=self.registry,
            tenant_id=asker.tenant_id,
            roles=asker.roles,
            now=now,
            known_values=partial(self._known_values, asker.tenant_id),
        )
        for planner in self._planners:
            decision = planner.plan(question, context)
            if not isinstance(decision, Reject):
                break
        if isinstance(decision, Draft):
            return self._from_draft(decision, asker)
        kind = PlanKind.DIRECT if isinstance(decision, Direct) else PlanKind.REJECT
        return _Decided(
            kind,
            planner.name,
            decision.reasons,
            decision.score,
            text=decision.text,
            suggestions=decision.suggestions,
        )

    def _from_draft(self, draft: Draft, asker: Asker) -> "_Decided | OpsError":
        steps = draft.steps
        shape = self._resolution.shape_of(steps, asker)
        if isinstance(shape, OpsError):
            return shape
        made = self._resolution.with_params(
            shape, [step.params for step in steps], [step.render for step in steps]
        )
        if isinstance(made, OpsError):
            return made
        applied = shape.applied + self._templates_of(made) + draft.applied
        return _Decided(
            PlanKind.PLAN, draft.planner, draft.reasons, draft.score, made, shape.strategy, applied
        )

    def _templates_of(self, steps: Iterable[Step]) -> tuple[AppliedAsset, ...]:
        """The templates the steps use, each once."""
        found: dict[str, AppliedAsset] = {}
        for step in steps:
            template_id = step.params.get("template")
            template = self.registry.template(template_id) if isinstance(template_id, str) else None
            if template is not None:
                found[template.id] = AppliedAsset(
                    asset_id=template.id, kind="template", version=template.version
                )
        return tuple(found.values())

    def _made(
        self, question: QuestionAsked, trace_id: str, now: float, deadline_at: float, decided: "_Decided"
    ) -> PlanMade:
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
            planned_at=now if self._clock is None else self._clock(),
            deadline_at=deadline_at,
            max_rows=question.options.max_rows,
            steps=decided.steps,
            strategy=decided.strategy,
            planner=decided.planner,
            score=decided.score,
            reasons=decided.reasons,
            text=decided.text,
            suggestions=decided.suggestions,
            applied_assets=decided.applied,
        )

    def _failed(
        self, question: QuestionAsked, trace_id: str, now: float, deadline_at: float, error: OpsError
    ) -> PlanFailed:
        return PlanFailed(
            trace_id=trace_id,
            tenant_id=question.tenant_id,
            question_id=question.question_id,
            user_id=question.user.id,
            question=question.question,
            mode=question.mode.value,
            asked_at=now,
            planned_at=now if self._clock is None else self._clock(),
            deadline_at=deadline_at,
            error=error,
        )


class _Decided(NamedTuple):
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
