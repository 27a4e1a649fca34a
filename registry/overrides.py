"""Overrides: an administrator lifts one block, for a reason and until a moment. Each use is recorded with the call."""

from collections.abc import Iterable
from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from registry.assets import Asset

Block = Literal["rate_limit", "breaker", "guard"]
"""What can be lifted. The tenant boundary is not among them: no answer may hold another tenant's data. Whom a tool
serves, and in which roles, is changed by a new version of the tool."""


class OverrideAsset(Asset):
    """Lifts a block of a tool, or of all tools, for one tenant or for all."""

    lifts: tuple[Block, ...] = Field(min_length=1)
    tool: str | None = None
    """None: every tool. A guard is lifted for one tool only."""
    tenant: str | None = None
    statement: str | None = None
    """For a guard: the one statement that may run as it is written. The engine's own walls stand."""
    reason: str = Field(min_length=1)
    expires_at: AwareDatetime

    @model_validator(mode="after")
    def _narrow(self) -> Self:
        if "guard" in self.lifts and (self.tool is None or not self.statement):
            raise ValueError("a guard is lifted for one tool and one statement: name both")
        return self

    @property
    def name(self) -> str:
        """As it is recorded."""
        return f"{self.id}@{self.version}"


class Overrides:
    """Published overrides, by tool."""

    __slots__ = ("_all",)

    def __init__(self, overrides: Iterable[OverrideAsset]) -> None:
        self._all = tuple(overrides)

    def __bool__(self) -> bool:
        return bool(self._all)

    def of(self, block: Block, tool_id: str, tenant_id: str, now: float) -> OverrideAsset | None:
        """What lifts this block at this moment, in Unix seconds."""
        for each in self._all:
            if (
                block in each.lifts
                and each.tool in (None, tool_id)
                and each.tenant in (None, tenant_id)
                and now < each.expires_at.timestamp()
            ):
                return each
        return None

    def for_statement(self, statement: str, tool_id: str, tenant_id: str, now: float) -> OverrideAsset | None:
        """What lets this very statement past its guard."""
        for each in self._all:
            if (
                "guard" in each.lifts
                and each.tool == tool_id
                and each.tenant in (None, tenant_id)
                and now < each.expires_at.timestamp()
                and (each.statement or "").strip() == statement.strip()
            ):
                return each
        return None
