"""What a guard says: allowed, with the statement that may run, or refused, with a code and a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from schemas.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Allow:
    """Yes: this statement, as the guard wrote it, and no other."""

    statement: str = ""
    placeholders: tuple[str, ...] = ()
    """Names of the values the statement waits for, in order of appearance."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """No, and why. `reason` and `suggestion` are fit for a user; `violations` are for operators only."""

    code: ErrorCode
    reason: str
    suggestion: str | None = None
    violations: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict, compare=False)
    """Figures fit for a user, such as what is left of a limit."""

    @property
    def detail(self) -> str | None:
        """The violations in one line for an operator."""
        return "; ".join(self.violations) or None


Verdict = Allow | Refuse


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a statement may reach: the whitelist of a source after its policy, the tenant rule and the row cap.

    `tables` maps each table (or node label, or relation) to its columns; no columns listed means all of them.
    """

    tables: Mapping[str, tuple[str, ...]]
    tenant_column: str | None
    row_cap: int


class Guard(Protocol):
    """Pure: the same statement and bounds get the same verdict. Never raises for any text.

    `bound` maps the names of values to their types (the engine's own names, or empty).
    """

    def __call__(self, statement: str, bounds: Bounds, bound: Mapping[str, str]) -> Verdict: ...


BLOCKED = "The query is not allowed."
NOT_AVAILABLE = "The query names something that is not available."
"""One text for what does not exist and for what is forbidden: a guess must teach nothing."""


def blocked(violation: str, reason: str = BLOCKED, suggestion: str | None = None) -> Refuse:
    """A refusal for a statement; the violation is what operators read."""
    return Refuse(ErrorCode.SQL_BLOCKED, reason, suggestion, (violation,))
