"""A worker like any other, each of whose parts can be switched off: `python -m tests.support.switchboard worker`.

Every part is taken at the seam where the running path calls it, and called all the same until its name stands in the
file `switched-off` of the data folder. So a question tells whether the path still goes through the part.
"""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import agents.execution.admission as admission
import agents.execution.asking as asking
import agents.execution.attempting as attempting
import agents.execution.claiming as claiming
import agents.execution.execution as execution
import agents.execution.gates as gates
import agents.execution.tools.dynamic_statement as dynamic_statement
import agents.planning.fitting as fitting
import agents.planning.resolution as resolution
import registry.changes as changes
import streams.deadletters as deadletters
import streams.intake as intake
from agents.aggregation import replans, turns
from agents.aggregation.answered import Answered
from agents.execution.bounds import _encode
from agents.execution.guards.by_engine import GUARDS
from agents.execution.guards.url.rules import UrlRules
from agents.execution.guards.verdict import Allow
from agents.execution.remembered import Remembered
from agents.execution.tools.probe import Probe
from agents.execution.turnstile import NOTHING_LIFTED, Turnstile
from agents.planning.plan_cache import PlanCache
from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.health import HealthBoard
from schemas.errors import ErrorCode, ops_error

FILE = "switched-off"
TELLING = "no such table: tickets in /srv/ops/ground.db"
"""What the probe says of its failure when it is given this as its value."""

_switched_off = Path(os.environ.get("OPSLOOM_DATA_DIR", ".")) / FILE


def off(part: str) -> bool:
    """Is the part switched off at the moment?"""
    return _switched_off.exists() and _switched_off.read_text() == part


def seam(part: str, owner: Any, name: str, otherwise: Callable[..., Any]) -> None:
    """Take `owner.name`; while the part is off `otherwise` is called in its place, with what was taken first."""
    real = getattr(owner, name)

    def either(*args: Any, **kwargs: Any) -> Any:
        return otherwise(real, *args, **kwargs) if off(part) else real(*args, **kwargs)

    setattr(owner, name, either)


def broken(*_: Any, **__: Any) -> Any:
    """For parts whose result a question cannot see: that they were asked can be seen."""
    raise RuntimeError("switched off")


class _Doctored:
    """A registry that answers some questions otherwise."""

    def __init__(self, real: Any, **answers: Callable[..., Any]) -> None:
        self._real = real
        self.__dict__.update(answers)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _admission(**answers: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def of(real: Any, self: Any, tool_id: str, tenant_id: str, roles: tuple[str, ...]) -> Any:
        known = self._registry
        doctored: Any = _Doctored(known, **{name: _given(answer, known) for name, answer in answers.items()})
        fresh = admission.Admission(doctored, self._tools, self._max_output_bytes)
        return real(fresh, tool_id, tenant_id, roles)

    return of


def _given(answer: Callable[[Any, Any], Any], known: Any) -> Callable[[Any], Any]:
    return lambda asked: answer(known, asked)


def _for_all_tenants(known: Any, tool_id: str) -> Any:
    return known.tool(tool_id).model_copy(update={"supported_tenants": None})


def _for_all_roles(known: Any, tool_id: str) -> Any:
    return known.tool(tool_id).model_copy(update={"roles": ("viewer",)})


def _any_tool(known: Any, tool_id: str) -> Any:
    return known.tool(tool_id) or known.tool("ground.probe")


def _without_denials(known: Any, tool: Any) -> Any:
    return known.policy_for(tool).model_copy(update={"deny_tables": ()})


def _without_adapter(real: Any, self: Any, tool_id: str, *rest: Any) -> Any:
    tool = self._registry.tool(tool_id)
    left = {name: adapter for name, adapter in self._tools.items() if tool is None or name != tool.tool_type}
    return real(admission.Admission(self._registry, left, self._max_output_bytes), tool_id, *rest)


def _unvalidated(_: Any, values: Any, admitted: Any) -> dict[str, Any]:
    return dict(admitted.adapter.parameters.model_construct(**values).__dict__)


async def _without_limit(_: Any, work: Awaitable[Any], timeout_s: float) -> Any:
    return await work


def _lifted(**which: bool) -> Callable[..., Any]:
    def try_enter(real: Any, self: Any, tenant_id: str, now: float, lifts: Any = NOTHING_LIFTED) -> Any:
        return real(self, tenant_id, now, lifts._replace(**which))

    return try_enter


def _wide(_: Any, self: Any, admitted: Any, *__: Any) -> Turnstile:
    terms = gates.terms_of(admitted.tool, admitted.policy)._replace(places=1_000)
    return Turnstile(terms, time.time)


async def _nothing_kept(real: Any, self: Any, *args: Any) -> Any:
    storeless = claiming.Claiming(None, over_bytes=self._over_bytes, travels_bytes=self._travels_bytes)
    return await real(storeless, *args)


async def _telling(real: Any, self: Any, invocation: Any) -> Any:
    if invocation.params["value"] == "tell":
        return ops_error(ErrorCode.INTERNAL_ERROR, TELLING)
    return await real(self, invocation)


def _same(_: Any, first: Any, *__: Any) -> Any:
    return first


def _allowed(_: Any, statement: Any, bounds: Any, bound: Any) -> Allow:
    return Allow(statement, tuple(bound))


def _attach() -> None:
    """Take every seam. The order is that of the path: the edge, planning, the guarded path, the join."""
    seam("tenant header", intake, "_check_meaning", lambda *_: None)
    seam("redaction", deadletters, "masked_bytes", _same)
    seam("credentials in assets", changes, "secret_findings", lambda *_: ())
    seam("rules planner", RulesPlanner, "plan", broken)
    seam("plan cache", PlanCache, "find", broken)
    seam("capability choice", resolution, "choose", broken)
    seam("tool health", HealthBoard, "__call__", broken)
    seam("plan check", resolution, "check_plan", lambda *_: None)
    seam("parameters while planning", fitting.Fitting, "fault", lambda *_: None)
    seam("fallback", Planning, "_settled", _without_fallbacks)

    of = admission.Admission
    seam("tenant", of, "of", _admission(tool=_for_all_tenants))
    seam("role", of, "of", _admission(tool=_for_all_roles))
    seam("asset state", of, "of", _admission(tool=_any_tool))
    seam("policy", of, "of", _admission(policy_for=_without_denials))
    seam("adapter", of, "of", _without_adapter)
    seam("parameters", asking, "_validated", _unvalidated)
    seam("declared parameters", asking, "_unfit", lambda *_: None)
    guards: Any = GUARDS
    for part, engine in (("SQL guard", "sqlite"), ("Cypher guard", "ladybug")):
        holder = SimpleNamespace(guard=guards[engine])
        seam(part, holder, "guard", _allowed)
        guards[engine] = holder.guard
    seam("operator guard", dynamic_statement, "operator_guard", lambda *_: Allow())
    for name, otherwise in (("judge", None), ("judge_addresses", None), ("may_dial", True)):
        seam("URL guard", UrlRules, name, lambda *_, otherwise=otherwise: otherwise)
    seam("cache", Remembered, "fresh", lambda *_: None)
    seam("rate limit", Turnstile, "try_enter", _lifted(rate=True))
    seam("breaker", Turnstile, "try_enter", _lifted(breaker=True))
    seam("bulkhead", gates.Gates, "turnstile", _wide)
    seam("deadline", attempting, "within", _without_limit)
    for part in ("rows bound", "bytes bound"):
        seam(part, claiming, "measured", lambda _, output, *caps: (output, len(_encode(output))))
    seam("claim check", claiming.Claiming, "bounded", _nothing_kept)
    seam("cleaning of errors", execution, "cleaned", _same)
    real_run = Probe.run
    Probe.run = lambda self, invocation: _telling(real_run, self, invocation)  # type: ignore[method-assign]
    _retries()

    seam("references", turns, "resolved", lambda _, params, *rest: {"value": "unresolved"})
    seam("replan", replans, "wants_another", lambda *_: False)
    seam("idempotency", Answered, "holds", lambda *_: False)


def _retries() -> None:
    module: Any = attempting
    retried = module.RETRIED

    class Retried:
        def __contains__(self, code: object) -> bool:
            return code in retried and not off("retries")

    module.RETRIED = Retried()


def _without_fallbacks(real: Any, self: Any, asked: Any, decided: Any) -> Any:
    from dataclasses import replace

    plan = real(self, asked, decided)
    if not hasattr(plan, "steps"):
        return plan
    return replace(plan, max_replans=0, steps=tuple(replace(step, fallback=None) for step in plan.steps))


if __name__ == "__main__":
    _attach()
    from cli.main import app

    app()
