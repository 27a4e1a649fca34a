"""A plan is a small DAG of tools the asker may use. What is not gets one refusal that names the step."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from registry.assets import ToolAsset
from registry.capabilities import cycle_in
from registry.decisions import Refuse
from registry.registry import Registry
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.plans import MAX_DEPTH, MAX_STEPS, Strategy


class StepShape(Protocol):
    """What of a step decides whether a plan is valid: its place in the DAG and its tool."""

    @property
    def step_id(self) -> str: ...
    @property
    def tool_id(self) -> str: ...
    @property
    def depends_on(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Asker:
    """On whose behalf a plan runs; `tools` are the only ones the question allows, None for all."""

    tenant_id: str
    roles: tuple[str, ...]
    tools: tuple[str, ...] | None = None


def usable(tool: ToolAsset, asker: Asker) -> bool:
    """May the asker use the tool: by tenant, by role, and by the question's own restriction?"""
    return objection(tool, asker) is None


def check_plan(steps: Collection[StepShape], registry: Registry, asker: Asker) -> OpsError | None:
    """The first thing wrong with a plan as `PLAN_INVALID`, or None when it is valid."""
    if not steps:
        return invalid("The plan has no steps.", "send at least one step")
    if len(steps) > MAX_STEPS:
        return invalid(f"The plan has {len(steps)} steps; at most {MAX_STEPS} are allowed.", "split it")
    return _check_graph(steps) or _check_tools(steps, registry, asker)


def _check_graph(steps: Collection[StepShape]) -> OpsError | None:
    edges: dict[str, tuple[str, ...]] = {}
    for step in steps:
        if step.step_id in edges:
            return invalid(f"Two steps are called '{step.step_id}'.", "give each step its own step_id")
        edges[step.step_id] = step.depends_on
    for step in steps:
        for parent in step.depends_on:
            if parent not in edges:
                return invalid(
                    f"Step '{step.step_id}' depends on '{parent}', which is not in the plan.",
                    "name a step of the plan",
                )
    for step_id in edges:
        cycle = cycle_in(edges, step_id)
        if cycle:
            return invalid(f"The steps wait for one another: {' → '.join(cycle)}.", "remove one dependency")
    deepest = max(depths(edges).items(), key=lambda item: item[1])
    if deepest[1] > MAX_DEPTH:
        return invalid(
            f"Step '{deepest[0]}' is {deepest[1]} steps deep; at most {MAX_DEPTH} are allowed.",
            "flatten the plan",
        )
    return None


def _check_tools(steps: Iterable[StepShape], registry: Registry, asker: Asker) -> OpsError | None:
    for step in steps:
        tool = registry.tool(step.tool_id)
        why_not = f"tool {step.tool_id} is not published" if tool is None else objection(tool, asker)
        if why_not is None and tool is not None and tool.depends_on:
            needs = registry.check_dependencies(tool.id)
            why_not = needs.reason if isinstance(needs, Refuse) else None
        if why_not is not None:
            # Unknown, another tenant's and forbidden read the same to the asker: no probing for what exists.
            return invalid(
                f"Step '{step.step_id}' asks for a tool that may not be used here.",
                "use a tool that is published for this tenant and role and allowed by the question",
                detail=f"step {step.step_id}: {why_not}",
            )
    return None


def objection(tool: ToolAsset, asker: Asker) -> str | None:
    """Why the asker may not use the tool, for operators; None when he may."""
    if tool.supported_tenants is not None and asker.tenant_id not in tool.supported_tenants:
        return f"tool {tool.id} is not open to tenant {asker.tenant_id}"
    if not any(role in tool.roles for role in asker.roles):
        return f"tool {tool.id} needs one of the roles {', '.join(tool.roles)}"
    if asker.tools is not None and tool.id not in asker.tools:
        return f"tool {tool.id} is not among the tools the question allows"
    return None


def depths(edges: Mapping[str, tuple[str, ...]]) -> dict[str, int]:
    """Steps on the longest way to each step, itself included. The edges must be those of a DAG."""
    found: dict[str, int] = {}
    waiting = list(edges)
    while waiting:
        step_id = waiting[-1]
        unknown = [parent for parent in edges[step_id] if parent not in found]
        if unknown and step_id not in found:
            waiting += unknown
            continue
        waiting.pop()
        found[step_id] = 1 + max((found[parent] for parent in edges[step_id]), default=0)
    return found


def strategy_of(steps: Collection[StepShape]) -> Strategy:
    """parallel: nothing waits. serial: each but the first waits for the one before it alone. dag: the rest."""
    if not any(step.depends_on for step in steps):
        return Strategy.PARALLEL
    previous: tuple[str, ...] = ()
    for step in steps:
        if step.depends_on != previous:
            return Strategy.DAG
        previous = (step.step_id,)
    return Strategy.SERIAL


def invalid(message: str, suggestion: str, *, detail: str | None = None) -> OpsError:
    """`PLAN_INVALID` with what is wrong, what to do, and what operators should know."""
    return ops_error(ErrorCode.PLAN_INVALID, message, detail=detail or message, suggestion=suggestion)
