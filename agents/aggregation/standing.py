"""How the steps of a plan stand, as a function of the plan and of the results alone: so it cannot depend
on the order in which results came."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from schemas.calls import ToolFailed, ToolSucceeded
from schemas.errors import ErrorCode
from schemas.plans import PlanMade, Step, Strategy

MAX_IN_FLIGHT: Final = 10
"""Calls of one question that may run at a time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where each step stands, by step id.

    `met`: it and all it waits for did their work. `failed`: it failed. `skipped`: step → the step whose
    failure stood in its way. `open`: no result yet, all it waits for is met. What is in none of them waits.
    """

    met: frozenset[str] | set[str]
    failed: frozenset[str] | set[str]
    skipped: Mapping[str, str]
    open: tuple[Step, ...]

    def ended(self, plan: PlanMade) -> bool:
        """Whether every step has come to its end."""
        return len(self.met) + len(self.failed) + len(self.skipped) == len(plan.steps)


def found_nothing(result: ToolFailed) -> bool:
    """`DATA_NOT_FOUND` says that the tool worked and nothing was there: not a failure of the step. What
    depends on the step goes on, the status counts it as a success, and the answer says that nothing was
    found."""
    return result.error.code is ErrorCode.DATA_NOT_FOUND


def standing(
    plan: PlanMade, succeeded: Mapping[str, ToolSucceeded], failed: Mapping[str, ToolFailed]
) -> Standing:
    """Settle each step of the plan: one pass when steps are listed after what they depend on, else more."""
    met: set[str] = set()
    broken: set[str] = set()
    skipped: dict[str, str] = {}
    ready: list[Step] = []
    unsettled: tuple[Step, ...] | list[Step] = plan.steps
    known = None
    while unsettled:
        waiting: list[Step] = []
        for step in unsettled:
            step_id = step.step_id
            cause = None
            waits = False
            for needed in step.depends_on:
                if needed in met:
                    continue
                if needed in broken or needed in skipped:
                    cause = skipped.get(needed, needed)
                    break
                if known is None:
                    known = {other.step_id for other in plan.steps}
                if needed not in known:
                    cause = needed
                    break
                waits = True
            if cause is not None:
                skipped[step_id] = cause
            elif waits:
                waiting.append(step)
            elif step_id in succeeded or (step_id in failed and found_nothing(failed[step_id])):
                met.add(step_id)
            elif step_id in failed:
                broken.add(step_id)
            else:
                ready.append(step)
        if len(waiting) == len(unsettled):
            break
        unsettled = waiting
    return Standing(met, broken, skipped, tuple(ready))


def groups(plan: PlanMade) -> dict[str, int]:
    """Execution group of each step: how many steps lie before it on its longest way, so that steps of one
    group may run side by side. Serial: each step a group of its own, in the order of the plan."""
    if plan.strategy is Strategy.SERIAL:
        return {step.step_id: index for index, step in enumerate(plan.steps)}
    level = dict.fromkeys((step.step_id for step in plan.steps), 0)
    if any(step.depends_on for step in plan.steps):
        for _ in plan.steps:  # as many rounds as the longest way can have; a cycle ends here too
            before = dict(level)
            for step in plan.steps:
                for needed in step.depends_on:
                    level[step.step_id] = max(level[step.step_id], before.get(needed, -1) + 1)
            if level == before:
                break
    return level
