"""What a store that is asked with statements offers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agents.execution.tools.threads import Stop
from registry.assets import SourceAsset
from schemas.errors import OpsError


@dataclass(frozen=True, slots=True)
class Question:
    """One statement to run. It comes from a guard or from an adapter's own code, never straight from a call."""

    source: SourceAsset
    tenant_id: str
    statement: str
    values: Mapping[str, Any]
    max_rows: int
    """At most this many rows are read."""
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Found:
    """Rows as the store gave them, values made JSON scalars."""

    columns: tuple[str, ...]
    rows: list[list[Any]]


class Engine(Protocol):
    """Blocks; called from several threads at once. Stops soon when `stop` is set or the time is over. Gives
    errors as data; what it raises is a bug."""

    def ask(self, question: Question, stop: Stop) -> Found | OpsError: ...

    def close(self) -> None: ...
