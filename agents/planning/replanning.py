"""Replanning: what is asked instead of the tools that failed. Pure; it remembers nothing between requests."""

from collections.abc import Mapping
from dataclasses import replace

from agents.planning.alternatives import alternatives, choose
from agents.planning.resolution import Resolution
from agents.planning.validation import Asker, check_plan
from registry.assets import ToolAsset
from registry.choosing import Health, nothing_known
from registry.decisions import Refuse
from registry.registry import Registry
from schemas.errors import OpsError
from schemas.plans import (
    AppliedAsset,
    PlanMade,
    PlanPatch,
    ProducerStep,
    ReplanRecord,
    ReplanRequested,
    Step,
    StepChange,
    StepFailure,
)


class Replanning:
    """Answers requests of the join against one registry; make a new one when the registry changes."""

    def __init__(self, registry: Registry, resolution: Resolution, health: Health = nothing_known) -> None:
        self._registry = registry
        self._resolution = resolution
        self._health = health

    def decide(self, request: ReplanRequested, now: float) -> PlanMade:
        """The next plan: the one before, with another tool for each step that failed and has an alternative.

        Every request gets a plan. One in which nothing has changed says that there is no other way, and its patch
        says why. The moment of the first plan stays: budgets count from it."""
        asker = Asker(request.tenant_id, request.plan.roles, request.plan.allowed_tools)
        failures = {failure.step_id: failure for failure in request.failures}
        steps: list[Step] = []
        changes: list[StepChange] = []
        why_not: list[str] = []
        applied = {(asset.kind, asset.asset_id): asset for asset in request.plan.applied_assets}
        for step in request.plan.steps:
            found = (
                self._another(step, failures[step.step_id], request, asker)
                if step.step_id in failures
                else None
            )
            if isinstance(found, str):
                why_not.append(found)
            if found is None or isinstance(found, str):
                steps.append(step)
                continue
            made, reason, assets = found
            steps.append(made)
            applied |= {(asset.kind, asset.asset_id): asset for asset in assets}
            changes.append(
                StepChange(
                    step_id=step.step_id, tool_before=step.tool_id, tool_after=made.tool_id, reason=reason
                )
            )
        refused = check_plan(steps, self._registry, asker) if changes else None
        if refused is not None:
            steps, changes, why_not = list(request.plan.steps), [], [refused.message]
        patch = PlanPatch(replaced=tuple(changes), reason="; ".join(why_not))
        return _made(request, tuple(steps), patch, applied, now)

    def _another(
        self, step: Step, failure: StepFailure, request: ReplanRequested, asker: Asker
    ) -> tuple[Step, str, tuple[AppliedAsset, ...]] | str:
        """The step with another tool, why that one, and what it applies; or why there is none."""
        avoid = {*request.avoid, *failure.tool_ids}
        tool = self._registry.tool(step.tool_id)
        if tool is None:
            return f"step '{step.step_id}': its tool is not published any more"
        for candidate, reason in self._candidates(step, tool, asker, avoid):
            params = self._resolution.fitting.instead(tool, candidate, step.params)
            if isinstance(params, str):
                continue
            made = self._resolved(step, candidate, params, asker, request)
            if made is not None:
                return made[0], reason, made[1]
        return f"step '{step.step_id}': no other tool does the work of {step.capability or step.tool_id}"

    def _candidates(
        self, step: Step, tool: ToolAsset, asker: Asker, avoid: set[str]
    ) -> list[tuple[ToolAsset, str]]:
        """Other tools for a step, the best first, each with the reason."""
        found = alternatives(self._registry, tool, step.capability, asker, avoid)
        if step.capability is None:
            why = "the same type of tool over the same source" if tool.source else "the same kind of output"
            return [(each, why) for each in found]
        left = {each.id: each for each in found}
        ranked: list[tuple[ToolAsset, str]] = []
        passed = {*avoid, tool.id}
        while left:
            best = choose(self._registry, step.capability, asker, self._health, passed)
            if isinstance(best, Refuse) or best.tool_id not in left:
                break
            ranked.append((left.pop(best.tool_id), "; ".join(best.reasons[:2])))
            passed.add(best.tool_id)
        return ranked

    def _resolved(
        self,
        step: Step,
        tool: ToolAsset,
        params: Mapping[str, object],
        asker: Asker,
        request: ReplanRequested,
    ) -> tuple[Step, tuple[AppliedAsset, ...]] | None:
        """The step as it is resolved with another tool; a fallback that failed already is left out."""
        alone = ProducerStep(
            step_id=step.step_id, tool_id=tool.id, params=dict(params), timeout_s=step.timeout_s
        )
        shape = self._resolution.shape_of([replace(alone, params={})], asker)
        if isinstance(shape, OpsError):
            return None
        made = self._resolution.with_params(shape, [alone.params], [step.render])
        if isinstance(made, OpsError):
            return None
        fallback = made[0].fallback
        if fallback is not None and fallback.tool_id in request.avoid:
            fallback = None
        resolved = replace(
            made[0],
            depends_on=step.depends_on,
            fallback=fallback,
            capability=step.capability,
            continue_on_error=step.continue_on_error,
            attempt=request.attempt,
        )
        return resolved, shape.applied


def _made(
    request: ReplanRequested,
    steps: tuple[Step, ...],
    patch: PlanPatch,
    applied: Mapping[tuple[str, str], AppliedAsset],
    now: float,
) -> PlanMade:
    record = ReplanRecord(
        attempt=request.attempt,
        trigger=request.trigger,
        severity=request.severity,
        reason=request.reason,
        failures=request.failures,
        requested_at=request.requested_at,
        decided_at=now,
        patch=patch,
    )
    return replace(
        request.plan,
        steps=steps,
        attempt=request.attempt,
        patch=patch,
        replan_records=(*request.plan.replan_records, record),
        applied_assets=tuple(applied.values()),
    )
