"""The AsyncAPI 3 document of the road, made of the topics and words that the code itself uses."""

from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from schemas.deadletters import DeadLetter
from schemas.questions import TENANT_HEADER, QuestionAsked
from streams.topics import Topics, TopicSpec

REF = "#/components/schemas/{model}"
RECEIVED = (QuestionAsked,)
"""Words that others write and opsloom reads; it writes all the rest."""

_HEADERS = {
    "type": "object",
    "required": [TENANT_HEADER],
    "properties": {TENANT_HEADER: {"type": "string", "description": "The tenant, as in the payload."}},
}


def asyncapi_document(topics: Topics, version: str, host: str = "127.0.0.1:9092") -> dict[str, Any]:
    """A new document for these topics. `version` is opsloom's, `host` the broker's HOST:PORT."""
    specs = topics.all()
    words = {word.__name__: word for spec in specs for word in spec.events}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "opsloom",
            "version": version,
            "description": "Questions in, answers out, and everything that happens in between, as events on Kafka.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {"broker": {"host": host, "protocol": "kafka"}},
        "channels": {_id(topics, spec): _channel(spec) for spec in specs},
        "operations": dict(operation for spec in specs for operation in _operations(_id(topics, spec), spec)),
        "components": {
            "messages": {name: _message(name, word) for name, word in sorted(words.items())},
            "schemas": _schemas(words),
        },
    }


def _id(topics: Topics, spec: TopicSpec) -> str:
    """A topic's name without prefix, as a name: `ops.tool-calls.sql` becomes `ops_tool-calls_sql`."""
    return spec.name.removeprefix(topics.prefix).replace(".", "_")


def _channel(spec: TopicSpec) -> dict[str, Any]:
    kept = {"retention.ms": spec.retention_ms} if spec.cleanup == "delete" else {}
    return {
        "address": spec.name,
        "description": f"Keyed by {spec.key}.",
        "messages": {
            word.__name__: {"$ref": f"#/components/messages/{word.__name__}"} for word in spec.events
        },
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "partitions": spec.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [spec.cleanup],
                    "max.message.bytes": spec.max_message_bytes,
                    **kept,
                },
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations(channel: str, spec: TopicSpec) -> list[tuple[str, dict[str, Any]]]:
    """What opsloom does on a channel: it receives what others write, and sends and receives what is its own."""
    actions = ["receive"] if spec.events == RECEIVED else ["send"]
    return [
        (
            f"{action}_{channel}",
            {
                "action": action,
                "channel": {"$ref": f"#/channels/{channel}"},
                "messages": [
                    {"$ref": f"#/channels/{channel}/messages/{word.__name__}"} for word in spec.events
                ],
            },
        )
        for action in actions
    ]


def _message(name: str, word: type) -> dict[str, Any]:
    encodings = "JSON" if word is DeadLetter else "JSON, or Avro in Confluent's frame"
    message: dict[str, Any] = {
        "name": name,
        "title": name,
        "summary": f"On the wire as {encodings}.",
        "payload": {"$ref": REF.format(model=name)},
    }
    if word in RECEIVED:
        message["headers"] = _HEADERS
    return message


def _schemas(words: dict[str, type]) -> dict[str, Any]:
    """Every word and what it is made of."""
    adapters: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (name, "validation" if word in RECEIVED else "serialization", TypeAdapter(word))
        for name, word in words.items()
    ]
    tops, definitions = TypeAdapter.json_schemas(adapters, ref_template=REF)
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    for (name, _mode), schema in tops.items():
        if schema != {"$ref": REF.format(model=name)}:
            schemas[str(name)] = schema
    return dict(sorted(schemas.items()))
