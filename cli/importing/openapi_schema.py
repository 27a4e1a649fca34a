"""JSON schemas out of an OpenAPI document: references followed inside the document, 3.0's own words translated."""

from collections.abc import Mapping
from typing import Any

_DEEPEST = 12
_KEPT = frozenset({
    "type", "format", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength",
    "maxLength", "minItems", "maxItems", "uniqueItems", "pattern", "required", "default", "multipleOf",
})  # fmt: skip
_MANY = ("allOf", "anyOf", "oneOf")


def followed(document: Mapping[str, Any], node: Any, depth: int = 0) -> Any:
    """A node, or what its local reference points at; {} for what cannot be followed."""
    while isinstance(node, Mapping) and isinstance(node.get("$ref"), str):
        depth += 1
        reference = node["$ref"]
        if not reference.startswith("#/") or depth > _DEEPEST:
            return {}
        target: Any = document
        for part in reference[2:].split("/"):
            part = part.replace("~1", "/").replace("~0", "~")
            target = target.get(part) if isinstance(target, Mapping) else None
        node = target
    return node if isinstance(node, Mapping) else {}


def plain_schema(document: Mapping[str, Any], node: Any, depth: int = 0) -> dict[str, Any]:
    """A schema without references. What is nested deeper than twelve levels, or refers to itself, takes anything."""
    schema = followed(document, node)
    if not schema or depth > _DEEPEST:
        return {}
    plain: dict[str, Any] = {name: value for name, value in schema.items() if name in _KEPT}
    for edge, limit in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(plain.get(edge), bool) and plain.pop(edge) and limit in plain:
            plain[edge] = plain.pop(limit)
    if schema.get("nullable") is True and isinstance(plain.get("type"), str):
        plain["type"] = [plain["type"], "null"]
        if "enum" in plain and None not in plain["enum"]:
            plain["enum"] = [*plain["enum"], None]
    if isinstance(schema.get("properties"), Mapping):
        plain["properties"] = {
            str(name): plain_schema(document, each, depth + 1) for name, each in schema["properties"].items()
        }
    if "items" in schema:
        plain["items"] = plain_schema(document, schema["items"], depth + 1)
    if isinstance(schema.get("additionalProperties"), bool | Mapping):
        more = schema["additionalProperties"]
        plain["additionalProperties"] = (
            more if isinstance(more, bool) else plain_schema(document, more, depth + 1)
        )
    for word in _MANY:
        if isinstance(schema.get(word), list):
            plain[word] = [plain_schema(document, each, depth + 1) for each in schema[word]]
    return plain
