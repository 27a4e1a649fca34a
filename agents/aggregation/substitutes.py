"""What stood in for what, and why: said in every answer in which a substitute took part. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from agents.aggregation.clean import line
from schemas.answers import FallbackDetails
from schemas.calls import ToolFailed
from schemas.errors import ErrorCode
from schemas.plans import PlanMade, ReplanRecord, Step

if TYPE_CHECKING:
    from agents.aggregation.outcomes import Outcome

_REASONS: Final[dict[ErrorCode, str]] = {
    ErrorCode.TOOL_TIMEOUT: "primary_timeout",
    ErrorCode.UPSTREAM_UNAVAILABLE: "primary_unavailable",
    ErrorCode.CIRCUIT_OPEN: "primary_circuit_open",
    ErrorCode.RATE_LIMITED: "primary_rate_limited",
    ErrorCode.ASSET_LOAD_FAILED: "primary_not_loaded",
    ErrorCode.TOOL_BAD_REQUEST: "primary_bad_request",
    ErrorCode.INTERNAL_ERROR: "primary_error",
}
_WORDS: Final[dict[str, dict[ErrorCode, str]]] = {
    "en": {
        ErrorCode.TOOL_TIMEOUT: "did not answer in time",
        ErrorCode.UPSTREAM_UNAVAILABLE: "could not reach what it asks",
        ErrorCode.CIRCUIT_OPEN: "failed repeatedly and is resting",
        ErrorCode.RATE_LIMITED: "is at its limit for now",
    },
    "ko": {
        ErrorCode.TOOL_TIMEOUT: "제시간에 응답하지 않아",
        ErrorCode.UPSTREAM_UNAVAILABLE: "대상에 연결하지 못해",
        ErrorCode.CIRCUIT_OPEN: "반복된 실패로 쉬고 있어",
        ErrorCode.RATE_LIMITED: "호출 한도에 도달해",
    },
}


def fallback_details(step: Step, failed: ToolFailed, used: str) -> FallbackDetails:
    """A step whose fallback gave its result."""
    return _details(step.step_id, step.tool_id, used, failed.error.code)


def replacements(plan: PlanMade, outcomes: "Sequence[Outcome]") -> list[FallbackDetails]:
    """Steps that succeeded with the tool that a replan gave them."""
    used = {outcome.step.step_id: outcome.result for outcome in outcomes if outcome.result.success}
    first: dict[str, tuple[str, ErrorCode]] = {}
    for record in plan.replan_records:
        codes = {failure.step_id: failure.code for failure in record.failures}
        for change in record.patch.replaced if record.patch is not None else ():
            code = codes.get(change.step_id, ErrorCode.INTERNAL_ERROR)
            first.setdefault(change.step_id, (change.tool_before, code))
    return [
        _details(step_id, tool_before, used[step_id].tool_id, code)
        for step_id, (tool_before, code) in first.items()
        if step_id in used
    ]


def _details(step_id: str, attempted: str, used: str, code: ErrorCode) -> FallbackDetails:
    return FallbackDetails(
        reason=_REASONS.get(code, "primary_refused"),
        tool_attempted=attempted,
        tool_used_fallback=used,
        step_id=step_id,
        error_code=code,
    )


def substitute_text(details: FallbackDetails, language: str) -> str:
    """ "orders_live did not answer in time (TOOL_TIMEOUT), so orders_copy stood in for it." """
    attempted, used = line(details.tool_attempted), line(details.tool_used_fallback)
    code = details.error_code or ErrorCode.INTERNAL_ERROR
    if language == "ko":
        because = _WORDS["ko"].get(code, "실패하여")
        return f"{attempted}: {because} ({code.value}) {used}의 결과로 대신했습니다."
    because = _WORDS["en"].get(code, "failed")
    return f"{attempted} {because} ({code.value}), so {used} stood in for it."


def failed_before(records: Sequence[ReplanRecord]) -> list[str]:
    """Tools that failed and whose step was given another by a replan."""
    return [tool for record in records for failure in record.failures for tool in failure.tool_ids]
