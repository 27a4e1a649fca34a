"""What a user reads of an error, by language. English is the list itself (`errors.SPECS`); the others stand here, each
of them complete. As there: no sentence names a table, a host, a path or a secret."""

from dataclasses import replace
from typing import Final

from schemas.errors import SPECS, ErrorCode, PublicError

LANGUAGES: Final = ("en", "ko")

_C = ErrorCode
KOREAN: Final[dict[ErrorCode, str]] = {
    _C.POLICY_DENY: "이를 허용하는 정책이 없습니다.",
    _C.RATE_LIMITED: "도구의 호출 한도에 도달했습니다.",
    _C.CIRCUIT_OPEN: "도구가 거듭 실패하여 잠시 쉬고 있습니다.",
    _C.TOOL_TIMEOUT: "도구의 시간이 다 되었습니다.",
    _C.TOOL_BAD_REQUEST: "도구가 입력을 받아들이지 않았습니다.",
    _C.UPSTREAM_UNAVAILABLE: "도구가 묻는 대상에 연결하지 못했습니다.",
    _C.INTERNAL_ERROR: "예상하지 못한 문제가 생겼습니다.",
    _C.PLAN_INVALID: "올바른 계획을 만들지 못했습니다.",
    _C.PLAN_TIMEOUT: "계획하는 시간이 다 되었습니다.",
    _C.EXECUTE_TIMEOUT: "도구를 실행하는 시간이 다 되었습니다.",
    _C.COMPOSE_TIMEOUT: "답변을 작성하는 시간이 다 되었습니다.",
    _C.SQL_BLOCKED: "허용되지 않는 조회입니다.",
    _C.TENANT_MISMATCH: "다른 테넌트에 속한 것입니다.",
    _C.AUTH_FAILED: "인증 정보가 없거나 틀렸습니다.",
    _C.PERMISSION_DENIED: "이 역할로는 할 수 없습니다.",
    _C.DATA_NOT_FOUND: "찾은 것이 없습니다.",
    _C.INVALID_PARAMS: "매개변수가 도구에 맞지 않습니다.",
    _C.MAX_ROWS_EXCEEDED: "보여 줄 수 있는 것보다 많아 잘랐습니다.",
    _C.ASSET_LOAD_FAILED: "구성의 일부를 불러오지 못했습니다.",
    _C.EVENT_TOO_LARGE: "이벤트가 64 KiB보다 큽니다.",
    _C.NOT_UTF8: "이벤트가 UTF-8이 아닙니다.",
    _C.NOT_JSON: "이벤트가 JSON이 아닙니다.",
    _C.NOT_AN_OBJECT: "이벤트가 JSON 객체가 아닙니다.",
    _C.NOT_FINITE: "이벤트에 NaN이나 무한대가 들어 있습니다.",
    _C.DUPLICATE_KEY: "이벤트에 같은 키가 두 번 나옵니다.",
    _C.NESTED_TOO_DEEP: "이벤트가 32단계보다 깊이 겹쳐 있습니다.",
    _C.INVALID_EVENT: "이벤트의 필드가 빠졌거나 알 수 없거나 잘못되었습니다.",
    _C.UNKNOWN_OPTION: "이벤트가 없는 옵션을 사용합니다.",
    _C.QUESTION_TOO_LONG: "질문이 8,000자를 넘습니다.",
    _C.CREATED_AT_REFUSED: "created_at에 시간대가 없거나, 1시간 넘게 미래이거나, 366일보다 오래되었습니다.",
    _C.UNKNOWN_SCHEMA: "Avro 스키마 번호를 알 수 없습니다.",
    _C.BROKEN_FRAME: "Avro 프레임이 깨졌습니다.",
}

_WAYS_ON: Final[dict[ErrorCode, tuple[str, str]]] = {
    _C.TOOL_TIMEOUT: (
        "Ask about a shorter period, or give the question more time.",
        "기간을 줄여서 묻거나 질문에 시간을 더 주세요.",
    ),
    _C.EXECUTE_TIMEOUT: (
        "Ask again, or give the question more time.",
        "다시 묻거나 질문에 시간을 더 주세요.",
    ),
    _C.RATE_LIMITED: ("Ask again in a minute.", "1분 뒤에 다시 물어보세요."),
    _C.CIRCUIT_OPEN: ("Ask again in a minute.", "1분 뒤에 다시 물어보세요."),
    _C.UPSTREAM_UNAVAILABLE: (
        "Ask again in a minute; what could not be reached may be back.",
        "1분 뒤에 다시 물어보세요. 연결되지 않던 대상이 돌아왔을 수 있습니다.",
    ),
    _C.PERMISSION_DENIED: (
        "Ask somebody whose role may see this.",
        "이를 볼 수 있는 역할을 가진 사람에게 문의하세요.",
    ),
    _C.INVALID_PARAMS: (
        "Say more exactly what it is about.",
        "무엇에 대한 질문인지 더 구체적으로 적어 주세요.",
    ),
    _C.DATA_NOT_FOUND: (
        "Ask about a longer period, or with fewer conditions.",
        "기간을 늘리거나 조건을 줄여서 물어보세요.",
    ),
    _C.MAX_ROWS_EXCEEDED: (
        "Ask for less: a shorter period, or one more condition.",
        "기간을 줄이거나 조건을 더해서 범위를 좁혀 보세요.",
    ),
}
_KNOWN_SUGGESTIONS: Final = {
    **dict(_WAYS_ON.values()),
    "compare the step with the template's declaration": "단계를 템플릿의 선언과 비교해 보세요.",
}


def sentence_of(code: ErrorCode, language: str) -> str:
    """The code's own sentence."""
    return KOREAN[code] if language == "ko" else SPECS[code].meaning


def way_on(code: ErrorCode, language: str) -> str | None:
    """What could be asked instead after such an error; None where nothing general can be said."""
    found = _WAYS_ON.get(code)
    return None if found is None else found[1 if language == "ko" else 0]


def suggestion_in(suggestion: str, language: str) -> str:
    """A suggestion in the language, as far as it is one of the general ones."""
    return _KNOWN_SUGGESTIONS.get(suggestion, suggestion) if language == "ko" else suggestion


def in_language(error: PublicError, language: str) -> PublicError:
    """The error in the language: its own message where that says no more than the code, and its suggestion."""
    if language != "ko":
        return error
    message = KOREAN[error.code] if error.message == SPECS[error.code].meaning else error.message
    suggestion = error.suggestion and suggestion_in(error.suggestion, language)
    if message == error.message and suggestion == error.suggestion:
        return error
    return replace(error, message=message, suggestion=suggestion)
