"""Events in Confluent's Avro frame, written and read by fastavro from the committed schema files alone.

Free-form JSON travels as text under the logical type `opsloom-json`; a client in another language sees plain strings
there, and so does this one: the logical type is taken off before fastavro sees the schema.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import fastavro

AVSC = Path(__file__).resolve().parents[2] / "schemas" / "avsc"
_FRAME = struct.Struct(">bI")


@cache
def newest_id(event: str) -> int:
    """Id of an event's newest committed schema."""
    entries = [entry for entry in json.loads((AVSC / "ids.json").read_text()) if entry["event"] == event]
    return int(max(entries, key=lambda entry: entry["version"])["id"])


@cache
def schema_of_id(schema_id: int) -> dict[str, Any]:
    """The committed schema under an id."""
    entry = next(entry for entry in json.loads((AVSC / "ids.json").read_text()) if entry["id"] == schema_id)
    return json.loads((AVSC / f"{entry['event']}.v{entry['version']}.avsc").read_text())  # type: ignore[no-any-return]


def write_frame(event: str, document: Mapping[str, Any]) -> bytes:
    """A document as users write it in JSON, as an Avro frame."""
    schema = schema_of_id(newest_id(event))
    out = BytesIO()
    fastavro.schemaless_writer(
        out, fastavro.parse_schema(_plain(schema)), _converted(document, schema, {}, _to_avro)
    )
    return _FRAME.pack(0, newest_id(event)) + out.getvalue()


def read_frame(value: bytes) -> dict[str, Any]:
    """The document in a frame; moments as `datetime`."""
    schema = schema_of_id(_FRAME.unpack_from(value)[1])
    found = fastavro.schemaless_reader(BytesIO(value[_FRAME.size :]), fastavro.parse_schema(_plain(schema)))
    return _converted(found, schema, {}, _from_avro)  # type: ignore[no-any-return]


def _plain(schema: Any) -> Any:
    """The schema without the logical type that only opsloom knows."""
    if isinstance(schema, list):
        return [_plain(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("logicalType") == "opsloom-json":
        return "string"
    return {name: _plain(part) for name, part in schema.items()}


def _to_avro(value: Any, logical: str) -> Any:
    if logical == "opsloom-json":
        return json.dumps(value)
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _from_avro(value: Any, logical: str) -> Any:
    return json.loads(value) if logical == "opsloom-json" else value


def _converted(value: Any, schema: Any, names: dict[str, Any], leaf: Any) -> Any:
    """Walk value and schema together and convert what has a logical type; fields left out stay out."""
    schema = names.get(schema, schema) if isinstance(schema, str) else schema
    if isinstance(schema, list):
        if value is None:
            return None
        return _converted(value, next(each for each in schema if each != "null"), names, leaf)
    if not isinstance(schema, dict):
        return value
    if "logicalType" in schema:
        return leaf(value, schema["logicalType"])
    if schema["type"] == "record":
        names[f"{schema['namespace']}.{schema['name']}"] = schema
        fields = {field["name"]: field["type"] for field in schema["fields"]}
        return {
            name: _converted(value[name], kind, names, leaf) for name, kind in fields.items() if name in value
        }
    if schema["type"] == "array":
        return [_converted(item, schema["items"], names, leaf) for item in value]
    if schema["type"] == "map":
        return {name: _converted(item, schema["values"], names, leaf) for name, item in value.items()}
    return value
