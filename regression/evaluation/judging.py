"""Judging: is the plan right, and are the figures? Each miss says what was expected and what came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from regression.evaluation.cases import Case
from regression.evaluation.holdings import holdings_of
from regression.evaluation.truths import NoTruth, Truths
from schemas.answers import AnswerComposed
from schemas.plans import PlanKind, PlanMade

_SHOWN = 8
_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Miss:
    """Something that is not as expected: `what` is plan, tool, params, value, truth or answer."""

    what: str
    expected: str
    came: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case judged. `figures` is None where no value was expected."""

    case: Case
    plan: bool
    figures: bool | None
    misses: tuple[Miss, ...] = ()
    trace_id: str = ""
    text: str = ""

    @property
    def right(self) -> bool:
        return self.plan and self.figures is not False


def unanswered(case: Case, why: str) -> Verdict:
    """The verdict on a question that was not answered at all."""
    figures = False if case.expect.values else None
    return Verdict(case, False, figures, (Miss("answer", "an answer", why),))


def judge(case: Case, answer: AnswerComposed, plans: Sequence[PlanMade], truths: Truths) -> Verdict:
    """Hold an answer against its case. `plans` are what the planner decided for it, replans included; without them
    parameters cannot be compared, which counts as a miss where some are expected."""
    plan = tuple(_plan_misses(case, answer, plans))
    figures = tuple(_value_misses(case, answer, truths))
    return Verdict(
        case=case,
        plan=not plan,
        figures=not figures if case.expect.values else None,
        misses=plan + figures,
        trace_id=answer.trace_id,
        text=answer.text[:_CHARACTERS],
    )


def _plan_misses(case: Case, answer: AnswerComposed, plans: Sequence[PlanMade]) -> list[Miss]:
    rejected = answer.plan_kind is PlanKind.REJECT
    called = [result.tool_id for result in answer.results if result.status != "skipped"]
    came = f"{answer.plan_kind.value}: {', '.join(dict.fromkeys(called)) or answer.text[:120]}"
    if case.expect.reject or rejected:
        return [] if case.expect.reject == rejected else [Miss("plan", _wanted(case), came)]
    misses = [Miss("tool", tool, came) for tool in case.expect.tools if tool not in called]
    for tool, wanted in case.expect.params.items():
        given = [step.params for plan in plans for step in plan.steps if step.tool_id == tool]
        if not any(all(_given(params, name, value) for name, value in wanted.items()) for params in given):
            misses.append(Miss("params", f"{tool} {wanted}", f"{given}"[:_CHARACTERS] if given else came))
    return misses


def _wanted(case: Case) -> str:
    return "a rejection" if case.expect.reject else f"a plan with {', '.join(case.expect.tools) or 'tools'}"


def _given(params: dict[str, Any], name: str, expected: Any) -> bool:
    """Does the call carry the parameter: under its name, among a template's arguments, or as a filter on a field of
    this name?"""
    arguments = params.get("args")
    for held in (params, arguments if isinstance(arguments, dict) else {}):
        if name in held and fits(expected, held[name]):
            return True
    filters = params.get("filters")
    return any(
        isinstance(each, dict) and each.get("field") == name and fits(expected, each.get("value"))
        for each in (filters if isinstance(filters, list) else ())
    )


def fits(expected: Any, came: Any) -> bool:
    """Equal, where an expected object needs only the fields it names, an expected list only the items it holds, in
    any order, a number and a text the same value whatever their type or case."""
    if isinstance(expected, dict):
        return isinstance(came, dict) and all(
            name in came and fits(value, came[name]) for name, value in expected.items()
        )
    if isinstance(expected, list):
        held = came if isinstance(came, list) else [came]
        return all(any(fits(item, each) for each in held) for item in expected)
    if isinstance(came, list) and len(came) == 1:
        return fits(expected, came[0])
    if isinstance(expected, int | float) and isinstance(came, int | float):
        return abs(expected - came) <= 1e-9 * max(1.0, abs(expected))
    if isinstance(expected, str) and isinstance(came, str):
        return expected.casefold() == came.casefold()
    return bool(expected == came)


def _value_misses(case: Case, answer: AnswerComposed, truths: Truths) -> list[Miss]:
    if not case.expect.values:
        return []
    holdings = holdings_of(answer)
    misses: list[Miss] = []
    for expected in case.expect.values:
        try:
            wanted = truths.of(expected, case.tenant)
        except NoTruth as fault:
            misses.append(Miss("truth", expected.sql or "", str(fault)))
            continue
        lacking = [each for each in wanted if not holdings.holds(each, expected.tolerance)]
        # A truth without any scalar is that there is nothing: then the answer may hold nothing either.
        if lacking or (not wanted and not holdings.found_nothing and (holdings.numbers or holdings.moments)):
            misses.append(
                Miss("value", _said(lacking) if lacking else "nothing found", _said(holdings.numbers))
            )
    return misses


def _said(values: Sequence[Any]) -> str:
    shown = ", ".join(f"{each:g}" if isinstance(each, float) else f"{each}" for each in values[:_SHOWN])
    return f"{shown}, and {len(values) - _SHOWN} more" if len(values) > _SHOWN else shown or "nothing"
