"""The OpenAPI document is valid, and says what the words say."""

from __future__ import annotations

from dataclasses import fields

from openapi_spec_validator import OpenAPIV31SpecValidator

from schemas.answers import AnswerComposed
from schemas.errors import ErrorCode, PublicError
from web.openapi import openapi_document
from web.words import AskBody


def test_document_is_valid_openapi_3_1() -> None:
    """By the specification's own schema."""
    document = openapi_document()
    assert document["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_every_field_of_every_word_is_described() -> None:
    """Made of the words themselves, so nothing is left out."""
    schemas = openapi_document()["components"]["schemas"]
    for word in (AskBody, AnswerComposed, PublicError):
        assert set(schemas[word.__name__]["properties"]) == {field.name for field in fields(word)}
    assert set(schemas["ErrorCode"]["enum"]) == {code.value for code in ErrorCode}


def test_only_what_machines_look_at_is_open() -> None:
    """Everything under /ops needs a token."""
    for path, methods in openapi_document()["paths"].items():
        for operation in methods.values():
            assert (operation.get("security") == []) == (not path.startswith("/ops")), path
