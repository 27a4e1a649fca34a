"""The AsyncAPI document is valid by the specification's own schema, and true to topics and words."""

from __future__ import annotations

import gzip
import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from typer.testing import CliRunner

from cli.main import app
from opsloom.version import __version__
from schemas.events import EVENTS
from schemas.ids import trace_id
from streams.asyncapi import asyncapi_document
from streams.codecs import Codec
from streams.schema_ids import FileIds
from streams.topics import Topics
from tests.support.answering import answer_for
from tests.support.roadside import question_event

SCHEMA = Path(__file__).parent / "asyncapi" / "schema-3.0.0.json.gz"
TOPICS = Topics("blue.", 6)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return asyncapi_document(TOPICS, __version__)


def test_document_is_valid_asyncapi_3(document: dict[str, Any]) -> None:
    """By the schema that the specification ships with; every reference leads somewhere."""
    schema = json.loads(gzip.decompress(SCHEMA.read_bytes()))
    jsonschema.Draft7Validator(schema).validate(document)
    for reference in _references(document):
        target: Any = document
        for part in reference.removeprefix("#/").split("/"):
            target = target[part]


def test_every_topic_and_every_word_is_in_it(document: dict[str, Any]) -> None:
    """With the prefix, the partitions and every field."""
    assert {channel["address"] for channel in document["channels"].values()} == {
        spec.name for spec in TOPICS.all()
    }
    assert document["channels"]["ops_questions"]["bindings"]["kafka"]["partitions"] == 6
    carried = {word for spec in TOPICS.all() for word in spec.events}
    for word in carried:
        assert EVENTS[word.__name__] is word
        properties = document["components"]["schemas"][word.__name__]["properties"]
        assert set(properties) == {field.name for field in fields(word)}


def test_what_is_on_the_wire_fits_the_document(document: dict[str, Any]) -> None:
    """A question and an answer, as they are published."""
    question = question_event("q", plan=[{"step_id": "a", "tool_id": "probe"}])
    _check(document, "QuestionAsked", question)
    with pytest.raises(jsonschema.ValidationError):
        _check(document, "QuestionAsked", question | {"turbo": True})

    from streams.intake import read_question

    codec = Codec(FileIds.load())
    now = 1_800_000_000.0
    event = question_event("q") | {"created_at": "2027-01-15T08:00:00Z"}
    asked = read_question(json.dumps(event).encode(), [("tenant_id", b"acme")], now, codec)
    answer = json.loads(codec.encode(answer_for(asked)))  # type: ignore[arg-type]
    assert answer["trace_id"] == trace_id("acme", "q")
    _check(document, "AnswerComposed", answer)


def test_command_prints_it() -> None:
    """`opsloom schemas asyncapi`, for the prefix that is asked for."""
    done = CliRunner().invoke(app, ["schemas", "asyncapi", "--topic-prefix", "blue."])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["asyncapi"] == "3.0.0"
    assert printed["channels"]["ops_answers"]["address"] == "blue.ops.answers"


def _check(document: dict[str, Any], name: str, instance: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(instance)


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [each for value in node.values() for each in _references(value)]
    if isinstance(node, list):
        return [each for value in node for each in _references(value)]
    return []
