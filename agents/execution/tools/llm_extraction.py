"""Extraction: which JSON schemas may be asked for, and how what a model found becomes rows held to the figures."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

import jsonschema

from agents.figure_check import KnownFigures
from agents.figure_reading import Figure, read_figures

_KEYWORDS: Final = frozenset(
    {"type", "properties", "items", "required", "enum", "description", "title", "minimum", "maximum", "minItems",
     "maxItems", "minLength", "maxLength", "additionalProperties"}
)  # fmt: skip
"""No `pattern` (a regular expression may take for ever) and no `$ref` (it may point anywhere)."""
_MOST_KEYWORDS: Final = 400
_DEEPEST: Final = 8
_MOST_COLUMNS: Final = 40

Scalar = str | int | float | bool | None


def schema_fault(schema: Mapping[str, Any]) -> str | None:
    """Why a schema may not be asked for, or None. It describes an object, or an array of objects."""
    count = 0
    waiting: list[tuple[Any, int]] = [(schema, 0)]
    while waiting:
        each, depth = waiting.pop()
        if not isinstance(each, dict) or depth > _DEEPEST:
            return "The schema is nested too deeply or holds something that is no schema."
        strange = each.keys() - _KEYWORDS
        count += len(each)
        if strange or count > _MOST_KEYWORDS:
            return f"The schema uses what is not known here: {', '.join(sorted(map(str, strange)))[:100]}."
        properties = each.get("properties", {})
        if not isinstance(properties, dict):
            return "The schema's properties are no object."
        waiting += [(inner, depth + 1) for inner in properties.values()]
        if "items" in each:
            waiting.append((each["items"], depth + 1))
    if not _columns(schema):
        return "The schema must describe an object with properties, or an array of such objects."
    try:
        jsonschema.Draft202012Validator.check_schema(dict(schema))
    except jsonschema.SchemaError:
        return "The schema is not a valid JSON schema."
    return None


def fits(found: Any, schema: Mapping[str, Any]) -> bool:
    """Does what was found fit the schema? Null stands for "not said" at any top-level property."""
    validator = jsonschema.Draft202012Validator(_nullable(schema))
    return bool(validator.is_valid(found))


def rows_of(
    found: Any, schema: Mapping[str, Any], known: KnownFigures
) -> tuple[tuple[str, ...], list[list[Scalar]], int]:
    """Columns, rows, and how many values were emptied because a figure in them occurs in no input."""
    columns = _columns(schema)
    objects: Iterable[Mapping[str, Any]] = found if isinstance(found, list) else [found]
    emptied, rows = 0, []
    for each in objects:
        row: list[Scalar] = []
        for column in columns:
            value = each.get(column)
            if value is not None and not _held(value, known):
                value, emptied = None, emptied + 1
            scalar = isinstance(value, str | int | float | bool) or value is None
            row.append(value if scalar else json.dumps(value, ensure_ascii=False))
        rows.append(row)
    return columns, rows, emptied


def _held(value: Any, known: KnownFigures) -> bool:
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int | float):
        return known.holds(Figure(str(value), float(value), 0.0, float(value), 0.0))
    if isinstance(value, str):
        return all(known.holds(read) for read in read_figures(value))
    inner = value.values() if isinstance(value, dict) else value
    return all(_held(each, known) for each in inner)


def _columns(schema: Mapping[str, Any]) -> tuple[str, ...]:
    if schema.get("type") == "array":
        schema = schema.get("items") or {}
    return tuple(schema.get("properties") or ())[:_MOST_COLUMNS]


def _nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    if schema.get("type") == "array":
        return {**schema, "items": _nullable(schema.get("items") or {})}
    properties = {
        name: {"anyOf": [each, {"type": "null"}]} for name, each in (schema.get("properties") or {}).items()
    }
    return {**schema, "properties": properties}
