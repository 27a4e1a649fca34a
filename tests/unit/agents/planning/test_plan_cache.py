"""Plans of identical questions: kept per tenant, bounded, and never for the wrong moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from agents.planning.context import Decision, Direct, Draft, DraftStep, PlanningContext, Reject
from agents.planning.plan_cache import PlanCache, cache_key, embeds_a_moment
from agents.planning.planning import Planning
from agents.planning.rules import RulesPlanner
from registry.registry import Registry
from schemas.plans import PlanMade
from schemas.questions import QuestionAsked, QuestionOptions

NOW = 1_795_000_000.5
Ask = Callable[..., QuestionAsked]


def draft(**params: Any) -> Draft:
    return Draft((DraftStep("s1", "plant_query", params),), "rules")


def kept(cache: PlanCache, question: QuestionAsked, at: float) -> Decision | None:
    key = cache_key(question, "rules")
    assert key is not None
    found = cache.find(question, key, at)
    return found[0] if found else None


def keep(cache: PlanCache, question: QuestionAsked, decision: Decision) -> None:
    key = cache_key(question, "rules")
    assert key is not None
    cache.keep(question, key, decision, "rules", NOW)


def test_timeless_plan_is_kept_for_a_while(ask: Ask) -> None:
    """And no longer than that: names come and go."""
    cache, question = PlanCache(kept_s=60), ask("how many machines?")
    keep(cache, question, draft(limit=3))

    assert kept(cache, question, NOW + 59) == draft(limit=3)
    assert kept(cache, question, NOW + 61) is None


def test_fixed_moment_holds_within_its_second_only(ask: Ask) -> None:
    """ "last 15 minutes" of a minute ago is not "last 15 minutes" of now."""
    cache, question = PlanCache(), ask("what happened in the last 15 minutes?")
    keep(cache, question, draft(window_from=NOW - 900, window_to=NOW))

    assert kept(cache, question, NOW + 0.4) is not None
    assert kept(cache, question, NOW + 1.0) is None


def test_times_in_words_are_read_anew(ask: Ask) -> None:
    """A draft that knows its times in words is as of now each time."""
    cache, question = PlanCache(), ask("what happened in the last 15 minutes?")
    keep(cache, question, replace(draft(to=NOW), at=lambda now: draft(to=now)))

    assert kept(cache, question, NOW + 100) == draft(to=NOW + 100)


def test_rejection_is_not_kept(ask: Ask) -> None:
    """What was unknown may be known a moment later."""
    cache, question = PlanCache(), ask("what is xyzzy?")
    keep(cache, question, Reject("no"))

    assert kept(cache, question, NOW) is None


@pytest.mark.parametrize(
    "other",
    [
        {"tenant_id": "south"},
        {"roles": ("manager",)},
        {"mode": "graph"},
        {"tools": ("plant_query",)},
        {"context": {"time_zone": "Asia/Seoul"}},
    ],
    ids=str,
)
def test_another_asker_is_another_question(ask: Ask, other: dict[str, Any]) -> None:
    """Tenant, role, mode, choice of tools and context are part of what is asked."""
    cache = PlanCache()
    keep(cache, ask("how many machines?"), draft(limit=3))

    assert kept(cache, ask("how many machines?", **other), NOW) is None


def test_least_recently_used_goes_first(ask: Ask) -> None:
    """Among a tenant's questions, and among the tenants."""
    cache = PlanCache(per_tenant=2, tenants=2)
    for text in ("a", "b"):
        keep(cache, ask(text), draft())
    assert kept(cache, ask("a"), NOW) is not None
    keep(cache, ask("c"), draft())
    assert [kept(cache, ask(text), NOW) is not None for text in "abc"] == [True, False, True]

    for tenant in ("south", "east"):
        keep(cache, ask("a", tenant_id=tenant), draft())
    assert kept(cache, ask("a"), NOW) is None


def test_very_long_question_is_not_remembered(ask: Ask) -> None:
    """Memory is for what is asked again."""
    assert cache_key(ask("why? " * 500), "rules") is None


@pytest.mark.parametrize(
    ("decision", "momentary"),
    [
        (draft(at=NOW), True),
        (draft(at=NOW * 1000), True),
        (draft(filters=[{"value": "2026-11-21 00:00:00"}]), True),
        (draft(limit=10, name="db-7"), False),
        (Direct("It is 11:06."), True),
        (Direct("You can ask about hosts."), False),
    ],
)
def test_moments_are_recognised(decision: Decision, momentary: bool) -> None:
    """Unix seconds and milliseconds, dates and times in texts, however deep."""
    assert embeds_a_moment(decision) is momentary


class Counting:
    """The rules planner, counted."""

    name = "rules"

    def __init__(self) -> None:
        self.asked = 0
        self._rules = RulesPlanner()

    def plan(self, question: QuestionAsked, context: PlanningContext) -> Decision:
        self.asked += 1
        return self._rules.plan(question, context)


def test_planning_asks_its_planner_once_for_the_same_question(plant: Registry, ask: Ask) -> None:
    """Unless the question says no_cache; the plan is resolved anew each time, and is the same."""
    planner = Counting()
    planning = Planning(plant, [planner], cache=PlanCache())
    question = ask("which machines do we have?")

    plans = [planning.decide(question, trace_id="t", now=NOW) for _ in range(3)]
    assert planner.asked == 1
    assert isinstance(plans[0], PlanMade)
    assert plans[0] == plans[2]

    planning.decide(replace(question, options=QuestionOptions(no_cache=True)), trace_id="t", now=NOW)
    assert planner.asked == 2
