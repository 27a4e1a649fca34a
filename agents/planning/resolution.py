"""Tool resolution: a valid draft's steps with tool type, kind, time limit and fallback filled in.

All that depends on the plan's shape alone is worked out once and kept: a producer that sends the same plan with
other parameters thousands of times a second pays for the parameters only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from agents.planning.context import DraftStep
from agents.planning.templates import check_template_call
from agents.planning.validation import Asker, check_plan, strategy_of, usable
from registry.assets import ToolAsset
from registry.defaults import timeout_of
from registry.registry import Registry
from schemas.errors import OpsError
from schemas.plans import AppliedAsset, Fallback, ProducerStep, Render, Step, Strategy

PlannedStep = ProducerStep | DraftStep

_KEPT_SHAPES = 4_096
"""Plan shapes remembered; askers choose roles and shapes freely, so the memory is emptied when it is full."""


@dataclass(frozen=True, slots=True)
class Gate:
    """A step whose tool is resolved; only its parameters are missing."""

    step_id: str
    tool: ToolAsset
    depends_on: tuple[str, ...]
    fallback: ToolAsset | None
    timeout_s: float
    serial: bool
    render: Render
    """How a call without a template is shown."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A valid plan without its parameters."""

    gates: tuple[Gate, ...]
    strategy: Strategy
    applied: tuple[AppliedAsset, ...]


@dataclass(frozen=True, slots=True)
class ShapeStep:
    """A step without its parameters: the key under which its resolution is kept."""

    step_id: str
    tool_id: str
    depends_on: tuple[str, ...]
    timeout_s: float | None


class Resolution:
    """Resolves plans against one registry and remembers the shapes it has seen."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._shapes: dict[tuple[Any, ...], Shape | OpsError] = {}

    def shape_of(self, steps: Iterable[PlannedStep], asker: Asker) -> Shape | OpsError:
        """The resolved shape, or why the plan is not valid."""
        parts = [(step.step_id, step.tool_id or "", step.depends_on, step.timeout_s) for step in steps]
        key = (self._registry.tenant_group(asker.tenant_id), asker.roles, asker.tools, *parts)
        found = self._shapes.get(key)
        if found is None:
            if len(self._shapes) >= _KEPT_SHAPES:
                self._shapes.clear()
            found = self._shapes[key] = self._resolve([ShapeStep(*part) for part in parts], asker)
        return found

    def _resolve(self, steps: Sequence[ShapeStep], asker: Asker) -> Shape | OpsError:
        refused = check_plan(steps, self._registry, asker)
        if refused is not None:
            return refused
        gates = tuple(self._gate(step, asker) for step in steps)
        return Shape(gates, strategy_of(steps), self._applied(gates))

    def _gate(self, step: ShapeStep, asker: Asker) -> Gate:
        tool = self._registry.tool(step.tool_id)
        assert tool is not None  # check_plan refused it otherwise
        limit_s = timeout_of(tool, self._registry.policy_for(tool))
        return Gate(
            step_id=step.step_id,
            tool=tool,
            depends_on=step.depends_on,
            fallback=self._fallback_of(tool, asker),
            timeout_s=limit_s if step.timeout_s is None else min(limit_s, step.timeout_s),
            serial=tool.execution_mode == "serial",
            render=Render(title=tool.name),
        )

    def _fallback_of(self, tool: ToolAsset, asker: Asker) -> ToolAsset | None:
        """The tool that may stand in, if the asker may use that one too."""
        if not self._registry.can_fallback(tool.id) or tool.fallback_tool_id is None:
            return None
        fallback = self._registry.tool(tool.fallback_tool_id)
        return fallback if fallback is not None and usable(fallback, asker) else None

    def _stand_in(self, gate: Gate, params: dict[str, Any]) -> Fallback:
        """The call of the fallback: the same parameters, its own limits."""
        tool = gate.fallback
        assert tool is not None
        return Fallback(
            tool_id=tool.id,
            tool_type=tool.tool_type,
            kind=tool.kind,
            params=params,
            timeout_s=timeout_of(tool, self._registry.policy_for(tool)),
            serial=tool.execution_mode == "serial",
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
        checked against the template."""
        steps = []
        for gate, given, render in zip(shape.gates, params, renders, strict=False):
            if "template" in given:
                checked = check_template_call(self._registry, gate.step_id, gate.tool, given)
                if isinstance(checked, OpsError):
                    return checked
                render = render or checked
            steps.append(
                Step(
                    step_id=gate.step_id,
                    tool_id=gate.tool.id,
                    tool_type=gate.tool.tool_type,
                    kind=gate.tool.kind,
                    params=given,
                    depends_on=gate.depends_on,
                    fallback=None if gate.fallback is None else self._stand_in(gate, given),
                    timeout_s=gate.timeout_s,
                    render=render or gate.render,
                    serial=gate.serial,
                )
            )
        return tuple(steps)
