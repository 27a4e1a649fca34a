"""Where the time of a trace went, phase by phase, against what each phase was given."""

from collections.abc import Iterable
from typing import Final, Literal

from agents.aggregation.trace import Trace
from schemas.answers import BudgetSummary, PhaseBudget
from schemas.calls import ToolFailed, ToolSucceeded
from schemas.plans import PlanMade
from schemas.word import Instant

PLAN_MS: Final = 30_000.0
EXECUTE_MS: Final = 60_000.0
COMPOSE_MS: Final = 20_000.0

Phase = Literal["planning", "tool_resolution", "execution", "aggregation", "response"]


def execution_ends_at(plan: PlanMade) -> float:
    """When the plan's calls have to be over: the phase's budget, or the whole deadline if that is sooner."""
    ends_at = plan.planned_at + EXECUTE_MS / 1000
    return ends_at if ends_at < plan.deadline_at else plan.deadline_at


def composition_ends_at(plan: PlanMade, began_at: Instant) -> float:
    """When a model that writes the text has to be done."""
    return min(plan.deadline_at, began_at + COMPOSE_MS / 1000)


def phase_of(trace: Trace) -> Literal["total", "execution", "compose"]:
    """Which phase ends at the trace's `deadline_at`."""
    plan = trace.plan
    if plan is None:
        return "total"
    if trace.detours is not None and trace.detours.composing is not None:
        return "compose"
    return "execution" if trace.deadline_at < plan.deadline_at else "total"


def summarise(
    asked_at: Instant,
    planned_at: Instant,
    deadline_at: Instant,
    results: Iterable[ToolSucceeded | ToolFailed],
    now: Instant,
    *,
    cut: bool = False,
) -> BudgetSummary:
    """The summary of an answer made at `now`.

    planning: question read → plan. tool_resolution: plan → first call started, the way of the calls to their
    tools. execution: first call started → last one ended, or now if the deadline cut it. aggregation: from
    there to the answer. response: publishing, which lies after the answer, so always 0 here. The second
    shares the budget of the third, the fifth that of the fourth; no phase has more than the question's
    whole budget.
    """
    started_at, ended_at = _execution(results, planned_at, now, cut=cut)
    total = _positive((deadline_at - asked_at) * 1000)
    elapsed = _positive((now - asked_at) * 1000)
    resolving = _positive((started_at - planned_at) * 1000)
    composing = _positive((now - ended_at) * 1000)
    execute = total if total < EXECUTE_MS else EXECUTE_MS
    answer = total if total < COMPOSE_MS else COMPOSE_MS
    return BudgetSummary(
        total_ms=total,
        elapsed_ms=elapsed,
        remaining_ms=_positive(total - elapsed),
        exhausted=elapsed >= total,
        phases=(
            _phase("planning", min(PLAN_MS, total), _positive((planned_at - asked_at) * 1000)),
            _phase("tool_resolution", execute, resolving),
            _phase("execution", _positive(execute - resolving), _positive((ended_at - started_at) * 1000)),
            _phase("aggregation", answer, composing),
            _phase("response", _positive(answer - composing), 0.0),
        ),
    )


def _execution(
    results: Iterable[ToolSucceeded | ToolFailed], planned_at: Instant, now: Instant, *, cut: bool
) -> tuple[Instant, Instant]:
    """When the first call started and when the last one ended; both the plan's moment if none ever did."""
    started_at, ended_at = now, planned_at
    for result in results:
        if result.started_at < started_at:
            started_at = result.started_at
        if result.ended_at > ended_at:
            ended_at = result.ended_at
    return planned_at if started_at == now else started_at, now if cut else ended_at


def _positive(value: float) -> float:
    return value if value > 0.0 else 0.0


def _phase(phase: Phase, budget_ms: float, elapsed_ms: float) -> PhaseBudget:
    return PhaseBudget(
        phase=phase,
        budget_ms=budget_ms,
        elapsed_ms=elapsed_ms,
        remaining_ms=budget_ms - elapsed_ms if budget_ms > elapsed_ms else 0.0,
        exhausted=elapsed_ms >= budget_ms,
    )
