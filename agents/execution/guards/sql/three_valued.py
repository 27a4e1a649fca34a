"""Values of SQL's three-valued logic, and one more: where engines disagree, nothing is said."""

import math
from collections.abc import Callable, Iterable
from typing import Any

UNSURE: Any = type("Unsure", (), {"__repr__": lambda _: "UNSURE"})()
"""A value that engines disagree about, such as a word compared with a number."""


def truth(value: Any) -> Any:
    """A value as a condition: True, False, None or UNSURE."""
    if value is None or value is UNSURE:
        return value
    if isinstance(value, str):
        number = as_number(value)
        return UNSURE if number is UNSURE else number != 0
    return bool(value)


def as_number(value: Any) -> Any:
    """A number, or the number a text is; UNSURE for other texts."""
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return UNSURE
    return number if math.isfinite(number) else UNSURE


def compared(left: Any, right: Any, how: Callable[[Any, Any], bool]) -> Any:
    """NULL if a side is; a text beside a number counts as the number it is."""
    if left is UNSURE or right is UNSURE:
        return UNSURE
    if left is None or right is None:
        return None
    if isinstance(left, str) != isinstance(right, str):
        left, right = as_number(left), as_number(right)
        if left is UNSURE or right is UNSURE:
            return UNSURE
    return how(left, right)


def either(values: Iterable[Any]) -> Any:
    """OR."""
    found: Any = False
    for value in map(truth, values):
        if value is True:
            return True
        if value is UNSURE or (value is None and found is False):
            found = value
    return found


def both(values: Iterable[Any]) -> Any:
    """AND."""
    found: Any = True
    for value in map(truth, values):
        if value is False:
            return False
        if value is UNSURE or (value is None and found is True):
            found = value
    return found


def as_text(value: Any) -> str:
    """A value as engines write it."""
    return value if isinstance(value, str) else str(value)
