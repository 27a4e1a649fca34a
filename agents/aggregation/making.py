"""A quicker way to make the words of which every answer has many.

The constructor of a frozen dataclass sets each field through `object.__setattr__`, which makes it the largest
single cost of the join: 2.6 µs for a `ToolCalled`, against 0.8 µs for one made here. The instance is the very
same: it is filled as a mutable twin with the same slots and becomes the frozen word before anyone sees it.
"""

from dataclasses import MISSING, fields
from typing import Any, TypeVar, cast

T = TypeVar("T")


def maker(word: type[T]) -> type[T]:
    """A function that makes instances of a slotted, keyword-only word, with the signature of the word
    itself."""
    declared = fields(cast(Any, word))
    names = [declared_field.name for declared_field in declared]
    twin = type(word.__name__, (), {"__slots__": tuple(names)})
    scope: dict[str, Any] = {"new": twin.__new__, "twin": twin, "word": word, "ABSENT": MISSING}
    parameters, body = [], []
    for each in declared:
        name, default = each.name, each.default
        parameters.append(name)
        body.append(f" self.{name} = {name}")
        if default is not MISSING:
            scope[f"default_{name}"] = default
            parameters[-1] = f"{name}=default_{name}"
        elif each.default_factory is not MISSING:
            scope[f"make_{name}"] = each.default_factory
            parameters[-1] = f"{name}=ABSENT"
            body[-1] = f" self.{name} = make_{name}() if {name} is ABSENT else {name}"
    head = f"def make(*, {', '.join(parameters)}):"
    source = "\n".join([head, " self = new(twin)", *body, " self.__class__ = word", " return self"])
    exec(source, scope)  # noqa: S102  # made of the field names of our own classes, as dataclasses does it
    return cast(type[T], scope["make"])
