"""May a reader with the new schema read what the old one wrote? (Avro's schema resolution, backward direction.)"""

from collections.abc import Iterator, Mapping
from typing import Any

_PROMOTIONS = {
    ("int", "long"),
    ("int", "double"),
    ("long", "double"),
    ("float", "double"),
    ("string", "bytes"),
}


def incompatibilities(new: Any, old: Any, where: str = "") -> list[str]:
    """Every reason why `new` can't read what `old` wrote; empty when it can."""
    return list(_compare(new, old, where, _names(new, {}), _names(old, {})))


def _names(schema: Any, found: dict[str, Any]) -> dict[str, Any]:
    if isinstance(schema, list):
        for branch in schema:
            _names(branch, found)
    elif isinstance(schema, Mapping):
        if schema.get("type") == "record":
            found[f"{schema.get('namespace', '')}.{schema['name']}"] = schema
            for field in schema["fields"]:
                _names(field["type"], found)
        else:
            for part in ("items", "values"):
                if part in schema:
                    _names(schema[part], found)
    return found


def _compare(
    new: Any, old: Any, where: str, new_names: Mapping[str, Any], old_names: Mapping[str, Any]
) -> Iterator[str]:
    new, old = new_names.get(new, new) if isinstance(new, str) else new, _resolve(old, old_names)
    if isinstance(new, list) or isinstance(old, list):
        yield from _compare_unions(new, old, where, new_names, old_names)
        return
    new_kind, old_kind = _kind(new), _kind(old)
    if new_kind != old_kind:
        if (old_kind, new_kind) not in _PROMOTIONS:
            yield f"{where or 'event'}: {old_kind} became {new_kind}"
    elif new_kind == "record":
        yield from _compare_records(new, old, where, new_names, old_names)
    elif new_kind == "array":
        yield from _compare(new["items"], old["items"], where + "[]", new_names, old_names)
    elif new_kind == "map":
        yield from _compare(new["values"], old["values"], where + "{}", new_names, old_names)


def _resolve(schema: Any, names: Mapping[str, Any]) -> Any:
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _kind(schema: Any) -> str:
    if isinstance(schema, str):
        return schema
    logical = schema.get("logicalType")
    return f"{schema['type']}/{logical}" if logical else str(schema["type"])


def _compare_unions(
    new: Any, old: Any, where: str, new_names: Mapping[str, Any], old_names: Mapping[str, Any]
) -> Iterator[str]:
    new_branches = new if isinstance(new, list) else [new]
    for branch in old if isinstance(old, list) else [old]:
        if not any(not list(_compare(mine, branch, where, new_names, old_names)) for mine in new_branches):
            yield f"{where or 'event'}: {_kind(_resolve(branch, old_names))} can no longer be read"


def _compare_records(
    new: Mapping[str, Any],
    old: Mapping[str, Any],
    where: str,
    new_names: Mapping[str, Any],
    old_names: Mapping[str, Any],
) -> Iterator[str]:
    if where.count(".") > 16:  # a record within itself: compared once is enough
        return
    before = {field["name"]: field for field in old["fields"]}
    for field in new["fields"]:
        path = f"{where}.{field['name']}" if where else field["name"]
        if field["name"] in before:
            yield from _compare(field["type"], before[field["name"]]["type"], path, new_names, old_names)
        elif "default" not in field:
            yield f"{path}: added without a default"
