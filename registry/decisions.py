"""A decision explains itself: allowed, or refused with a code, a reason and what to do instead."""

from dataclasses import dataclass
from typing import Literal

from schemas.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Allow:
    """Yes. Truthy, so that `if registry.can_fallback(tool_id):` reads well."""

    def __bool__(self) -> Literal[True]:
        return True


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and why. Falsy. `reason` is for operators; it may name assets."""

    code: ErrorCode
    reason: str
    suggestion: str = ""

    def __bool__(self) -> Literal[False]:
        return False


Decision = Allow | Refuse

ALLOW = Allow()


class RegistryError(ValueError):
    """Assets that contradict one another; raised when they are put together, never for a question."""
