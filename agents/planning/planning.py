"""Planning: every question gets exactly one decision, a plan or the failure to make one. Pure but for caches, and for
waiting where a language model takes part."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from agents.planning.asking import language_of, time_zone_of
from agents.planning.context import (
    PLAN_BUDGET_S,
    AsyncPlanner,
    Decision,
    Direct,
    Draft,
    KnownValues,
    Planner,
    PlannerFailed,
    PlanningContext,
    Reject,
)
from agents.planning.decided import Asked, Decided, composing_step, plan_failed, plan_made
from agents.planning.fitting import Adapter
from agents.planning.llm_replanning import LLM_REPLANS, think_again
from agents.planning.plan_cache import Key, PlanCache, cache_key
from agents.planning.resolution import Resolution
from agents.planning.validation import Asker
from registry.choosing import Health, nothing_known
from registry.registry import Registry
from schemas.errors import ErrorCode, OpsError, ops_error, phase_timeout
from schemas.plans import AppliedAsset, PlanFailed, PlanKind, PlanMade, ProducerPlan, ReplanRequested, Step
from schemas.questions import TOTAL_BUDGET_S, QuestionAsked

_log = logging.getLogger(__name__)

PRODUCER, LLM = "producer", "llm"
_PRODUCER_REASONS = ("the question brought its own plan",)

Outcome = PlanMade | PlanFailed
Selection = Literal["rules", "llm", "rules-then-llm"]

SURE = 3.5
"""The score, of 10, from which the rules' plan stands without asking a language model (`rules-then-llm`)."""
_LLM_SHARE = 0.5
"""Of the time that is left a language model may take at most this much: its plan has to be run, too."""


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

    `planners` are asked in turn: the first that does not reject wins, else the last one's rejection stands. `llm` is
    asked where `selection` or the question says so. `cache`, if given, remembers decisions. `composer` is the tool that
    writes the text of answers, if a model is to. `clock`, if given, stamps `planned_at` and tells how long a wait took;
    nothing else is decided by it.
    """

    def __init__(
        self,
        registry: Registry,
        planners: Sequence[Planner],
        *,
        known_values: KnownValues = lambda tenant_id, template_id: (),
        clock: Callable[[], float] | None = None,
        llm: AsyncPlanner | None = None,
        selection: Selection = "rules",
        cache: PlanCache | None = None,
        health: Health = nothing_known,
        adapters: Mapping[str, Adapter] | None = None,
        composer: str | None = None,
    ) -> None:
        if not planners:
            raise ValueError("planning needs at least one planner")
        self.registry = registry
        self._planners = tuple(planners)
        self._known_values = known_values
        self.resolution = Resolution(registry, adapters)
        self._clock = clock
        self._llm = llm
        self._selection = selection
        self._cache = cache
        self._health = health
        self._composer = composer

    def decide(self, question: QuestionAsked, *, trace_id: str, now: float) -> Outcome:
        """The decision on a question read at `now` (Unix seconds), without waiting for anything: a language model is
        left out. Never raises for what a question may hold."""
        decided = self._begin(Asked(question, trace_id, now, deadline_of(question, now)), None)
        assert not isinstance(decided, Awaitable)  # without a model nothing waits
        return decided

    async def decide_async(self, question: QuestionAsked, *, trace_id: str, now: float) -> Outcome:
        """The decision, waiting for a language model where one takes part."""
        decided = self.begin(question, trace_id=trace_id, now=now)
        return await decided if isinstance(decided, Awaitable) else decided

    def begin(self, question: QuestionAsked, *, trace_id: str, now: float) -> Outcome | Awaitable[Outcome]:
        """The decision at once, or what to await for it: only questions that need a language model have to wait."""
        return self._begin(Asked(question, trace_id, now, deadline_of(question, now)), self._llm)

    def context_for(
        self, question: QuestionAsked, now: float, *, avoid: frozenset[str] = frozenset()
    ) -> PlanningContext:
        """What a planner is given for a question, also for a replan."""
        return PlanningContext(
            registry=self.registry,
            tenant_id=question.tenant_id,
            roles=question.user.roles,
            now=now,
            known_values=partial(self._known_values, question.tenant_id),
            time_zone=time_zone_of(question),
            language=language_of(question),
            avoid=avoid,
            health=self._health,
            check=partial(self._check, _asker(question)),
        )

    def resolve(self, draft: Draft, asker: Asker) -> Decided | OpsError:
        """A draft as a plan for this asker: validated, its tools resolved; or why it is none."""
        return self._from_draft(draft, asker)

    async def think_again(self, request: ReplanRequested, standing: PlanMade, now: float) -> PlanMade:
        """The model's next plan in the place of one in which nothing has changed; `standing` without a model."""
        if self._llm is None:
            return standing
        return await think_again(self._llm, self, request, standing, now)

    def _begin(self, asked: Asked, llm: AsyncPlanner | None) -> Outcome | Awaitable[Outcome]:
        question, _, now, deadline_at = asked
        if deadline_at <= now:
            created_at = question.created_at.timestamp()
            error = phase_timeout(
                "planning",
                now - created_at,
                deadline_at - created_at,
                "The question's deadline had passed before it was read.",
                detail=f"planning: deadline {now - deadline_at:.3f} s before the question was read",
                suggestion="ask again with a later deadline",
            )
            return self._failed(asked, error)
        if question.plan is not None:
            return self._settled(asked, self._from_producer(question.plan, _asker(question)))
        choice = question.options.planner or self._selection
        key = None if self._cache is None or question.options.no_cache else cache_key(question, choice)
        kept = None if key is None or self._cache is None else self._cache.find(question, key, now)
        if kept is not None:
            return self._settled(asked, self._from_decision(*kept, _asker(question)))
        context = self.context_for(question, now)
        ruled: tuple[Decision, str] | None = None
        if llm is None or choice != "llm":
            ruled = self._ruled(question, context)
            if llm is None or choice == "rules" or _is_sure(ruled[0]):
                decision, name = ruled
                self._keep(asked, key, decision, name)
                if choice == "llm" and self._llm is None:
                    decision = _noted(decision, "no language model is configured")
                return self._settled(asked, self._from_decision(decision, name, _asker(question)))
        return self._wait(asked, llm, context, ruled, key)

    async def _wait(
        self,
        asked: Asked,
        llm: AsyncPlanner,
        context: PlanningContext,
        ruled: tuple[Decision, str] | None,
        key: Key | None,
    ) -> Outcome:
        """The model's plan; where it comes to nothing, the rules'."""
        budget_s = min(PLAN_BUDGET_S, (asked.deadline_at - asked.now) * _LLM_SHARE)
        began_at = self._seconds()
        context = replace(context, budget_s=budget_s)
        try:
            async with asyncio.timeout(budget_s + 1.0):
                found = await llm.plan_async(asked.question, context)
        except TimeoutError:
            found = PlannerFailed(
                ops_error(ErrorCode.TOOL_TIMEOUT, "The language model did not answer in time.")
            )
        except Exception as exc:  # noqa: BLE001  # border: a planner that breaks leaves the question to the rules
            _log.warning("planning with %s broke: %r", llm.name, exc)
            found = PlannerFailed(ops_error(ErrorCode.INTERNAL_ERROR, detail=f"planning: {exc!r}"[:2_000]))
        if isinstance(found, Draft | Direct):
            self._keep(asked, key, found, llm.name)
            return self._settled(asked, self._from_decision(found, llm.name, _asker(asked.question)))
        decision, name = ruled or self._ruled(asked.question, context)
        if isinstance(found, Reject):
            if isinstance(decision, Reject):
                reasons = (*found.reasons, *decision.reasons)
                found = replace(found, reasons=reasons, suggestions=decision.suggestions)
            return self._settled(asked, self._from_decision(found, llm.name, _asker(asked.question)))
        if isinstance(decision, Reject) and found.error.code is ErrorCode.TOOL_TIMEOUT:
            elapsed_s = self._seconds() - began_at
            error = phase_timeout("planning", elapsed_s, budget_s, detail=f"planning: {found.error.message}")
            return self._failed(asked, error)
        noted = _noted(decision, f"the language model made no plan: {found.error.message}")
        decided = self._from_decision(replace(noted, usage=found.usage), name, _asker(asked.question))
        return self._settled(asked, decided)

    def _ruled(self, question: QuestionAsked, context: PlanningContext) -> tuple[Decision, str]:
        """What the planners that need not wait decide, and which of them."""
        for planner in self._planners:
            decision = planner.plan(question, context)
            if not isinstance(decision, Reject):
                break
        return decision, planner.name

    def _keep(self, asked: Asked, key: Key | None, decision: Decision, planner: str) -> None:
        if self._cache is not None and key is not None:
            self._cache.keep(asked.question, key, decision, planner, asked.now)

    def _check(self, asker: Asker, draft: Draft) -> OpsError | None:
        decided = self._from_draft(draft, asker)
        return decided if isinstance(decided, OpsError) else None

    def _seconds(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def _from_producer(self, plan: ProducerPlan, asker: Asker) -> Decided | OpsError:
        shape = self.resolution.shape_of(plan.steps, asker, strategy=plan.strategy, health=self._health)
        if isinstance(shape, OpsError):
            return shape
        steps = self.resolution.with_params(shape, [step.params for step in plan.steps])
        if isinstance(steps, OpsError):
            return steps
        applied = shape.applied + self._templates_of(steps)
        return Decided(
            PlanKind.PLAN,
            PRODUCER,
            _PRODUCER_REASONS + shape.reasons,
            1.0,
            steps,
            shape.strategy,
            applied,
            max_replans=shape.max_replans,
        )

    def _from_decision(self, decision: Decision, planner: str, asker: Asker) -> Decided | OpsError:
        if isinstance(decision, Draft):
            return self._from_draft(decision, asker)
        kind = PlanKind.DIRECT if isinstance(decision, Direct) else PlanKind.REJECT
        return Decided(
            kind,
            planner,
            decision.reasons,
            decision.score,
            text=decision.text,
            suggestions=decision.suggestions,
            usage=decision.usage,
        )

    def _from_draft(self, draft: Draft, asker: Asker) -> Decided | OpsError:
        steps = draft.steps
        shape = self.resolution.shape_of(steps, asker, health=self._health)
        if isinstance(shape, OpsError):
            return shape
        made = self.resolution.with_params(
            shape, [step.params for step in steps], [step.render for step in steps]
        )
        if isinstance(made, OpsError):
            return made
        applied = shape.applied + self._templates_of(made) + draft.applied
        return Decided(
            PlanKind.PLAN,
            draft.planner,
            draft.reasons + shape.reasons,
            draft.score,
            made,
            shape.strategy,
            applied,
            usage=draft.usage,
            max_replans=max(shape.max_replans, LLM_REPLANS if draft.planner == LLM else 0),
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

    def _settled(self, asked: Asked, decided: Decided | OpsError) -> Outcome:
        planned_at = asked.now if self._clock is None else self._clock()
        if isinstance(decided, OpsError):
            return plan_failed(asked, decided, planned_at)
        composer = self._composer and composing_step(self.registry, self._composer, asked, decided)
        return plan_made(asked, decided, planned_at, composer or None)

    def _failed(self, asked: Asked, error: OpsError) -> PlanFailed:
        return plan_failed(asked, error, asked.now if self._clock is None else self._clock())


def _asker(question: QuestionAsked) -> Asker:
    return Asker(question.tenant_id, question.user.roles, question.options.tools)


def _is_sure(decision: Decision) -> bool:
    return not isinstance(decision, Reject) and decision.score >= SURE


def _noted(decision: Decision, reason: str) -> Decision:
    return replace(decision, reasons=(*decision.reasons, reason))
