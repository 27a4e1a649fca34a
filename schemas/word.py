"""What every word on the wire has in common: frozen, slotted, keyword-only, strict when it comes from outside.

A word is declared once, as a dataclass. Pydantic validates it at the edge and gives it its JSON schema (and
through that its Avro schema); msgspec reads and writes the very same class inside, where we wrote the bytes
ourselves, at a quarter of the cost (docs/adr/0001-words-are-dataclasses.md).
"""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar, cast, dataclass_transform

from pydantic import ConfigDict

_T = TypeVar("_T")

STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)
"""Unknown means refuse: no coercion, no extra field, no NaN."""

Json = Any
"""Any JSON value: None, bool, int, float, str, list of them, or dict from str to them."""

AS_JSON = "opsloom-json"
"""Marks a field, as `Annotated[X, AS_JSON]`, that travels in Avro as one JSON text: parts that only opsloom itself
reads, where a field by field encoding would cost ten times as much."""

Instant = float
"""A moment: seconds since the Unix epoch, UTC."""


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(dataclasses.field,))
def word(cls: type[_T]) -> type[_T]:
    """Make a class a word on the wire."""
    made = cast(Any, dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(cls))
    made.__pydantic_config__ = STRICT  # pydantic's own name for it
    made.__init__ = _quick_init(made)
    return cast(type[_T], made)


def _quick_init(made: Any) -> Callable[..., None]:
    """A constructor with the same signature as the dataclass's own, three times as fast.

    A frozen dataclass sets every field through `object.__setattr__`, which was the largest single cost of an answer.
    Here the new instance is, until its fields are set, of a mutable twin class with the same slots.
    """
    declared = dataclasses.fields(made)
    twin = type(made.__name__, (), {"__slots__": tuple(field.name for field in declared)})
    scope: dict[str, Any] = {
        "twin": twin,
        "made": made,
        "ABSENT": dataclasses.MISSING,
        "become": object.__setattr__,
    }
    parameters, body = [], []
    for field in declared:
        name = field.name
        parameters.append(name)
        body.append(f" self.{name} = {name}")
        if field.default is not dataclasses.MISSING:
            scope[f"default_{name}"] = field.default
            parameters[-1] = f"{name}=default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            scope[f"make_{name}"] = field.default_factory
            parameters[-1] = f"{name}=ABSENT"
            body[-1] = f" self.{name} = make_{name}() if {name} is ABSENT else {name}"
    head = f"def __init__(self, *, {', '.join(parameters)}):"
    lines = [head, " become(self, '__class__', twin)", *body, " self.__class__ = made"]
    exec("\n".join(lines), scope)  # noqa: S102  # made of our own classes' field names, as dataclasses does it
    return cast(Callable[..., None], scope["__init__"])
