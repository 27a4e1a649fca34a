"""What every word on the wire has in common: frozen, slotted, keyword-only, strict when it comes from outside.

A word is declared once, as a dataclass. Pydantic validates it at the edge and gives it its JSON schema (and
through that its Avro schema); msgspec reads and writes the very same class inside, where we wrote the bytes
ourselves, at a quarter of the cost (docs/adr/0001-words-are-dataclasses.md).
"""

import dataclasses
from typing import Any, TypeVar, dataclass_transform

from pydantic import ConfigDict

_T = TypeVar("_T")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
"""Unknown means refuse: no coercion, no extra field, no NaN."""

Json = Any
"""Any JSON value: None, bool, int, float, str, list of them, or dict from str to them."""

Instant = float
"""A moment: seconds since the Unix epoch, UTC."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
def word(cls: type[_T]) -> type[_T]:
    """Make a class a word on the wire."""
    made = dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls)
    made.__pydantic_config__ = STRICT  # type: ignore[attr-defined]  # pydantic's own name for it
    return made
