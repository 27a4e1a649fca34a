"""Avro schemas derived from the words, and the committed files they must equal.

Free-form JSON (parameters, rows, context) travels as a string with the logical type `opsloom-json`; moments that users
read are `timestamp-micros`. Fields keep their defaults, so that a reader of a newer schema understands older events.
"""

import dataclasses
import types
import typing
from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from schemas.word import AS_JSON

NAMESPACE = "opsloom"
JSON_TYPE: dict[str, str] = {"type": "string", "logicalType": AS_JSON}
TIMESTAMP_TYPE: dict[str, str] = {"type": "long", "logicalType": "timestamp-micros"}

_PRIMITIVES: dict[Any, str] = {str: "string", bool: "boolean", int: "long", float: "double", bytes: "bytes"}

_T = TypeVar("_T")


def schema_of(cls: type) -> dict[str, Any]:
    """The Avro schema of a word: a record, its nested words defined where they first occur."""
    schema = _record(cls, set())
    assert isinstance(schema, dict)
    return schema


def _record(cls: type, seen: set[str]) -> Any:
    if cls.__name__ in seen:
        return f"{NAMESPACE}.{cls.__name__}"
    seen.add(cls.__name__)
    hints = get_type_hints(cls, include_extras=True)
    return {
        "type": "record",
        "name": cls.__name__,
        "namespace": NAMESPACE,
        "fields": [_field(field, hints[field.name], seen) for field in dataclasses.fields(cls)],
    }


def _field(field: "dataclasses.Field[Any]", hint: Any, seen: set[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"name": field.name, "type": _type(hint, seen)}
    default = _default(field, schema["type"])
    if default is not _MISSING:
        schema["default"] = default
    return schema


_MISSING = object()


def _default(field: "dataclasses.Field[Any]", avro_type: Any) -> Any:
    """The field's default in Avro's words; a word inside has none (its reader's side builds it)."""
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    elif field.default is not dataclasses.MISSING:
        value = field.default
    else:
        return _MISSING
    if avro_type == JSON_TYPE:
        return "null" if value is None else "{}" if isinstance(value, dict) else "[]"
    if dataclasses.is_dataclass(value):
        return {inner.name: _plain(getattr(value, inner.name)) for inner in dataclasses.fields(value)}
    return _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


def _type(hint: Any, seen: set[str]) -> Any:
    if get_origin(hint) is Annotated:
        if AS_JSON in get_args(hint)[1:]:
            return dict(JSON_TYPE)
        hint = get_args(hint)[0]
    if _is_json(hint):
        return dict(JSON_TYPE)
    if hint is datetime or getattr(hint, "__name__", "") == "AwareDatetime":
        return dict(TIMESTAMP_TYPE)
    if hint in _PRIMITIVES:
        return _PRIMITIVES[hint]
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        rest = [arg for arg in args if arg is not type(None)]
        if len(rest) != 1 or len(rest) == len(args):
            raise TypeError(f"only `X | None` unions travel in Avro, not {hint!r}")
        return ["null", _type(rest[0], seen)]
    if origin is Literal:
        return _PRIMITIVES[type(args[0])]
    if origin in (list, tuple):
        return {"type": "array", "items": _type(args[0], seen)}
    if origin is dict:
        return {"type": "map", "values": _type(args[1], seen)}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return "string"
    if dataclasses.is_dataclass(hint):
        return _record(typing.cast(type, hint), seen)
    raise TypeError(f"no Avro type for {hint!r}")


def _is_json(hint: Any) -> bool:
    """True for `Json` and for containers of it: they travel as one JSON text."""
    if hint is Any:
        return True
    return get_origin(hint) in (list, tuple, dict) and any(_is_json(arg) for arg in get_args(hint))
