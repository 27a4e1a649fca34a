"""`AnswerComposed`: the one honest answer of a trace."""

from datetime import datetime
from enum import StrEnum
from typing import Literal

from schemas.calls import ClaimCheck, Column, ToolOutput
from schemas.errors import ErrorCode, PublicError
from schemas.plans import AppliedAsset, LlmUsage, PlanKind, ReplanRecord
from schemas.word import Json, word


class Status(StrEnum):
    """success: all succeed. partial_success: some fail, one suffices. degraded: a fallback stands in for what
    failed. failed: nothing usable."""

    SUCCESS = "success"
    PARTIAL_SUCCESS = "partial_success"
    DEGRADED = "degraded"
    FAILED = "failed"


class BlockKind(StrEnum):
    MARKDOWN = "markdown"
    TABLE = "table"
    GRAPH = "graph"
    TIME_SERIES = "time_series"
    REFERENCES = "references"


@word
class Block:
    """A part of the answer to draw. `references` point at entries of the answer's references."""

    kind: BlockKind
    title: str = ""
    text: str = ""
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Json, ...], ...] = ()
    rows_left_out: int = 0
    references: tuple[str, ...] = ()


@word
class Reference:
    """Where figures came from: which call, which source, which question was put to it, how many rows, when."""

    reference_id: str
    step_id: str
    call_id: str
    tool_id: str
    source: str
    query: str
    row_count: int
    read_at: datetime
    claim: ClaimCheck | None = None
    """Where all rows lie, if they were too many to travel."""


@word
class ToolResult:
    """The outcome of one step, whether it ran or not."""

    step_id: str
    tool_id: str
    call_id: str
    success: bool
    status: Literal["success", "error", "timeout", "skipped"]
    duration_ms: float
    retries: int = 0
    group: int = 0
    error: str | None = None
    error_code: ErrorCode | None = None
    error_details: PublicError | None = None
    cause: str | None = None
    """Why a skipped step was skipped: the step whose failure stood in its way."""
    stands_in_for: str | None = None
    """The tool that failed, where its fallback gave this result."""
    attempt: int = 0
    """The plan that asked for it: 0 for the first, n for the n-th replan."""


@word
class FallbackDetails:
    """What stood in for what, and why: `primary_timeout`, `primary_unavailable`, …"""

    reason: str
    tool_attempted: str
    tool_used_fallback: str
    step_id: str = ""
    error_code: ErrorCode | None = None


@word
class PhaseBudget:
    """Milliseconds a phase was given, took and had left."""

    phase: Literal["planning", "tool_resolution", "execution", "aggregation", "response"]
    budget_ms: float
    elapsed_ms: float
    remaining_ms: float
    exhausted: bool


@word
class BudgetSummary:
    total_ms: float
    elapsed_ms: float
    remaining_ms: float
    exhausted: bool
    phases: tuple[PhaseBudget, ...] = ()


@word
class AnswerComposed:
    event: Literal["AnswerComposed"] = "AnswerComposed"
    schema_version: Literal[1] = 1
    answer_id: str
    trace_id: str
    question_id: str
    tenant_id: str
    user_id: str
    question: str
    mode: str
    status: Status
    plan_kind: PlanKind
    planner: str = ""
    score: float = 0.0
    reasons: tuple[str, ...] = ()
    text: str
    """The friendly text; every figure in it is followed by the mark of its reference, such as [1]."""
    successful_tools: tuple[str, ...] = ()
    failed_tools: tuple[str, ...] = ()
    results: tuple[ToolResult, ...] = ()
    main_result: ToolOutput | None = None
    fallback_used: bool = False
    fallback_details: FallbackDetails | None = None
    """The first of `fallbacks`."""
    replans: int = 0
    budget: BudgetSummary
    blocks: tuple[Block, ...] = ()
    references: tuple[Reference, ...] = ()
    suggestions: tuple[str, ...] = ()
    error: PublicError | None = None
    applied_assets: tuple[AppliedAsset, ...] = ()
    asked_at: datetime
    answered_at: datetime
    language: str = "en"
    fallbacks: tuple[FallbackDetails, ...] = ()
    replan_records: tuple[ReplanRecord, ...] = ()
    usage: LlmUsage | None = None
    time_zone: str = "UTC"
    """IANA name, the asker's: moments in the text are written in it; in rows they stay Unix seconds."""
