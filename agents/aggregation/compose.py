"""The answer of a trace: composed from its plan and the outputs of its calls alone, the same each time.

No answer is larger than `MAX_ANSWER_BYTES`: rows are cut first and counted, and a text says so. Texts are
plain text on safe lines; only blocks of kind markdown hold Markdown, with the values in it escaped.
"""

from dataclasses import replace
from typing import Final

import msgspec

from agents.aggregation.blocks import Room, main_result_of
from agents.aggregation.budget import execution_ends_at, summarise
from agents.aggregation.clean import line, lines
from agents.aggregation.figures import moment
from agents.aggregation.lacks import carried_text, ways_on
from agents.aggregation.outcomes import MESSAGE_CHARACTERS, Outcome, Outcomes, outcomes_of, public
from agents.aggregation.rewriting import composer_result, rewritten, usage_of
from agents.aggregation.telling import told
from agents.aggregation.trace import Trace
from agents.aggregation.voice import KOREAN, Voice, voice_of
from agents.aggregation.wording import rows_of
from schemas.answers import AnswerComposed, BudgetSummary, Status, ToolResult
from schemas.calls import Shape, ToolFailed, ToolOutput, ToolSucceeded
from schemas.error_sentences import in_language, sentence_of, way_on
from schemas.errors import ErrorCode, PublicError, ops_error, phase_timeout
from schemas.ids import answer_id
from schemas.plans import PlanFailed, PlanKind, PlanMade
from schemas.word import Instant

MAX_ANSWER_BYTES: Final = 256 * 1024
MAX_TEXT_CHARACTERS: Final = 8_000
_ROW_CHARACTERS: Final = 96_000
_SURE_CHARACTERS: Final = 24_000
"""Rows of fewer characters than this cannot make an answer too large, however they are encoded."""
_MAX_LISTED: Final = 20

_ENCODER: Final = msgspec.json.Encoder()


def compose(trace: Trace, now: Instant) -> AnswerComposed:
    """The answer to what is known of the trace at `now`: steps without a result count as timed out.

    The trace must have its plan; composing without one is a bug and raises `ValueError`.
    """
    plan = trace.plan
    if plan is None:
        raise ValueError("a trace without a plan has no question to answer")
    if plan.kind is not PlanKind.PLAN or not plan.steps:
        return _without_steps(plan, now)
    outcomes = outcomes_of(trace, plan, now)
    characters = _ROW_CHARACTERS
    while True:
        room = Room(characters)
        answer = _composed(trace, plan, outcomes, room, now)
        used = characters - max(room.left, 0)
        if used < _SURE_CHARACTERS or len(_ENCODER.encode(answer)) <= MAX_ANSWER_BYTES:
            return answer
        characters //= 2


def compose_refusal(failed: PlanFailed, now: Instant) -> AnswerComposed:
    """The failed answer of a question for which no plan could be made."""
    error = in_language(public(failed.error), failed.language)
    suggestion = error.suggestion or way_on(error.code, failed.language)
    return AnswerComposed(
        answer_id=answer_id(failed.trace_id),
        trace_id=failed.trace_id,
        question_id=failed.question_id,
        tenant_id=failed.tenant_id,
        user_id=failed.user_id,
        question=failed.question,
        mode=failed.mode,
        status=Status.FAILED,
        plan_kind=PlanKind.REJECT,
        text=_refusal_text(error, failed.language),
        budget=summarise(failed.asked_at, failed.planned_at, failed.deadline_at, (), now),
        suggestions=(suggestion,) if suggestion else (),
        error=error,
        asked_at=moment(failed.asked_at),
        answered_at=moment(now),
        language=failed.language,
    )


def _refusal_text(error: PublicError, language: str) -> str:
    """The error's message; in Korean behind the sentence of its code, for messages of their own are English."""
    told = sentence_of(error.code, language) if language == KOREAN else error.message
    own = "" if error.message == told else f" {error.message}"
    return f"{told}{own} ({error.code.value})"


def _without_steps(plan: PlanMade, now: Instant) -> AnswerComposed:
    """A direct answer; a rejection, which says what could be asked instead; or a plan that has no steps."""
    text = lines(plan.text, MAX_TEXT_CHARACTERS)
    suggestions = _listed(plan.suggestions)
    error = None
    if plan.kind is not PlanKind.DIRECT:
        error = ops_error(
            ErrorCode.PLAN_INVALID,
            line(plan.text, MESSAGE_CHARACTERS) or sentence_of(ErrorCode.PLAN_INVALID, plan.language),
            suggestion=next(iter(suggestions), None),
        ).public()
        text = text or error.message
    return AnswerComposed(
        answer_id=answer_id(plan.trace_id),
        trace_id=plan.trace_id,
        question_id=plan.question_id,
        tenant_id=plan.tenant_id,
        user_id=plan.user_id,
        question=plan.question,
        mode=plan.mode,
        status=Status.SUCCESS if error is None else Status.FAILED,
        plan_kind=plan.kind,
        planner=plan.planner,
        score=plan.score,
        reasons=_listed(plan.reasons),
        text=text,
        budget=summarise(plan.asked_at, plan.planned_at, plan.deadline_at, (), now),
        suggestions=suggestions,
        error=error,
        applied_assets=plan.applied_assets,
        asked_at=moment(plan.asked_at),
        answered_at=moment(now),
        language=plan.language,
        time_zone=plan.time_zone,
    )


def _composed(trace: Trace, plan: PlanMade, outcomes: Outcomes, room: Room, now: Instant) -> AnswerComposed:
    main = _main(plan, outcomes)
    main_result = main_result_of(main.output, room) if main is not None and main.output is not None else None
    voice = voice_of(plan.language, plan.time_zone)
    story = told(plan, outcomes, room, voice)
    text = story.found + story.missing
    if trace.detours is not None and trace.detours.composing is not None:
        text = rewritten(trace, plan, text, story.cited(outcomes), voice)
    if main is not None and main_result is not None:
        text += _cut(main, main_result, story.marks[main.step.step_id], voice)
    return AnswerComposed(
        answer_id=answer_id(plan.trace_id),
        trace_id=plan.trace_id,
        question_id=plan.question_id,
        tenant_id=plan.tenant_id,
        user_id=plan.user_id,
        question=plan.question,
        mode=plan.mode,
        status=outcomes.status,
        plan_kind=plan.kind,
        planner=plan.planner,
        score=plan.score,
        reasons=_listed(plan.reasons),
        text=_bounded(text, korean=voice.korean),
        successful_tools=_tools(outcomes, success=True),
        failed_tools=_tools(outcomes, success=False),
        results=_results(trace, plan, outcomes, now),
        main_result=main_result,
        fallback_used=bool(outcomes.fallbacks),
        fallback_details=outcomes.fallbacks[0] if outcomes.fallbacks else None,
        replans=plan.attempt,
        budget=_budget(trace, plan, outcomes, now),
        blocks=story.blocks,
        references=story.references,
        suggestions=_suggestions(plan, outcomes, voice),
        error=_error(plan, outcomes, now),
        applied_assets=plan.applied_assets,
        asked_at=moment(plan.asked_at),
        answered_at=moment(now),
        language=plan.language,
        fallbacks=outcomes.fallbacks,
        replan_records=plan.replan_records,
        usage=usage_of(trace, plan),
        time_zone=plan.time_zone,
    )


def _results(trace: Trace, plan: PlanMade, outcomes: Outcomes, now: Instant) -> tuple[ToolResult, ...]:
    """One result a call: of each step, before it that of the tool for which another stood in, and last the
    composer's. Their errors are in the language of the answer."""
    if not trace.failed and trace.detours is None and len(trace.succeeded) == len(outcomes.steps):
        return tuple([outcome.result for outcome in outcomes.steps])
    results: list[ToolResult] = []
    for outcome in outcomes.steps:
        if outcome.before is not None:
            results.append(outcome.before)
        results.append(outcome.result)
    if trace.detours is not None and trace.detours.composing is not None:
        results.append(composer_result(trace, plan, now))
    if plan.language == KOREAN:
        results = [_in_korean(result) for result in results]
    return tuple(results)


def _in_korean(result: ToolResult) -> ToolResult:
    if result.status == "skipped":
        return replace(result, error=f"{result.cause} 단계가 성공하지 못해 건너뛰었습니다.")
    if result.error_details is None:
        return result
    error = in_language(result.error_details, KOREAN)
    return replace(result, error=error.message, error_details=error)


def _cut(main: Outcome, main_result: ToolOutput, mark: str, voice: Voice) -> list[str]:
    """A sentence on the rows that this answer does not carry, if there are any."""
    kept, there = len(main_result.rows), rows_of(main.output) if main.output is not None else 0
    if kept >= there:
        return []
    newest = main_result.shape is Shape.SERIES
    if newest and main.output is not None and main.output.truncated:
        return []  # said already, of all points there are
    return [carried_text(main.step, kept, there, mark, newest=newest, voice=voice)]


def _budget(trace: Trace, plan: PlanMade, outcomes: Outcomes, now: Instant) -> BudgetSummary:
    results: list[ToolSucceeded | ToolFailed] = [*trace.succeeded.values(), *trace.failed.values()]
    return summarise(plan.asked_at, plan.planned_at, plan.deadline_at, results, now, cut=outcomes.timed_out)


def _main(plan: PlanMade, outcomes: Outcomes) -> Outcome | None:
    """The last step with an output on which no other step depends; if there is none, the last with an
    output."""
    needed = {name for step in plan.steps for name in step.depends_on}
    main = None
    for outcome in outcomes.steps:
        if outcome.output is not None and (
            main is None or outcome.step.step_id not in needed or main.step.step_id in needed
        ):
            main = outcome
    return main


def _tools(outcomes: Outcomes, *, success: bool) -> tuple[str, ...]:
    """Tools of the steps that succeeded, or that did not (a skipped step did not), each once, as in the
    plan."""
    tools = [out.result.tool_id for out in outcomes.steps if out.result.success is success]
    if not success:
        tools += [out.before.tool_id for out in outcomes.steps if out.before is not None]
    return tuple(dict.fromkeys(tools))


def _suggestions(plan: PlanMade, outcomes: Outcomes, voice: Voice) -> tuple[str, ...]:
    """The plan's own, then what could be asked instead of what is missing, each once."""
    ways = ways_on(outcomes, voice)
    return _listed((*plan.suggestions, *ways)) if ways else _listed(plan.suggestions)


def _error(plan: PlanMade, outcomes: Outcomes, now: Instant) -> PublicError | None:
    """What a failed answer failed of: the deadline if it cut a step, else the first step's error."""
    if outcomes.status is not Status.FAILED:
        return None
    if outcomes.timed_out:
        budget_s = execution_ends_at(plan) - plan.planned_at
        return in_language(
            phase_timeout("execution", now - plan.planned_at, budget_s).public(), plan.language
        )
    errors = (out.result.error_details for out in outcomes.steps)
    first = next((error for error in errors if error is not None), None)
    if first is None:
        first = ops_error(ErrorCode.PLAN_INVALID, "The plan's steps wait for one another.").public()
    return in_language(first, plan.language)


def _listed(texts: tuple[str, ...]) -> tuple[str, ...]:
    return (
        tuple(dict.fromkeys([line(text, MESSAGE_CHARACTERS) for text in texts[:_MAX_LISTED]]))
        if texts
        else ()
    )


def _bounded(sentences: list[str], *, korean: bool) -> str:
    """The sentences as one text. What is too long ends behind a sentence or at least behind a mark, so that no figure
    loses its own."""
    text = "\n".join(sentences)
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    kept = text[: MAX_TEXT_CHARACTERS - 30]
    for border in ("\n", "]"):
        at = kept.rfind(border)
        if at >= MAX_TEXT_CHARACTERS // 2:
            kept = kept[: at + 1]
            break
    return kept + ("… (여기서 잘렸습니다)" if korean else "… (the text was cut here)")
