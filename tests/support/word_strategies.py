"""Hypothesis strategies for every word on the wire, derived from its declared fields."""

from __future__ import annotations

import dataclasses
import types
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | INTEGERS | NUMBERS | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))


@cache
def words(word: type) -> st.SearchStrategy[Any]:
    """Any instance of a word."""
    hints = get_type_hints(word, include_extras=True)
    fields = {field.name: _values(hints[field.name]) for field in dataclasses.fields(word)}
    return st.builds(word, **fields)


def _values(hint: Any) -> st.SearchStrategy[Any]:
    if get_origin(hint) is Annotated:
        hint = get_args(hint)[0]
    origin, args = get_origin(hint), get_args(hint)
    if hint is Any:
        return JSON
    if hint is datetime or getattr(hint, "__name__", "") == "AwareDatetime":
        return MOMENTS
    if origin in (Union, types.UnionType):
        return st.one_of(st.none(), *(_values(arg) for arg in args if arg is not type(None)))
    if origin is Literal:
        return st.sampled_from(args)
    if origin is tuple:
        return st.lists(_values(args[0]), max_size=3).map(tuple)
    if origin is list:
        return st.lists(_values(args[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(TEXT, _values(args[1]), max_size=3)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint):
        return words(hint)  # type: ignore[arg-type]
    simple: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT,
        bool: st.booleans(),
        int: INTEGERS,
        float: NUMBERS,
    }
    return simple[hint]
