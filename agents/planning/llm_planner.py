"""The planner that asks a language model. What comes back is a proposal: it passes the validation of any plan."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from agents.figure_check import KnownFigures, check_figures
from agents.llm.client import LlmReply, Message
from agents.llm.prompts import prompt
from agents.llm.usage import summed
from agents.planning.calendars import zone_named
from agents.planning.context import Draft, PlannerFailed, PlanningContext, Reject
from agents.planning.llm_reply import REPLY_SCHEMA, LlmPlan, Unusable, When, draft_steps, read_plan
from agents.planning.llm_view import MAX_VIEW_CHARACTERS, ParametersOf, View, view_of
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.plans import LlmUsage
from schemas.questions import QuestionAsked

NAME: Final = "llm"
_REPEATED_CHARACTERS: Final = 8_000
_LONGEST_REASON: Final = 300
_LEAST_S: Final = 0.5
"""With less time left a repair is not begun."""


class AsksModel(Protocol):
    """What the planner needs of `agents.llm.client.LlmClient`."""

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        timeout_s: float,
        schema: Mapping[str, Any] | None = None,
        name: str = "answer",
        tenant_id: str = "",
    ) -> LlmReply: ...


class LlmPlanner:
    """An `AsyncPlanner`. One question to the model, and one more to repair a plan that is not valid."""

    name = NAME

    def __init__(
        self,
        client: AsksModel,
        *,
        timeout_s: float,
        parameters_of: ParametersOf = lambda tool: {},
        max_view_characters: int = MAX_VIEW_CHARACTERS,
    ) -> None:
        self._client = client
        self._timeout_s = timeout_s
        self._parameters_of = parameters_of
        self._max_view_characters = max_view_characters

    async def plan_async(
        self, question: QuestionAsked, context: PlanningContext
    ) -> Draft | Reject | PlannerFailed:
        """A valid draft, a rejection, or why there is neither. Takes at most `context.budget_s`, and at most its own
        timeout a turn."""
        loop = asyncio.get_running_loop()
        ends_at = loop.time() + context.budget_s
        view = view_of(question, context, self._parameters_of, max_characters=self._max_view_characters)
        if not view.tools:
            return Reject("Nothing can be asked here with this mode, role and choice of tools.")
        messages: list[Message] = [
            {"role": "system", "content": prompt("plan").text},
            {"role": "user", "content": _told(question, context, view)},
        ]
        usage: LlmUsage | None = None
        wrong = ""
        for turn in (1, 2):
            timeout_s = min(self._timeout_s, ends_at - loop.time())
            reply = await self._client.ask(
                messages,
                timeout_s=timeout_s,
                schema=REPLY_SCHEMA,
                name="plan",
                tenant_id=question.tenant_id,
            )
            usage = summed(usage, reply.usage) or reply.usage
            if reply.error is not None:
                return PlannerFailed(reply.error, usage)
            found = self._read(reply.text, question, context, view)
            if not isinstance(found, str):
                return _finished(found, usage, repaired=turn > 1)
            wrong = found
            if ends_at - loop.time() < _LEAST_S:
                break
            messages += [
                {"role": "assistant", "content": reply.text[:_REPEATED_CHARACTERS]},
                {"role": "user", "content": _json({"refused": wrong, "wanted": "the whole plan, corrected"})},
            ]
        return PlannerFailed(_no_plan(wrong), usage)

    def _read(
        self, text: str, question: QuestionAsked, context: PlanningContext, view: View
    ) -> Draft | Reject | str:
        """The decision in a reply, or what is wrong with it."""
        try:
            plan = read_plan(text)
            if plan.decision == "reject":
                said = _held(plan.text, question) or "No tool here answers this."
                return Reject(said, tuple(filter(None, [_held(plan.reason, question)])))
            draft = _draft(plan, question, view, When(context.now, zone_named(context.time_zone)))
        except Unusable as exc:
            return str(exc)
        error = context.check(draft)
        if error is None:
            return draft
        return " ".join(dict.fromkeys(filter(None, (error.message, error.detail, error.suggestion))))[:2_000]


def _draft(plan: LlmPlan, question: QuestionAsked, view: View, when: When) -> Draft:
    def at(moment: float) -> Draft | None:
        try:
            return _draft(plan, question, view, when._replace(now=moment))
        except Unusable:  # words that meant a time then need not mean one now
            return None

    return Draft(
        steps=draft_steps(plan, view, when),
        planner=NAME,
        reasons=tuple(filter(None, [_held(plan.reason, question)])),
        applied=(prompt("plan").applied,),
        at=at,
    )


def _finished(found: Draft | Reject, usage: LlmUsage, *, repaired: bool) -> Draft | Reject:
    by = f"planned by {usage.model}" + (", repaired once" if repaired else "")
    return replace(found, reasons=(*found.reasons, by), usage=usage)


def _told(question: QuestionAsked, context: PlanningContext, view: View) -> str:
    """The user's message: one JSON object, so that nothing in it can pass for anything but data."""
    told: dict[str, Any] = {
        "question": question.question,
        "mode": question.mode.value,
        "language": context.language,
        "now": datetime.fromtimestamp(context.now, UTC).isoformat(timespec="seconds"),
        "time_zone": context.time_zone,
        **view.told,
    }
    if context.failures:
        told["failed_before"] = [
            {"step_id": each.step_id, "tools": list(each.tool_ids), "code": each.code.value}
            for each in context.failures
        ]
    return _json(told)


def _held(text: str, question: QuestionAsked) -> str:
    """What a model says on its own, on one line and without figures that nobody gave it."""
    line = " ".join(text.split())[:_LONGEST_REASON]
    return check_figures(line, KnownFigures([question.question])).text


def _no_plan(why: str) -> OpsError:
    return ops_error(
        ErrorCode.PLAN_INVALID, "The language model made no valid plan.", detail=f"planning: {why}"[:2_000]
    )


def _json(told: Any) -> str:
    return msgspec.json.encode(told).decode()
