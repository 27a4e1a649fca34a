"""Plans of questions that were asked before: per tenant, bounded, and never at the wrong moment. Pure but for memory.

What is kept is the planner's decision, not the plan: it is validated and its tools are resolved anew each time, so a
tool that was withdrawn or rests meanwhile is not used.
"""

import json
import re
from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final, NamedTuple

from agents.planning.context import Decision, Draft, Reject
from schemas.questions import QuestionAsked

KEPT_PER_TENANT: Final = 256
KEPT_TENANTS: Final = 64
LONGEST_QUESTION: Final = 2_000
"""Characters of a question and its context that is worth remembering: nobody types more of them twice."""
KEPT_S: Final = 300.0
"""Names and datasets come and go; after this a question is planned anew in any case."""
MOMENT_BUCKET_S: Final = 1.0
"""How long a plan with a fixed moment in it may stand for "now"; buckets begin with the second, so none crosses a
midnight in any time zone."""

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2}")
_FIRST_MOMENT, _LAST_MOMENT = 1e8, 5e9

Key = tuple[Any, ...]


class _Kept(NamedTuple):
    decision: Decision
    planner: str
    kept_at: float
    fixed: bool
    """Holds only in the bucket in which it was made."""


class PlanCache:
    """The least recently used goes first, among a tenant's questions and among the tenants."""

    def __init__(
        self, *, per_tenant: int = KEPT_PER_TENANT, tenants: int = KEPT_TENANTS, kept_s: float = KEPT_S
    ) -> None:
        self._per_tenant = per_tenant
        self._most_tenants = tenants
        self._kept_s = kept_s
        self._tenants: OrderedDict[str, OrderedDict[Key, _Kept]] = OrderedDict()

    def find(self, question: QuestionAsked, key: Key, now: float) -> tuple[Decision, str] | None:
        """The decision on the same question as of `now`, and which planner made it."""
        of_tenant = self._tenants.get(question.tenant_id)
        kept = of_tenant.get(key) if of_tenant is not None else None
        if of_tenant is None or kept is None:
            return None
        age_s = now - kept.kept_at
        if not 0 <= age_s < self._kept_s or (kept.fixed and _bucket(now) != _bucket(kept.kept_at)):
            del of_tenant[key]
            return None
        decision = kept.decision
        renewed = decision.at(now) if isinstance(decision, Draft) and decision.at is not None else decision
        if renewed is None:
            del of_tenant[key]
            return None
        self._tenants.move_to_end(question.tenant_id)
        of_tenant.move_to_end(key)
        return renewed, kept.planner

    def keep(self, question: QuestionAsked, key: Key, decision: Decision, planner: str, now: float) -> None:
        """Remember a decision. Rejections are not kept: what was unknown may be known a moment later."""
        if isinstance(decision, Reject):
            return
        of_tenant = self._tenants.setdefault(question.tenant_id, OrderedDict())
        self._tenants.move_to_end(question.tenant_id)
        if decision.usage is not None:
            decision = replace(decision, usage=None)  # it was paid for once
        fixed = not (isinstance(decision, Draft) and decision.at is not None) and embeds_a_moment(decision)
        of_tenant[key] = _Kept(decision, planner, now, fixed)
        of_tenant.move_to_end(key)
        if len(of_tenant) > self._per_tenant:
            of_tenant.popitem(last=False)
        if len(self._tenants) > self._most_tenants:
            self._tenants.popitem(last=False)


def cache_key(question: QuestionAsked, choice: str) -> Key | None:
    """All of a question that its plan depends on, but the tenant, the registry and the moment; None for one too
    long to be remembered."""
    options = question.options
    context = json.dumps(question.context, sort_keys=True) if question.context else ""
    if len(question.question) + len(context) > LONGEST_QUESTION:
        return None
    return question.question, question.mode, question.user.roles, options.tools, choice, context


def embeds_a_moment(decision: Decision) -> bool:
    """Is there anything in the decision that looks like a date, a time or a Unix time?"""
    if isinstance(decision, Draft):
        return any(_is_momentary(step.params) for step in decision.steps)
    return bool(_DATE.search(decision.text))


def _is_momentary(value: Any) -> bool:
    if isinstance(value, str):
        return bool(_DATE.search(value))
    if isinstance(value, dict):
        return any(map(_is_momentary, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_momentary, value))
    return isinstance(value, int | float) and _FIRST_MOMENT <= abs(value) / _scale(value) <= _LAST_MOMENT


def _scale(value: float) -> float:
    """Milliseconds and microseconds are moments too."""
    size = abs(value)
    return 1.0 if size < 1e11 else 1e3 if size < 1e14 else 1e6


def _bucket(at: float) -> int:
    return int(at // MOMENT_BUCKET_S)
