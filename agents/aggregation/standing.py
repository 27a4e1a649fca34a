"""How the steps of a plan stand, as a function of the plan and of the results alone: so it cannot depend
on the order in which results came."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from agents.aggregation.trace import Detours, Trace
from schemas.calls import ToolFailed
from schemas.errors import SUBSTITUTABLE, ErrorCode
from schemas.plans import PlanMade, Step, Strategy

MAX_IN_FLIGHT: Final = 10
"""Calls of one question that may run at a time."""
_NO_DETOURS: Final = Detours()


class Standing(NamedTuple):
    """Where each step stands, by step id.

    `met`: it, or its stand-in, and all it waits for did their work. `failed`: it failed for good. `skipped`: step →
    the step whose failure stood in its way. `open`: no result yet, all it waits for is met. What is in none of them
    waits for an open step, or for itself.
    """

    met: set[str]
    failed: set[str]
    skipped: dict[str, str]
    open: list[Step]

    def ended(self, plan: PlanMade) -> bool:
        """Whether every step has come to its end."""
        return len(self.met) + len(self.failed) + len(self.skipped) == len(plan.steps)


def found_nothing(result: ToolFailed) -> bool:
    """`DATA_NOT_FOUND` says that the tool worked and nothing was there: not a failure of the step. What
    depends on the step goes on, the status counts it as a success, and the answer says that nothing was
    found."""
    return result.error.code is ErrorCode.DATA_NOT_FOUND


def standing(plan: PlanMade, trace: Trace, lost: Collection[str] = ()) -> Standing:
    """Settle each step of the plan: one pass when steps are listed after what they depend on, else more. Open steps
    that are `lost` count as failed."""
    stands = Standing(set(), set(), {}, [])
    steps: Sequence[Step] = plan.steps
    while steps:
        waiting: list[Step] = []
        for step in steps:
            if step.depends_on:
                cause = _obstacle(plan, step, stands)
                if cause is not None:
                    stands.skipped[step.step_id] = cause
                    continue
                if not stands.met.issuperset(step.depends_on):
                    waiting.append(step)
                    continue
            _settle(step, stands, trace, lost)
        if len(waiting) == len(steps):
            break
        steps = waiting
    return stands


def _settle(step: Step, stands: Standing, trace: Trace, lost: Collection[str]) -> None:
    """Put a step that waits for nothing where its results say."""
    step_id = step.step_id
    if step_id in trace.succeeded:
        stands.met.add(step_id)
        return
    result, substitute = trace.failed.get(step_id), None
    if result is not None and may_stand_in(step, result):
        detours = trace.detours or _NO_DETOURS
        if step_id in detours.stood_in:
            stands.met.add(step_id)
            return
        result = substitute = detours.fell.get(step_id)
    if result is None:
        if step_id in lost:
            stands.failed.add(step_id)
        else:
            stands.open.append(step)
    elif found_nothing(substitute or result):
        stands.met.add(step_id)
    else:
        stands.failed.add(step_id)


def may_stand_in(step: Step, failed: ToolFailed) -> bool:
    """Whether the step's fallback is called after this failure of its own tool."""
    return step.fallback is not None and failed.error.code in SUBSTITUTABLE


def halted_by(plan: PlanMade, stands: Standing) -> str | None:
    """The failed step after which no further step may begin, if there is one."""
    if stands.failed:
        for step in plan.steps:
            if not step.continue_on_error and step.step_id in stands.failed:
                return step.step_id
    return None


def _obstacle(plan: PlanMade, step: Step, stands: Standing) -> str | None:
    """The step whose failure stands in this one's way: the first failed or missing one it depends on, or what
    stood in the way of that one."""
    for needed in step.depends_on:
        if needed in stands.failed:
            return needed
        if needed in stands.skipped:
            return stands.skipped[needed]
        if needed not in stands.met and all(other.step_id != needed for other in plan.steps):
            return needed
    return None


def groups(plan: PlanMade) -> dict[str, int]:
    """Execution group of each step: how many steps lie before it on its longest way, so that steps of one
    group may run side by side. Serial: each step a group of its own, in the order of the plan."""
    if plan.strategy is Strategy.SERIAL:
        return {step.step_id: index for index, step in enumerate(plan.steps)}
    level = {step.step_id: 0 for step in plan.steps}
    dependent = [step for step in plan.steps if step.depends_on]
    for _ in dependent:  # as many rounds as the longest way can have; a cycle ends here too
        before = dict(level)
        for step in dependent:
            level[step.step_id] = 1 + max([before.get(needed, -1) for needed in step.depends_on])
        if level == before:
            break
    return level
