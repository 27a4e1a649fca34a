"""A request's body becomes an `AskBody`, or a refusal with a code and a sentence."""

import asyncio
from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from schemas.errors import ErrorCode
from schemas.ids import QuestionId
from schemas.questions import MAX_EVENT_BYTES
from streams.intake import Refusal, explain, refusal_of_json
from web.failures import Failed, failed
from web.words import AskBody

READ_TIMEOUT_S = 10.0
MAX_HEADERS = 100
MAX_HEADER_BYTES = 8 * 1024
MAX_HEADERS_BYTES = 32 * 1024
HEADERS_TOO_LARGE = 431

_bodies = TypeAdapter(AskBody)
_question_ids: TypeAdapter[str] = TypeAdapter(QuestionId)


async def read_body(request: web.Request) -> tuple[AskBody, Mapping[str, Any]]:
    """The body as a word, and as it was written. Raises Failed."""
    if request.content_type != "application/json":
        raise failed(
            ErrorCode.INVALID_PARAMS,
            "The body must be JSON.",
            suggestion="Send the header `Content-Type: application/json`.",
            status=415,
        )
    raw = await _bytes_of(request)
    if (refusal := refusal_of_json(raw)) is not None:
        raise refused(refusal)
    try:
        return _bodies.validate_json(raw), orjson.loads(raw)
    except ValidationError as exc:
        raise refused(explain(exc)) from None


async def _bytes_of(request: web.Request) -> bytes:
    too_large = failed(ErrorCode.EVENT_TOO_LARGE, f"The body is larger than {MAX_EVENT_BYTES // 1024} KiB.")
    if (request.content_length or 0) > MAX_EVENT_BYTES:
        raise too_large
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise too_large from None
    except TimeoutError:
        raise failed(
            ErrorCode.INVALID_PARAMS, f"The body did not come within {READ_TIMEOUT_S:.0f} s.", status=408
        ) from None


def refused(refusal: Refusal) -> Failed:
    """What is wrong with a body or a question, as a sentence."""
    reason = refusal.reason.replace("the event", "the body", 1)
    return failed(refusal.code, f"{reason[:1].upper()}{reason[1:]}.")


def key_of(request: web.Request, body: AskBody) -> str | None:
    """The question's id if the caller chose one: in the header Idempotency-Key, or in the body. Raises Failed."""
    header = request.headers.get("Idempotency-Key")
    if header is None:
        return body.question_id
    try:
        key = _question_ids.validate_python(header, strict=True)
    except ValidationError:
        raise failed(ErrorCode.INVALID_PARAMS, "Idempotency-Key must have 1 to 128 characters.") from None
    if body.question_id not in (None, key):
        raise failed(ErrorCode.INVALID_PARAMS, "Idempotency-Key and question_id differ; give one of them.")
    return key


def check_headers(headers: Mapping[str, str]) -> None:
    """Bounds on what is read before anybody knows who asks. Raises Failed."""
    sizes = [len(name) + len(value) for name, value in headers.items()]
    if len(sizes) > MAX_HEADERS or sum(sizes) > MAX_HEADERS_BYTES or max(sizes, default=0) > MAX_HEADER_BYTES:
        raise failed(
            ErrorCode.EVENT_TOO_LARGE,
            f"The headers are too many or too large; {MAX_HEADERS} of {MAX_HEADER_BYTES // 1024} KiB each, "
            f"{MAX_HEADERS_BYTES // 1024} KiB together, are taken.",
            status=HEADERS_TOO_LARGE,
        )
