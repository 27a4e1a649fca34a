"""The text of a model in the answer: taken as far as its figures occur in what was found, and it is said when not."""

from collections.abc import Sequence
from typing import Final

from agents.aggregation.budget import composition_ends_at
from agents.aggregation.citing import Cited, cited
from agents.aggregation.composing import Written, held
from agents.aggregation.outcomes import public
from agents.aggregation.trace import Call, Trace
from agents.aggregation.voice import Voice, zone_of
from agents.llm.usage import LLM_TOOL_TYPE, summed, usage_in
from schemas.answers import ToolResult
from schemas.errors import OpsError, phase_timeout
from schemas.plans import LlmUsage, PlanMade
from schemas.word import Instant

MAX_CHARACTERS: Final = 6_000
_COUNTS: Final = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_KOREAN_COUNTS: Final = ("영", "한", "두", "세", "네", "다섯", "여섯", "일곱", "여덟", "아홉", "열")


def rewritten(
    trace: Trace, plan: PlanMade, sentences: list[str], results: Sequence[Cited], voice: Voice
) -> list[str]:
    """The sentences of the answer: the model's, each figure with the mark of the result that holds it, then what this
    answer has to say itself; or, when nothing of the model's may stand, all of its own, and why."""
    written = held(trace, plan, MAX_CHARACTERS, zone_of(voice.zone))
    if written is None or not written.text:
        return [*sentences, _not_used(written, voice)]
    text = cited(written.text, results, plan.question, voice)
    if not written.dropped:
        return [text, *sentences]
    return [text, _left_out(written.dropped, voice), *sentences]


def _not_used(written: Written | None, voice: Voice) -> str:
    if written is None:
        if voice.korean:
            return "언어 모델의 요약은 제때 오지 않아 사용하지 않았습니다."
        return "The language model gave no summary in time, so there is none."
    if voice.korean:
        return "언어 모델의 요약은 결과에 없는 수치를 담고 있어 사용하지 않았습니다."
    return "The language model's summary was left out: it named figures that no tool found."


def _left_out(count: int, voice: Voice) -> str:
    """In words: a number here would be no figure that a tool found."""
    if voice.korean:
        how_many = _KOREAN_COUNTS[count] if count < len(_KOREAN_COUNTS) else "여러"
        return f"요약에서 결과에 없는 수치를 담은 문장 {how_many} 개를 뺐습니다."
    how_many = _COUNTS[count] if count < len(_COUNTS) else "several"
    noun = "sentence" if count == 1 else "sentences"
    return f"Left out of the summary: {how_many} {noun} with figures that no tool found."


def composer_result(trace: Trace, plan: PlanMade, now: Instant) -> ToolResult:
    """The outcome of the composer's call, for the list of results; it has no say in the status."""
    detours, composer = trace.detours, plan.composer
    assert detours is not None
    assert detours.composing is not None
    assert composer is not None
    call, done, failed = detours.composing, detours.composed, detours.not_composed
    event = done or failed
    error = _error(plan, call, now) if event is None else None if failed is None else failed.error
    told = None if error is None else public(error)
    return ToolResult(
        step_id=composer.step_id,
        tool_id=composer.tool_id,
        call_id=call.call_id,
        success=done is not None,
        status="success" if done is not None else "timeout" if event is None else "error",
        duration_ms=((event.ended_at - event.started_at) if event is not None else now - call.called_at)
        * 1000,
        retries=event.retries if event is not None else 0,
        group=len(plan.steps),
        error=None if told is None else told.message,
        error_code=None if told is None else told.code,
        error_details=told,
    )


def usage_of(trace: Trace, plan: PlanMade) -> LlmUsage | None:
    """All that the question used of language models: for its plan, in its steps, for its text."""
    used = plan.usage
    if any(step.tool_type == LLM_TOOL_TYPE for step in plan.steps):
        for step in plan.steps:
            done = trace.succeeded.get(step.step_id)
            if done is not None and step.tool_type == LLM_TOOL_TYPE:
                used = summed(used, usage_in(done.output.facts, done.retries))
    composed = trace.detours.composed if trace.detours is not None else None
    return used if composed is None else summed(used, usage_in(composed.output.facts, composed.retries))


def _error(plan: PlanMade, call: Call, now: Instant) -> OpsError:
    budget_s = composition_ends_at(plan, call.called_at) - call.called_at
    return phase_timeout("compose", now - call.called_at, budget_s)
