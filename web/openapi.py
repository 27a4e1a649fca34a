"""The OpenAPI 3.1 document, made of the same words that are read and written."""

from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from opsloom.version import __version__
from schemas.answers import AnswerComposed
from schemas.calls import ToolOutput
from schemas.errors import PublicError
from schemas.progress import Answered, Planned, ToolEnded, ToolStarted
from web.words import AskBody, Health, Working

READ: Literal["validation"] = "validation"
WRITTEN: Literal["serialization"] = "serialization"
WORDS: tuple[tuple[type, JsonSchemaMode], ...] = (
    (AskBody, READ),
    (AnswerComposed, WRITTEN),
    (Working, WRITTEN),
    (PublicError, WRITTEN),
    (Health, WRITTEN),
    (ToolOutput, WRITTEN),
    (Planned, WRITTEN),
    (ToolStarted, WRITTEN),
    (ToolEnded, WRITTEN),
    (Answered, WRITTEN),
)
PROGRESS = ("Planned", "ToolStarted", "ToolEnded", "Answered", "PublicError")
ERRORS = {
    "400": "Not JSON.",
    "401": "No token, or one that is not valid.",
    "403": "The token is another tenant's, or its roles may not ask.",
    "408": "The body did not come in time.",
    "409": "The idempotency key was used for another question.",
    "413": "The body is larger than 64 KiB.",
    "415": "The body is not of the type application/json.",
    "422": "A field is missing, unknown or wrong; the sentence names it.",
    "431": "The headers are too many or too large.",
    "500": "Something unexpected went wrong.",
    "503": "No room or no broker; Retry-After says when to come back.",
}
TRACE = {"X-Trace-Id": {"description": "The question's trace.", "schema": {"type": "string"}}}


def openapi_document() -> dict[str, Any]:
    """A new document."""
    adapters: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (word.__name__, mode, TypeAdapter(word)) for word, mode in WORDS
    ]
    tops, definitions = TypeAdapter.json_schemas(
        adapters, ref_template="#/components/schemas/{model}", title="opsloom"
    )
    schemas: dict[str, Any] = dict(definitions.get("$defs", {}))
    for (name, _mode), schema in tops.items():
        if schema != {"$ref": f"#/components/schemas/{name}"}:
            schemas[str(name)] = schema
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "opsloom",
            "version": __version__,
            "summary": "Ask operations questions and get one honest answer, woven from many tools.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/ops/ask": {"post": _ask()},
            "/ops/ask/stream": {"post": _stream()},
            "/ops/answers/{trace_id}": {"get": _fetch()},
            "/ops/claims/{tenant_key}/{digest}": {"get": _claim()},
            "/healthz": {"get": _open("Does the process answer?", {"200": _json("Health", "It does.")})},
            "/readyz": {"get": _ready()},
            "/metrics": {"get": _open("Figures for Prometheus.", {"200": _text("text/plain", "Figures.")})},
            "/openapi.json": {"get": _open("This document.", {"200": _any_json()})},
        },
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
        "security": [{"token": []}],
    }


def _ask() -> dict[str, Any]:
    return {
        "operationId": "ask",
        "summary": "Ask, and wait for the answer.",
        "description": "An answer is 200 whatever its status: success, partial_success, degraded or failed.",
        "parameters": [_KEY, _TENANT],
        "requestBody": _body(),
        "responses": {
            "200": {**_json("AnswerComposed", "The answer."), "headers": TRACE},
            **_errors(*ERRORS),
            "504": {
                **_json("PublicError", "No answer in time; Location says where it will be."),
                "headers": TRACE,
            },
        },
    }


def _stream() -> dict[str, Any]:
    told = {"oneOf": [{"$ref": f"#/components/schemas/{name}"} for name in PROGRESS]}
    return {
        "operationId": "askAndFollow",
        "summary": "Ask, and be told what happens: planned, tool_started, tool_ended, then answer or error.",
        "description": "Server-sent events; the data of each is one of the words in x-event-data.",
        "parameters": [_KEY, _TENANT],
        "requestBody": _body(),
        "responses": {
            "200": {
                "description": "Events until the answer.",
                "headers": TRACE,
                "content": {"text/event-stream": {"schema": {"type": "string"}, "x-event-data": told}},
            },
            **_errors(*ERRORS),
        },
    }


def _fetch() -> dict[str, Any]:
    trace = {
        "name": "trace_id",
        "in": "path",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    }
    return {
        "operationId": "fetchAnswer",
        "summary": "The answer of a trace, if it is the caller's tenant's.",
        "parameters": [trace, _TENANT],
        "responses": {
            "200": {**_json("AnswerComposed", "The answer."), "headers": TRACE},
            "202": _json("Working", "Not answered yet."),
            "404": _json("PublicError", "Nothing is known under this trace, or it is not yours."),
            **_errors("401", "403", "431", "500", "503"),
        },
    }


def _claim() -> dict[str, Any]:
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in (("tenant_key", "^(claim:)?[0-9a-f]{32}$"), ("digest", "^[0-9a-f]{64}$"))
    ]
    return {
        "operationId": "openClaim",
        "summary": "The whole of a result too large for its answer: /ops/claims/ and the claim's reference.",
        "parameters": [*named, _TENANT],
        "responses": {
            "200": _json("ToolOutput", "The whole result."),
            "404": _json("PublicError", "Nothing is kept under this reference, or it is not yours."),
            **_errors("401", "403", "431", "500", "503"),
        },
    }


def _ready() -> dict[str, Any]:
    return _open(
        "Can questions be asked?",
        {"200": _json("Health", "They can."), "503": _json("PublicError", "The broker does not answer.")},
    )


def _open(summary: str, responses: dict[str, Any]) -> dict[str, Any]:
    return {"summary": summary, "security": [], "responses": responses}


def _body() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/AskBody"}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _json(word: str, description: str) -> dict[str, Any]:
    schema = {"$ref": f"#/components/schemas/{word}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _text(content_type: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {content_type: {"schema": {"type": "string"}}}}


def _any_json() -> dict[str, Any]:
    return {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}}


def _errors(*statuses: str) -> dict[str, Any]:
    return {status: _json("PublicError", ERRORS[status]) for status in statuses}


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same key is the same question: one trace, one answer, however often it is sent.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
}
_TENANT = {
    "name": "X-Tenant-Id",
    "in": "header",
    "description": "For the development token alone, which speaks for any tenant; default `local`.",
    "schema": {"type": "string"},
}
