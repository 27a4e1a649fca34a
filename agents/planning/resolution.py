"""Tool resolution: a valid draft's steps with tool, type, kind, time limit and fallback filled in.

All that depends on the plan's shape alone is worked out once and kept: a producer that sends the same plan with
other parameters thousands of times a second pays for the parameters only. Which tool does a capability's work
depends on how the tools are doing, so that is asked anew each time.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

from agents.planning.alternatives import alternatives, choose
from agents.planning.context import DraftStep
from agents.planning.fitting import Adapter, Fitting, references_of
from agents.planning.templates import check_template_call
from agents.planning.validation import Asker, check_plan, invalid, objection, strategy_of, usable
from registry.assets import ToolAsset
from registry.choosing import Health, nothing_known
from registry.decisions import Refuse
from registry.defaults import shards_of, timeout_of
from registry.registry import Registry
from schemas.errors import OpsError
from schemas.plans import MAX_REPLANS, AppliedAsset, Fallback, ProducerStep, Render, Step, Strategy

PlannedStep = ProducerStep | DraftStep

_KEPT_SHAPES = 4_096
"""Plan shapes remembered; askers choose roles and shapes freely, so the memory is emptied when it is full."""
_MOST_CHOICES = 8
"""Tools of a capability that are tried for a step's parameters."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A step whose tool is resolved; only its parameters are missing."""

    step_id: str
    tool: ToolAsset
    depends_on: tuple[str, ...]
    fallback: ToolAsset | None
    fallback_is_named: bool
    """The step itself names the fallback: one that does not fit is refused, not left out."""
    timeout_s: float
    serial: bool
    capability: str | None
    continue_on_error: bool
    render: Render
    """How a call without a template is shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A valid plan without its parameters."""

    gates: tuple[Gate, ...]
    strategy: Strategy
    applied: tuple[AppliedAsset, ...]
    max_replans: int = 0
    """How often another plan may be asked for: 0 where no step has an alternative."""
    reasons: tuple[str, ...] = ()
    """Why which tool does the work of a capability."""


@dataclass(frozen=True, slots=True)
class ShapeStep:
    """A step without its parameters: the key under which its resolution is kept."""

    step_id: str
    tool_id: str
    depends_on: tuple[str, ...]
    timeout_s: float | None
    capability: str | None = None
    fallback: str | None = None
    continue_on_error: bool = True


class Resolution:
    """Resolves plans against one registry and remembers the shapes it has seen."""

    def __init__(self, registry: Registry, adapters: Mapping[str, Adapter] | None = None) -> None:
        """`adapters` by tool type: with them parameters are judged while planning, not only when a call runs."""
        self._registry = registry
        self._shapes: dict[tuple[Any, ...], Shape | OpsError] = {}
        self.fitting = Fitting(registry, adapters or {})

    def shape_of(
        self,
        steps: Iterable[PlannedStep],
        asker: Asker,
        *,
        strategy: Strategy | None = None,
        health: Health = nothing_known,
        avoid: Collection[str] = (),
    ) -> Shape | OpsError:
        """The resolved shape, or why the plan is not valid."""
        parts, reasons = [], []
        for step in steps:
            tool_id, depends_on = step.tool_id, step.depends_on
            if step.capability is not None or tool_id is None:
                chosen = self._choose(step, asker, health, avoid)
                if isinstance(chosen, OpsError):
                    return chosen
                tool_id, why = chosen
                reasons.append(why)
            needed = references_of(step.params) if step.params else ()
            if needed:
                if isinstance(needed, str):
                    return _bad_reference(step.step_id, needed)
                depends_on = (*depends_on, *[each for each in needed if each not in depends_on])
            parts.append(
                (
                    step.step_id,
                    tool_id,
                    depends_on,
                    step.timeout_s,
                    step.capability,
                    step.fallback,
                    step.continue_on_error,
                )
            )
        key = (self._registry.tenant_group(asker.tenant_id), asker.roles, asker.tools, strategy, *parts)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= _KEPT_SHAPES:
                self._shapes.clear()
            found = self._resolve([ShapeStep(*part) for part in parts], asker, strategy)
            self._shapes[key] = found
        return replace(found, reasons=tuple(reasons)) if reasons and isinstance(found, Shape) else found

    def _choose(
        self, step: PlannedStep, asker: Asker, health: Health, avoid: Collection[str]
    ) -> tuple[str, str] | OpsError:
        """The tool for a step that asks for a capability, and why: the best one that takes its parameters."""
        if step.capability is None or step.tool_id is not None:
            return invalid(
                f"Step '{step.step_id}' must name a tool or a capability, and not both.",
                "give exactly one of tool_id and capability",
            )
        misfits: dict[str, str] = {}
        while len(misfits) < _MOST_CHOICES:
            found = choose(self._registry, step.capability, asker, health, (*avoid, *misfits))
            if isinstance(found, Refuse):
                break
            tool = self._registry.tool(found.tool_id)
            assert tool is not None  # the registry chose among what is published
            fault = self.fitting.fault(tool, step.params)
            if fault is None:
                why = "; ".join(found.reasons[:2])
                return tool.id, f"step '{step.step_id}': {tool.id} for {step.capability} ({why})"
            misfits[tool.id] = fault
        if misfits:
            return _unfit(step.step_id, next(iter(misfits.values())))
        return invalid(
            f"Step '{step.step_id}' asks for a capability that no tool offers here.",
            "ask for a capability that a tool published for this tenant and role offers",
            detail=f"step {step.step_id}: {found.reason if isinstance(found, Refuse) else 'no tool fits'}",
        )

    def _resolve(
        self, steps: Sequence[ShapeStep], asker: Asker, strategy: Strategy | None
    ) -> Shape | OpsError:
        steps = [self._after_needed_tools(step, steps) for step in steps]
        refused = check_plan(steps, self._registry, asker) or self._check_fallbacks(steps, asker)
        if refused is not None:
            return refused
        gates = tuple(self._gate(step, asker) for step in steps)
        shaped = strategy_of(steps)
        if strategy is Strategy.SERIAL:
            shaped = Strategy.SERIAL
        elif strategy is Strategy.DAG and shaped is Strategy.PARALLEL:
            shaped = Strategy.DAG
        replans = any(self._has_alternative(gate, asker) for gate in gates)
        return Shape(gates, shaped, self._applied(gates), MAX_REPLANS if replans else 0)

    def _after_needed_tools(self, step: ShapeStep, steps: Sequence[ShapeStep]) -> ShapeStep:
        """A tool that depends on another runs after that one's steps, where the plan has any; but for those that the
        plan itself puts after it."""
        tool = self._registry.tool(step.tool_id)
        if tool is None or not tool.depends_on:
            return step
        later = _after(step.step_id, steps)
        first = [
            each.step_id for each in steps if each.tool_id in tool.depends_on and each.step_id not in later
        ]
        return replace(step, depends_on=tuple(dict.fromkeys((*step.depends_on, *first))))

    def _has_alternative(self, gate: Gate, asker: Asker) -> bool:
        avoid = () if gate.fallback is None else (gate.fallback.id,)
        return bool(alternatives(self._registry, gate.tool, gate.capability, asker, avoid))

    def _check_fallbacks(self, steps: Iterable[ShapeStep], asker: Asker) -> OpsError | None:
        for step in steps:
            if step.fallback is None:
                continue
            tool = self._registry.tool(step.fallback)
            why = f"tool {step.fallback} is not published" if tool is None else objection(tool, asker)
            if step.fallback == step.tool_id:
                why = "the fallback is the tool itself"
            if why is not None:
                return invalid(
                    f"Step '{step.step_id}' names a fallback that may not be used here.",
                    "name another tool that is published for this tenant and role and allowed by the question",
                    detail=f"step {step.step_id}: {why}",
                )
        return None

    def _gate(self, step: ShapeStep, asker: Asker) -> Gate:
        tool = self._registry.tool(step.tool_id)
        assert tool is not None  # check_plan refused it otherwise
        limit_s = timeout_of(tool, self._registry.policy_for(tool))
        named = self._registry.tool(step.fallback) if step.fallback is not None else None
        return Gate(
            step_id=step.step_id,
            tool=tool,
            depends_on=step.depends_on,
            fallback=named or self._fallback_of(tool, asker),
            fallback_is_named=named is not None,
            timeout_s=limit_s if step.timeout_s is None else min(limit_s, step.timeout_s),
            serial=tool.execution_mode == "serial",
            capability=step.capability,
            continue_on_error=step.continue_on_error,
            render=Render(title=tool.name, text="{text}" if tool.tool_type == "llm_tool" else ""),
        )

    def _fallback_of(self, tool: ToolAsset, asker: Asker) -> ToolAsset | None:
        """The tool that may stand in, if the asker may use that one too."""
        if not self._registry.can_fallback(tool.id) or tool.fallback_tool_id is None:
            return None
        fallback = self._registry.tool(tool.fallback_tool_id)
        return fallback if fallback is not None and usable(fallback, asker) else None

    def _stand_in(self, gate: Gate, params: dict[str, Any]) -> Fallback | OpsError | None:
        """The call of the fallback: the same question put to it, under its own limits. A fallback that cannot take
        it is none; one that the step itself names must fit."""
        tool = gate.fallback
        assert tool is not None
        given = self.fitting.instead(gate.tool, tool, params)
        if isinstance(given, str):
            if gate.fallback_is_named:
                return _unfit(gate.step_id, f"{given}, by its fallback")
            return None
        return Fallback(
            tool_id=tool.id,
            tool_type=tool.tool_type,
            kind=tool.kind,
            params=given,
            timeout_s=timeout_of(tool, self._registry.policy_for(tool)),
            serial=tool.execution_mode == "serial",
            shards=shards_of(tool, self._registry.policy_for(tool)),
        )

    def _applied(self, gates: Iterable[Gate]) -> tuple[AppliedAsset, ...]:
        """Tools, their sources and policies, each once, in the order of the steps."""
        applied: dict[tuple[str, str], AppliedAsset] = {}
        for gate in gates:
            source = self._registry.source(gate.tool.source) if gate.tool.source else None
            policy = self._registry.policy_for(gate.tool)
            for kind, asset in (("tool", gate.tool), ("source", source), ("policy", policy)):
                if asset is not None:
                    applied[kind, asset.id] = AppliedAsset(
                        asset_id=asset.id, kind=kind, version=asset.version
                    )
        return tuple(applied.values())

    def with_params(
        self, shape: Shape, params: Iterable[dict[str, Any]], renders: Iterable[Render | None] = repeat(None)
    ) -> tuple[Step, ...] | OpsError:
        """The steps of a shape with their parameters, one of each for each step; a call of a template is
        checked against the template, any other against its tool."""
        steps = []
        for gate, given, render in zip(shape.gates, params, renders, strict=False):
            if "template" in given:
                checked = check_template_call(self._registry, gate.step_id, gate.tool, given)
                if isinstance(checked, OpsError):
                    return checked
                render = render or checked
            else:
                fault = self.fitting.fault(gate.tool, given)
                if fault is not None:
                    return _unfit(gate.step_id, fault)
            fallback = None if gate.fallback is None else self._stand_in(gate, given)
            if isinstance(fallback, OpsError):
                return fallback
            steps.append(
                Step(
                    step_id=gate.step_id,
                    tool_id=gate.tool.id,
                    tool_type=gate.tool.tool_type,
                    kind=gate.tool.kind,
                    params=given,
                    depends_on=gate.depends_on,
                    fallback=fallback,
                    timeout_s=gate.timeout_s,
                    render=render or gate.render,
                    capability=gate.capability,
                    serial=gate.serial,
                    continue_on_error=gate.continue_on_error,
                    shards=shards_of(gate.tool, self._registry.policy_for(gate.tool)),
                )
            )
        return tuple(steps)


def _unfit(step_id: str, fault: str) -> OpsError:
    return invalid(
        f"Step '{step_id}' has parameters that do not fit: {fault}.",
        "compare the step with the parameters its tool declares",
    )


def _after(step_id: str, steps: Iterable[ShapeStep]) -> set[str]:
    """The steps that wait for one, directly or not."""
    later: set[str] = set()
    found = {step_id}
    while found:
        found = {each.step_id for each in steps if found & set(each.depends_on)} - later
        later |= found
    return later


def _bad_reference(step_id: str, fault: str) -> OpsError:
    return invalid(
        f"Step '{step_id}' has a reference that {fault}.",
        'write {"$from": step_id, "path": a JMESPath}',
    )
