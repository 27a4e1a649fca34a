"""What an answer lacks, and why: which part of the question, in the words of the plan; and what to ask instead."""

from typing import Final

from agents.aggregation.blocks import MAX_POINTS
from agents.aggregation.clean import inline, line
from agents.aggregation.figures import written
from agents.aggregation.marks import FIGURE, marked
from agents.aggregation.outcomes import Outcomes, empty
from agents.aggregation.voice import PLAIN, Voice
from agents.aggregation.wording import quoted_title, title_of
from schemas.calls import Shape, ToolOutput, Unit
from schemas.error_sentences import sentence_of, suggestion_in, way_on
from schemas.errors import SPECS, ErrorCode, PublicError
from schemas.plans import Step

_TOOL_CHARACTERS: Final = 120
_BECAUSE: Final[dict[ErrorCode, str]] = {
    ErrorCode.TOOL_TIMEOUT: "did not answer in time",
    ErrorCode.UPSTREAM_UNAVAILABLE: "could not reach what it asks",
    ErrorCode.RATE_LIMITED: "is at its limit for now",
    ErrorCode.CIRCUIT_OPEN: "failed repeatedly and is resting",
    ErrorCode.POLICY_DENY: "was not allowed to run",
    ErrorCode.PERMISSION_DENIED: "may not be used with this role",
    ErrorCode.SQL_BLOCKED: "was refused its query",
}
_BECAUSE_KO: Final[dict[ErrorCode, str]] = {
    ErrorCode.TOOL_TIMEOUT: "제시간에 응답하지 않았습니다",
    ErrorCode.UPSTREAM_UNAVAILABLE: "묻는 대상에 연결하지 못했습니다",
    ErrorCode.RATE_LIMITED: "지금은 호출 한도에 도달했습니다",
    ErrorCode.CIRCUIT_OPEN: "거듭 실패하여 쉬고 있습니다",
    ErrorCode.POLICY_DENY: "실행이 허용되지 않았습니다",
    ErrorCode.PERMISSION_DENIED: "이 역할로는 사용할 수 없습니다",
    ErrorCode.SQL_BLOCKED: "조회가 거부되었습니다",
}


def says_figures(error: PublicError, voice: Voice) -> bool:
    """Whether the sentence on this error will hold figures, so that it needs a reference to the call that failed."""
    return error.code not in _BECAUSE and FIGURE.search(_message(error, voice)) is not None


def failure_text(step: Step, error: PublicError, voice: Voice = PLAIN, mark: str = "") -> str:
    """ "host_metrics did not answer in time (TOOL_TIMEOUT), so “CPU load” is missing." """
    tool = line(step.tool_id, _TOOL_CHARACTERS)
    if voice.korean:
        because = _BECAUSE_KO.get(error.code) or marked(_message(error, voice), mark)
        return f"{tool}: {because} ({error.code.value}).{_missing(step, tool, voice)}"
    told = _BECAUSE.get(error.code) or f"failed: {marked(_message(error, voice), mark)}"
    return f"{tool} {told} ({error.code.value}){_missing(step, tool, voice)}."


def _message(error: PublicError, voice: Voice) -> str:
    """The error's own message; in Korean the sentence of its code, for messages are written in English."""
    own = inline(error.message)
    message = (
        sentence_of(error.code, voice.language) if voice.korean or own == SPECS[error.code].meaning else own
    )
    return message.rstrip(".")


def skipped_text(step: Step, cause: Step | None, voice: Voice = PLAIN) -> str:
    """ "host_disk was skipped because “Disks” did not succeed, so “One file system” is missing." """
    tool = line(step.tool_id, _TOOL_CHARACTERS)
    if voice.korean:
        needed = quoted_title(cause, voice) if cause is not None else "앞 단계"
        return f"{tool}: {needed} 단계가 성공하지 못해 건너뛰었습니다.{_missing(step, tool, voice)}"
    needed = quoted_title(cause, voice) if cause is not None else "an earlier step"
    return f"{tool} was skipped because {needed} did not succeed{_missing(step, tool, voice)}."


def _missing(step: Step, tool: str, voice: Voice) -> str:
    if title_of(step, voice) == tool:
        return ""
    title = quoted_title(step, voice)
    return f" 그래서 {title} 항목이 없습니다." if voice.korean else f", so {title} is missing"


def truncation_text(step: Step, output: ToolOutput, mark: str, voice: Voice = PLAIN) -> str:
    """Said where a tool did not read all there was."""
    kept = written(len(output.rows), Unit.NUMBER)
    title = marked(title_of(step, voice), mark)
    points = output.facts.get("count")
    if output.shape is Shape.SERIES and isinstance(points, int) and points > len(output.rows):
        kept, total = written(min(len(output.rows), MAX_POINTS), Unit.NUMBER), written(points, Unit.NUMBER)
        if voice.korean:
            return f"{title}: 점 {total}개 {mark} 가운데 마지막 {kept}개 {mark}만 보입니다. 수치는 모두를 반영합니다."
        return f"{title}: the last {kept} {mark} of {total} points {mark} are shown; the figures use all of them."
    if voice.korean:
        return f"{title}: 읽을 수 있는 {kept}행 {mark}보다 많아 나머지는 잘렸습니다."
    return f"{title}: there is more than the {kept} rows {mark} that may be read; it was cut."


def carried_text(step: Step, kept: int, there: int, mark: str, *, newest: bool, voice: Voice = PLAIN) -> str:
    """Said where the answer does not carry all the rows that were read."""
    title = marked(title_of(step, voice), mark)
    if voice.korean:
        which = "마지막" if newest else "처음"
        return f"{title}: 이 답변에는 {there:,}행 {mark} 가운데 {which} {kept:,}행 {mark}이 들어 있습니다."
    which = "last" if newest else "first"
    return f"{title}: this answer carries the {which} {kept:,} {mark} of {there:,} rows {mark}."


def ways_on(outcomes: Outcomes, voice: Voice) -> list[str]:
    """What could be asked instead of what is missing: what its errors suggest, or what such errors allow."""
    ways: list[str] = []
    found_nothing = True
    for outcome in outcomes.steps:
        error, output = outcome.result.error_details, outcome.output
        if output is not None:
            found_nothing = found_nothing and _is_nothing(output)
            if output.truncated and output.shape is not Shape.SERIES:
                ways.append(way_on(ErrorCode.MAX_ROWS_EXCEEDED, voice.language) or "")
        elif error is not None and not empty(outcome.result):
            found_nothing = False
            suggested = error.suggestion and suggestion_in(error.suggestion, voice.language)
            ways.append(suggested or way_on(error.code, voice.language) or "")
        elif outcome.result.status == "skipped":
            found_nothing = False
    if found_nothing:
        ways.append(way_on(ErrorCode.DATA_NOT_FOUND, voice.language) or "")
    return [way for way in dict.fromkeys(ways) if way] if ways else ways


def _is_nothing(output: ToolOutput) -> bool:
    """Whether it says that there is nothing: no row, and no figure but that there is none."""
    return not output.rows and all(name == "row_count" for name in output.facts)
