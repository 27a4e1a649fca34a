"""Every error code there is, once: category, severity, what it means and whether trying again may help."""

from dataclasses import field
from enum import StrEnum
from typing import Literal, NamedTuple

from schemas.word import Json, word


class Category(StrEnum):
    POLICY = "policy"
    EXECUTION = "execution"
    ORCHESTRATION = "orchestration"
    SECURITY = "security"
    DATA = "data"
    ASSET = "asset"
    ROAD = "road"


class Severity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class ErrorCode(StrEnum):
    """Nineteen codes of the answers, then the codes of the road itself (dead letters)."""

    POLICY_DENY = "POLICY_DENY"
    RATE_LIMITED = "RATE_LIMITED"
    CIRCUIT_OPEN = "CIRCUIT_OPEN"
    TOOL_TIMEOUT = "TOOL_TIMEOUT"
    TOOL_BAD_REQUEST = "TOOL_BAD_REQUEST"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    PLAN_INVALID = "PLAN_INVALID"
    PLAN_TIMEOUT = "PLAN_TIMEOUT"
    EXECUTE_TIMEOUT = "EXECUTE_TIMEOUT"
    COMPOSE_TIMEOUT = "COMPOSE_TIMEOUT"
    SQL_BLOCKED = "SQL_BLOCKED"
    TENANT_MISMATCH = "TENANT_MISMATCH"
    AUTH_FAILED = "AUTH_FAILED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    DATA_NOT_FOUND = "DATA_NOT_FOUND"
    INVALID_PARAMS = "INVALID_PARAMS"
    MAX_ROWS_EXCEEDED = "MAX_ROWS_EXCEEDED"
    ASSET_LOAD_FAILED = "ASSET_LOAD_FAILED"

    EVENT_TOO_LARGE = "EVENT_TOO_LARGE"
    NOT_UTF8 = "NOT_UTF8"
    NOT_JSON = "NOT_JSON"
    NOT_AN_OBJECT = "NOT_AN_OBJECT"
    NOT_FINITE = "NOT_FINITE"
    DUPLICATE_KEY = "DUPLICATE_KEY"
    NESTED_TOO_DEEP = "NESTED_TOO_DEEP"
    INVALID_EVENT = "INVALID_EVENT"
    UNKNOWN_OPTION = "UNKNOWN_OPTION"
    QUESTION_TOO_LONG = "QUESTION_TOO_LONG"
    CREATED_AT_REFUSED = "CREATED_AT_REFUSED"
    UNKNOWN_SCHEMA = "UNKNOWN_SCHEMA"
    BROKEN_FRAME = "BROKEN_FRAME"


class ErrorSpec(NamedTuple):
    category: Category
    severity: Severity
    retryable: bool
    meaning: str
    """One sentence a user may read; names no table, host, path or secret."""


def _spec(category: Category, severity: Severity, meaning: str, *, retryable: bool = False) -> ErrorSpec:
    return ErrorSpec(category, severity, retryable, meaning)


_C, _S = Category, Severity
SPECS: dict[ErrorCode, ErrorSpec] = {
    ErrorCode.POLICY_DENY: _spec(_C.POLICY, _S.ERROR, "No policy allows this."),
    ErrorCode.RATE_LIMITED: _spec(_C.POLICY, _S.WARNING, "The tool's limit is reached.", retryable=True),
    ErrorCode.CIRCUIT_OPEN: _spec(
        _C.POLICY, _S.WARNING, "The tool failed repeatedly and is resting.", retryable=True
    ),
    ErrorCode.TOOL_TIMEOUT: _spec(_C.EXECUTION, _S.ERROR, "The tool's time ran out.", retryable=True),
    ErrorCode.TOOL_BAD_REQUEST: _spec(_C.EXECUTION, _S.ERROR, "The tool refused its input."),
    ErrorCode.UPSTREAM_UNAVAILABLE: _spec(
        _C.EXECUTION, _S.ERROR, "What the tool asks could not be reached.", retryable=True
    ),
    ErrorCode.INTERNAL_ERROR: _spec(_C.EXECUTION, _S.CRITICAL, "Something unexpected went wrong."),
    ErrorCode.PLAN_INVALID: _spec(_C.ORCHESTRATION, _S.ERROR, "No valid plan could be made."),
    ErrorCode.PLAN_TIMEOUT: _spec(_C.ORCHESTRATION, _S.ERROR, "Planning ran out of time."),
    ErrorCode.EXECUTE_TIMEOUT: _spec(_C.ORCHESTRATION, _S.ERROR, "The tools ran out of time."),
    ErrorCode.COMPOSE_TIMEOUT: _spec(_C.ORCHESTRATION, _S.ERROR, "Composing the answer ran out of time."),
    ErrorCode.SQL_BLOCKED: _spec(_C.SECURITY, _S.ERROR, "The query is not allowed."),
    ErrorCode.TENANT_MISMATCH: _spec(_C.SECURITY, _S.CRITICAL, "This belongs to another tenant."),
    ErrorCode.AUTH_FAILED: _spec(_C.SECURITY, _S.ERROR, "The credentials are missing or wrong."),
    ErrorCode.PERMISSION_DENIED: _spec(_C.SECURITY, _S.ERROR, "The role may not do this."),
    ErrorCode.DATA_NOT_FOUND: _spec(_C.DATA, _S.INFO, "Nothing was found."),
    ErrorCode.INVALID_PARAMS: _spec(_C.DATA, _S.ERROR, "The parameters do not fit the tool."),
    ErrorCode.MAX_ROWS_EXCEEDED: _spec(_C.DATA, _S.WARNING, "There is more than may be shown; it was cut."),
    ErrorCode.ASSET_LOAD_FAILED: _spec(
        _C.ASSET, _S.ERROR, "A part of the configuration could not be loaded."
    ),
    ErrorCode.EVENT_TOO_LARGE: _spec(_C.ROAD, _S.ERROR, "The event is larger than 64 KiB."),
    ErrorCode.NOT_UTF8: _spec(_C.ROAD, _S.ERROR, "The event is not UTF-8."),
    ErrorCode.NOT_JSON: _spec(_C.ROAD, _S.ERROR, "The event is not JSON."),
    ErrorCode.NOT_AN_OBJECT: _spec(_C.ROAD, _S.ERROR, "The event is not a JSON object."),
    ErrorCode.NOT_FINITE: _spec(_C.ROAD, _S.ERROR, "The event holds NaN or an infinite number."),
    ErrorCode.DUPLICATE_KEY: _spec(_C.ROAD, _S.ERROR, "The event names a key twice."),
    ErrorCode.NESTED_TOO_DEEP: _spec(_C.ROAD, _S.ERROR, "The event is nested more than 32 levels deep."),
    ErrorCode.INVALID_EVENT: _spec(_C.ROAD, _S.ERROR, "A field of the event is missing, unknown or wrong."),
    ErrorCode.UNKNOWN_OPTION: _spec(_C.ROAD, _S.ERROR, "The event uses an option that does not exist."),
    ErrorCode.QUESTION_TOO_LONG: _spec(_C.ROAD, _S.ERROR, "The question is over 8,000 characters long."),
    ErrorCode.CREATED_AT_REFUSED: _spec(
        _C.ROAD, _S.ERROR, "created_at has no time zone, lies over 1 h ahead or is over 366 days old."
    ),
    ErrorCode.UNKNOWN_SCHEMA: _spec(_C.ROAD, _S.ERROR, "The Avro schema id is not known."),
    ErrorCode.BROKEN_FRAME: _spec(_C.ROAD, _S.ERROR, "The Avro frame is broken."),
}


SUBSTITUTABLE = frozenset(
    {
        ErrorCode.TOOL_TIMEOUT,
        ErrorCode.UPSTREAM_UNAVAILABLE,
        ErrorCode.INTERNAL_ERROR,
        ErrorCode.TOOL_BAD_REQUEST,
        ErrorCode.CIRCUIT_OPEN,
        ErrorCode.RATE_LIMITED,
        ErrorCode.ASSET_LOAD_FAILED,
    }
)
"""What a tool may fail of so that its fallback is called: the tool could not do its work. Never what a guard or a
policy refused, parameters that do not fit, or that there was nothing to find: a substitute must not be a way round."""

REPLANNABLE = SUBSTITUTABLE | {
    ErrorCode.POLICY_DENY,
    ErrorCode.SQL_BLOCKED,
    ErrorCode.PERMISSION_DENIED,
    ErrorCode.AUTH_FAILED,
}
"""What a step may fail of so that another plan is asked for. The new plan's calls meet every guard and policy again."""


@word
class PublicError:
    """What a user may read of an error."""

    code: ErrorCode
    category: Category
    severity: Severity
    message: str
    retryable: bool
    suggestion: str | None = None
    details: dict[str, Json] = field(default_factory=dict)


@word
class OpsError:
    """A failure as data. `message`, `suggestion` and `details` may leave for a user; `detail` is for operators only.

    `details` are named figures: phase, elapsed_ms and timeout_ms of a timeout, what is left of a limit.
    """

    code: ErrorCode
    category: Category
    severity: Severity
    message: str
    detail: str | None = None
    retryable: bool = False
    suggestion: str | None = None
    details: dict[str, Json] = field(default_factory=dict)

    def public(self) -> PublicError:
        """The same error without what only operators may see."""
        return PublicError(
            code=self.code,
            category=self.category,
            severity=self.severity,
            message=self.message,
            retryable=self.retryable,
            suggestion=self.suggestion,
            details=self.details,
        )


def ops_error(
    code: ErrorCode,
    message: str | None = None,
    *,
    detail: str | None = None,
    suggestion: str | None = None,
    details: dict[str, Json] | None = None,
) -> OpsError:
    """Make an error of a code; category, severity and retryability always come from the one list."""
    spec = SPECS[code]
    return OpsError(
        code=code,
        category=spec.category,
        severity=spec.severity,
        message=message or spec.meaning,
        detail=detail,
        retryable=spec.retryable,
        suggestion=suggestion,
        details=details or {},
    )


Phase = Literal["planning", "execution", "compose"]
_PHASE_CODES: dict[Phase, ErrorCode] = {
    "planning": ErrorCode.PLAN_TIMEOUT,
    "execution": ErrorCode.EXECUTE_TIMEOUT,
    "compose": ErrorCode.COMPOSE_TIMEOUT,
}


def phase_timeout(
    phase: Phase,
    elapsed_s: float,
    budget_s: float,
    message: str | None = None,
    *,
    detail: str | None = None,
    suggestion: str | None = "Ask again, or give the question more time.",
) -> OpsError:
    """The budget of a phase ran out: which phase, how long it took and what it was given, in milliseconds."""
    elapsed_ms, timeout_ms = round(max(elapsed_s, 0.0) * 1000, 1), round(max(budget_s, 0.0) * 1000, 1)
    return ops_error(
        _PHASE_CODES[phase],
        message,
        detail=detail,
        suggestion=suggestion,
        details={"phase": phase, "elapsed_ms": elapsed_ms, "timeout_ms": timeout_ms},
    )
