"""The edge: bytes from anybody become a `QuestionAsked`, or a refusal with a code and a reason.

Nothing here raises for anything that bytes or headers can hold.
"""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
import orjson
from pydantic import TypeAdapter, ValidationError

from schemas.errors import ErrorCode
from schemas.questions import (
    MAX_AGE_S,
    MAX_AHEAD_S,
    MAX_EVENT_BYTES,
    MAX_NESTING,
    MAX_QUESTION_CHARACTERS,
    TENANT_HEADER,
    QuestionAsked,
)
from streams.codecs import Codec, DecodeError

Headers = Sequence[tuple[str, bytes]]

_questions = TypeAdapter(QuestionAsked)

REASONS_SHOWN = 5
"""Wrong fields named in one reason; the rest is counted."""


class Refusal(NamedTuple):
    """Why an event is not taken: a code for machines, a sentence for people."""

    code: ErrorCode
    reason: str


class _NotFinite(ValueError):
    pass


class _DuplicateKey(ValueError):
    pass


def read_question(raw: bytes, headers: Headers, now: float, codec: Codec) -> QuestionAsked | Refusal:
    """Judge one event of `ops.questions`."""
    if len(raw) > MAX_EVENT_BYTES:
        return Refusal(
            ErrorCode.EVENT_TOO_LARGE, f"the event has {len(raw)} bytes; {MAX_EVENT_BYTES} are allowed"
        )
    text = _from_avro(raw, codec) if raw[:1] == b"\x00" else _check_json(raw)
    if isinstance(text, Refusal):
        return text
    try:
        question = _questions.validate_json(text)
    except ValidationError as exc:
        return explain(exc)
    return _check_meaning(question, headers, now) or question


def refusal_of_json(raw: bytes) -> Refusal | None:
    """What is wrong with it as a JSON object of bounded depth, whatever its fields; None if nothing is."""
    checked = _check_json(raw)
    return checked if isinstance(checked, Refusal) else None


def _from_avro(raw: bytes, codec: Codec) -> bytes | Refusal:
    """An Avro question as the JSON text that the same checks read."""
    try:
        name, document = codec.read_frame(raw)
    except DecodeError as exc:
        return Refusal(exc.code, exc.reason)
    if name != QuestionAsked.__name__:
        return Refusal(ErrorCode.INVALID_EVENT, f"{name} does not belong on this topic")
    try:
        text = msgspec.json.encode(document)
    except (TypeError, ValueError):
        return Refusal(ErrorCode.INVALID_EVENT, "a field holds what JSON cannot say")
    if not _is_finite(document):  # null was written for it
        return Refusal(ErrorCode.NOT_FINITE, "a field holds NaN or an infinite number")
    if _too_deep(text, document):
        return Refusal(ErrorCode.NESTED_TOO_DEEP, f"the event is nested more than {MAX_NESTING} levels deep")
    return text


def _check_json(raw: bytes) -> bytes | Refusal:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        return _why_not_json(raw, exc)
    if not isinstance(document, dict):
        return Refusal(ErrorCode.NOT_AN_OBJECT, f"the event is {_json_kind(document)}, not a JSON object")
    if _too_deep(raw, document):
        return Refusal(ErrorCode.NESTED_TOO_DEEP, f"the event is nested more than {MAX_NESTING} levels deep")
    if not _holds_each_key_once(raw, orjson.dumps(document)):
        try:
            _read_slowly(raw)
        except _DuplicateKey as exc:
            return Refusal(ErrorCode.DUPLICATE_KEY, f"the key {str(exc)[:64]!r} stands twice in one object")
        except _NotFinite as exc:
            return Refusal(ErrorCode.NOT_FINITE, f"{exc} is not a JSON number")
    return _moments_in_digits(document) or raw


def _holds_each_key_once(raw: bytes, again: bytes) -> bool:
    """Whether it can be said cheaply that no key stands twice and no number is beyond all bounds; `again` is what was
    read of `raw`, written again.

    Equal bytes prove it. So do, in a text without escapes, equal counts of colons and of `null`: a key that stood twice
    was written once, and took its colon with it; a number that is not finite was written as null. So an event that is
    merely spaced differently does not pay for the slow look.
    """
    if again == raw:
        return True
    return (
        b"\\" not in raw
        and raw.count(b":") == again.count(b":")
        and raw.count(b"null") == again.count(b"null")
    )


def _moments_in_digits(document: dict[str, Any]) -> Refusal | None:
    """Pydantic would take a text of digits for Unix seconds; a moment is a date with its time and zone here."""
    options = document.get("options")
    deadline = options.get("deadline") if isinstance(options, dict) else None
    for name, value in (("created_at", document.get("created_at")), ("options.deadline", deadline)):
        if isinstance(value, str) and value[4:5] != "-":
            return Refusal(ErrorCode.INVALID_EVENT, f"{name}: it must be written like 2026-11-21T09:30:00Z")
    return None


def _why_not_json(raw: bytes, error: orjson.JSONDecodeError) -> Refusal:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        return Refusal(ErrorCode.NOT_UTF8, f"byte {exc.start} is not UTF-8")
    try:
        _read_slowly(raw)
    except _NotFinite as exc:
        return Refusal(ErrorCode.NOT_FINITE, f"{exc} is not a JSON number")
    except RecursionError:
        return Refusal(ErrorCode.NESTED_TOO_DEEP, f"the event is nested more than {MAX_NESTING} levels deep")
    except ValueError:
        pass
    if _depth_of_text(raw) > MAX_NESTING:
        return Refusal(ErrorCode.NESTED_TOO_DEEP, f"the event is nested more than {MAX_NESTING} levels deep")
    return Refusal(ErrorCode.NOT_JSON, f"the event is not JSON: {error.msg} at character {error.pos}")


def _read_slowly(raw: bytes) -> Any:
    """Python's own reader, which can be asked about duplicate keys and NaN."""

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise _DuplicateKey(key)
            found[key] = value
        return found

    def no_constant(name: str) -> Any:
        raise _NotFinite(name)

    def finite(text: str) -> float:
        number = float(text)
        if number in (float("inf"), float("-inf")):
            raise _NotFinite(text[:32])
        return number

    return json.loads(
        raw,
        object_pairs_hook=no_duplicates,
        parse_constant=no_constant,
        parse_float=finite,
        parse_int=finite,  # digits without end are no number anybody can hold; the value itself is not used
    )


def _too_deep(raw: bytes, document: Any) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= MAX_NESTING:
        return False
    level = [document]
    for _ in range(MAX_NESTING):
        level = [
            inner
            for value in level
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _is_finite(document: Any) -> bool:
    """Whether every number in it is one."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
        elif isinstance(value, float) and value - value != 0.0:
            return False
    return True


def _depth_of_text(raw: bytes) -> int:
    """Deepest open bracket of text that no reader gets through."""
    depth = deepest = 0
    for byte in raw:
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _json_kind(value: Any) -> str:
    kinds = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return kinds.get(type(value), "null")


def explain(exc: ValidationError) -> Refusal:
    """The first code that fits, and the wrong fields in words."""
    errors = exc.errors(include_url=False, include_input=False)
    code = ErrorCode.INVALID_EVENT
    reasons = []
    for error in errors:
        path = ".".join(str(part) for part in error["loc"])[:128]
        kind = error["type"]
        reasons.append(f"{path or 'event'}: {error['msg']}")
        if error["loc"] == ("question",) and kind == "string_too_long":
            code = ErrorCode.QUESTION_TOO_LONG
            reasons[-1] = f"question: over {MAX_QUESTION_CHARACTERS:,} characters"
        elif error["loc"][:1] == ("options",) and kind == "unexpected_keyword_argument":
            code = ErrorCode.UNKNOWN_OPTION
            reasons[-1] = f"{path}: there is no such option"
        elif error["loc"] == ("created_at",) and kind == "timezone_aware":
            code = ErrorCode.CREATED_AT_REFUSED
            reasons[-1] = "created_at: the time zone is missing; write it in UTC with a Z at the end"
    more = f"; and {len(reasons) - REASONS_SHOWN} more" if len(reasons) > REASONS_SHOWN else ""
    return Refusal(code, "; ".join(reasons[:REASONS_SHOWN]) + more)


def _check_meaning(question: QuestionAsked, headers: Headers, now: float) -> Refusal | None:
    tenants = [value for name, value in headers if name == TENANT_HEADER]
    if not tenants:
        return Refusal(ErrorCode.TENANT_MISMATCH, f"the Kafka header {TENANT_HEADER} is missing")
    if any(value != question.tenant_id.encode() for value in tenants):
        return Refusal(
            ErrorCode.TENANT_MISMATCH, f"the Kafka header {TENANT_HEADER} is not the event's tenant_id"
        )
    if not question.question.strip():
        return Refusal(ErrorCode.INVALID_EVENT, "question: it is blank")
    return _check_created_at(question.created_at, now)


def _check_created_at(created_at: datetime, now: float) -> Refusal | None:
    age_s = now - created_at.timestamp()
    if age_s < -MAX_AHEAD_S:
        return Refusal(
            ErrorCode.CREATED_AT_REFUSED, "created_at lies over 1 h ahead; check the producer's clock"
        )
    if age_s > MAX_AGE_S:
        return Refusal(ErrorCode.CREATED_AT_REFUSED, "created_at is over 366 days old")
    return None
