"""One written case through the secrets guard, as assets go through it when they are loaded."""

from collections.abc import Mapping
from typing import Any

from registry.secrets_guard import PLAIN_CREDENTIAL, USE_REFERENCE, find_secrets
from schemas.errors import ErrorCode


def judge_secrets_case(case: object) -> dict[str, Any]:
    """One written case: `config` (any JSON). decision, code, reason, suggestion, and paths of what was found, never
    the values. Never raises."""
    if not isinstance(case, Mapping) or "config" not in case:
        return _verdict(ErrorCode.INVALID_PARAMS, "There is no configuration to look at.", None, ())
    paths = find_secrets(case["config"])
    if not paths:
        return _verdict(None, None, None, ())
    return _verdict(ErrorCode.POLICY_DENY, PLAIN_CREDENTIAL, USE_REFERENCE, paths)


def _verdict(
    code: ErrorCode | None, reason: str | None, suggestion: str | None, paths: tuple[str, ...]
) -> dict[str, Any]:
    return {
        "decision": "allow" if code is None else "refuse",
        "code": code.value if code is not None else None,
        "reason": reason,
        "suggestion": suggestion,
        "paths": list(paths),
    }
