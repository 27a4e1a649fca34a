"""The edge: any bytes become a question or a refusal with a code and a reason."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.errors import ErrorCode
from schemas.ids import TenantId
from schemas.plans import ProducerPlan, ProducerStep
from schemas.questions import (
    MAX_AGE_S,
    MAX_AHEAD_S,
    MAX_EVENT_BYTES,
    MAX_NESTING,
    MAX_QUESTION_CHARACTERS,
    Mode,
    QuestionAsked,
    QuestionOptions,
    User,
)
from streams.codecs import Codec
from streams.intake import Refusal, read_question, refusal_of_json
from streams.schema_ids import FileIds
from tests.support.effort import examples
from tests.support.roadside import avro_question
from tests.support.word_strategies import JSON, MOMENTS, TEXT

IDS = FileIds.load()
CODEC, AVRO = Codec(IDS), Codec(IDS, "avro")
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
HEADERS = [("tenant_id", b"acme")]


def event(**fields: Any) -> dict[str, Any]:
    """A question that is taken at `NOW`."""
    return {
        "schema_version": 1,
        "question_id": "q",
        "tenant_id": "acme",
        "user": {"id": "u", "roles": ["viewer"]},
        "question": "why is checkout slow?",
        "created_at": "2026-11-21T12:00:00Z",
        **fields,
    }


def read(raw: bytes | dict[str, Any], headers: Any = HEADERS) -> QuestionAsked | Refusal:
    return read_question(json.dumps(raw).encode() if isinstance(raw, dict) else raw, headers, NOW, CODEC)


def code_of(raw: bytes | dict[str, Any], headers: Any = HEADERS) -> ErrorCode | None:
    """None when it is taken."""
    found = read(raw, headers)
    return found.code if isinstance(found, Refusal) else None


@settings(deadline=None, max_examples=examples(500))
@given(
    st.binary(max_size=300)
    | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=100).map(lambda tail: b"\x00\x00\x00\x00\x01" + tail)
)
def test_any_bytes_are_a_question_or_a_refusal(raw: bytes) -> None:
    """Never an exception: it would stop the planner for good."""
    found = read(raw)

    assert isinstance(found, Refusal)
    assert found.reason


@settings(deadline=None, max_examples=examples(300), suppress_health_check=list(HealthCheck))
@given(st.data())
def test_good_question_with_any_field_replaced_is_a_question_or_a_refusal(draw: st.DataObject) -> None:
    """Also where the value is almost right."""
    name = draw.draw(st.sampled_from([*event(), "mode", "context", "options", "plan", "extra"]))
    value = draw.draw(JSON | st.dictionaries(st.sampled_from(["id", "roles", "deadline", "steps"]), JSON))

    found = read(event(**{name: value}))

    assert isinstance(found, QuestionAsked | Refusal)


_TENANTS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_STEPS = st.builds(
    ProducerStep,
    step_id=st.from_regex(r"[A-Za-z0-9_.-]{1,64}", fullmatch=True),
    tool_id=_NAMES,
    params=st.dictionaries(TEXT, JSON, max_size=2),
    depends_on=st.just(()),
    timeout_s=st.none() | st.floats(0.001, 120),
)
QUESTIONS = st.builds(
    QuestionAsked,
    schema_version=st.just(1),
    question_id=_NAMES,
    tenant_id=_TENANTS,
    user=st.builds(User, id=_NAMES, roles=st.lists(_NAMES, max_size=3).map(tuple)),
    question=_NAMES.filter(lambda text: bool(text.strip())),
    created_at=st.integers(-int(MAX_AHEAD_S) + 1, int(MAX_AGE_S) - 1).map(
        lambda age_s: datetime.fromtimestamp(NOW - age_s, UTC)
    ),
    mode=st.sampled_from(Mode),
    context=st.dictionaries(TEXT, JSON, max_size=2),
    options=st.builds(
        QuestionOptions,
        max_rows=st.none() | st.integers(1, 10_000),
        deadline_s=st.none() | st.floats(0.001, 120),
        deadline=st.none() | MOMENTS,
        tools=st.none() | st.lists(_NAMES, max_size=3).map(tuple),
    ),
    plan=st.none() | st.builds(ProducerPlan, steps=st.lists(_STEPS, min_size=1, max_size=2).map(tuple)),
)


@settings(deadline=None, max_examples=examples(100), suppress_health_check=list(HealthCheck))
@given(QUESTIONS, st.sampled_from([CODEC, AVRO]))
def test_every_good_question_comes_through_as_it_was(question: QuestionAsked, codec: Codec) -> None:
    """Whatever it holds, in JSON and in Avro."""
    headers = [("tenant_id", question.tenant_id.encode())]

    assert read_question(codec.encode(question), headers, NOW, CODEC) == question


@pytest.mark.parametrize(
    ("bytes_", "code"), [(MAX_EVENT_BYTES, None), (MAX_EVENT_BYTES + 1, ErrorCode.EVENT_TOO_LARGE)]
)
def test_64_kib_are_taken_and_one_byte_more_is_not(bytes_: int, code: ErrorCode | None) -> None:
    """The limit is on the bytes as they came."""
    padding = bytes_ - len(json.dumps(event(context={"a": ""})))

    raw = json.dumps(event(context={"a": "x" * padding})).encode()

    assert (len(raw), code_of(raw)) == (bytes_, code)


@pytest.mark.parametrize("character", ["x", "é", "한", "😀"])
def test_8000_characters_are_taken_and_one_more_is_not(character: str) -> None:
    """Characters, not bytes."""
    for count, code in (
        (MAX_QUESTION_CHARACTERS, None),
        (MAX_QUESTION_CHARACTERS + 1, ErrorCode.QUESTION_TOO_LONG),
    ):
        raw = json.dumps(event(question=character * count), ensure_ascii=False).encode()
        assert code_of(raw) == code


@pytest.mark.parametrize("brackets", [("[", "]"), ('{"a":', "}")])
def test_32_levels_are_taken_and_one_more_is_not(brackets: tuple[str, str]) -> None:
    """The event itself is the first level, its context the second."""
    opening, closing = brackets
    for inner, code in ((MAX_NESTING - 2, None), (MAX_NESTING - 1, ErrorCode.NESTED_TOO_DEEP)):
        value = opening * inner + ("1" if opening != "[" else "") + closing * inner
        raw = json.dumps(event())[:-1] + ', "context": {"a": ' + value + "}}"
        assert code_of(raw.encode()) == code


def test_brackets_in_a_text_are_no_levels() -> None:
    """Counting characters alone would refuse it."""
    assert code_of(event(question="[{" * 200)) is None


@pytest.mark.parametrize(
    ("age_s", "code"),
    [
        (-MAX_AHEAD_S, None),
        (-MAX_AHEAD_S - 1, ErrorCode.CREATED_AT_REFUSED),
        (MAX_AGE_S, None),
        (MAX_AGE_S + 1, ErrorCode.CREATED_AT_REFUSED),
    ],
)
@pytest.mark.parametrize(
    "zone", [UTC, timezone(timedelta(hours=14)), timezone(-timedelta(hours=9, minutes=30))]
)
def test_an_hour_ahead_and_366_days_of_age_are_taken_and_a_second_more_is_not(
    age_s: float, code: ErrorCode | None, zone: timezone
) -> None:
    """In any zone."""
    created_at = datetime.fromtimestamp(NOW - age_s, zone).isoformat()

    assert code_of(event(created_at=created_at)) == code


@pytest.mark.parametrize(
    ("created_at", "code"),
    [
        ("2026-11-21T12:00:00Z", None),
        ("2026-11-21T12:00:00.123456+00:00", None),
        ("2026-11-21 13:00:00+01:00", None),
        ("2026-11-21T12:00:00", ErrorCode.CREATED_AT_REFUSED),
        ("2026-11-21", ErrorCode.INVALID_EVENT),
        ("yesterday", ErrorCode.INVALID_EVENT),
        ("1795262400", ErrorCode.INVALID_EVENT),
        ("1795262400.5", ErrorCode.INVALID_EVENT),
        (1_795_262_400, ErrorCode.INVALID_EVENT),
        (None, ErrorCode.INVALID_EVENT),
        ("0001-01-01T00:00:00+14:00", ErrorCode.CREATED_AT_REFUSED),
        ("9999-12-31T23:59:59-14:00", ErrorCode.CREATED_AT_REFUSED),
    ],
)
def test_created_at_is_a_moment_with_a_zone(created_at: object, code: ErrorCode | None) -> None:
    """Digits are not read as seconds; a missing zone has its own code."""
    assert code_of(event(created_at=created_at)) == code


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff\xfe{}", ErrorCode.NOT_UTF8),
        (b'{"a": "\xc3"}', ErrorCode.NOT_UTF8),
        (json.dumps(event()).encode("utf-16"), ErrorCode.NOT_UTF8),
        (b"", ErrorCode.NOT_JSON),
        (b"{", ErrorCode.NOT_JSON),
        (b"\xef\xbb\xbf{}", ErrorCode.NOT_JSON),
        (b'{"a": "\\ud800"}', ErrorCode.NOT_JSON),
        (b"{'a': 1}", ErrorCode.NOT_JSON),
        (b"[]", ErrorCode.NOT_AN_OBJECT),
        (b"true", ErrorCode.NOT_AN_OBJECT),
        (b"1", ErrorCode.NOT_AN_OBJECT),
        (b'{"a": NaN}', ErrorCode.NOT_FINITE),
        (b'{"a": -Infinity}', ErrorCode.NOT_FINITE),
        (b'{"a": 1e999}', ErrorCode.NOT_FINITE),
        (b'{"a": ' + b"9" * 5_000 + b"}", ErrorCode.NOT_FINITE),
        (b'{"a": 1, "a": 1}', ErrorCode.DUPLICATE_KEY),
        (b'{"a": {"b": [{"c": 1, "c": 2}]}}', ErrorCode.DUPLICATE_KEY),
        (b'{"a": 1, "\\u0061": 2}', ErrorCode.DUPLICATE_KEY),
        (b"[" * 60_000, ErrorCode.NESTED_TOO_DEEP),
        (b'{"a":' * 40 + b"1" + b"}" * 40, ErrorCode.NESTED_TOO_DEEP),
        (b"\x00", ErrorCode.BROKEN_FRAME),
        (b"\x00\x00\x00\x00\x01", ErrorCode.BROKEN_FRAME),
        (b"\x00\x00\x00\xff\xff1234", ErrorCode.UNKNOWN_SCHEMA),
    ],
)
def test_bytes_that_are_no_event_have_their_code(raw: bytes, code: ErrorCode) -> None:
    """One code for each way to be wrong."""
    assert code_of(raw) is code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"schema_version": True}, ErrorCode.INVALID_EVENT),
        ({"schema_version": 1.0}, ErrorCode.INVALID_EVENT),
        ({"schema_version": "1"}, ErrorCode.INVALID_EVENT),
        ({"schema_version": 2}, ErrorCode.INVALID_EVENT),
        ({"question_id": 7}, ErrorCode.INVALID_EVENT),
        ({"question_id": ""}, ErrorCode.INVALID_EVENT),
        ({"question_id": "x" * 129}, ErrorCode.INVALID_EVENT),
        ({"user": {"id": "u"}}, ErrorCode.INVALID_EVENT),
        ({"user": {"id": "u", "roles": [1]}}, ErrorCode.INVALID_EVENT),
        ({"user": {"id": "u", "roles": [], "name": "U"}}, ErrorCode.INVALID_EVENT),
        ({"question": ""}, ErrorCode.INVALID_EVENT),
        ({"question": " \t\n"}, ErrorCode.INVALID_EVENT),
        ({"mode": "METRIC"}, ErrorCode.INVALID_EVENT),
        ({"context": []}, ErrorCode.INVALID_EVENT),
        ({"options": None}, ErrorCode.INVALID_EVENT),
        ({"options": {"max_rows": "5"}}, ErrorCode.INVALID_EVENT),
        ({"options": {"max_rows": 0}}, ErrorCode.INVALID_EVENT),
        ({"options": {"deadline_s": 121}}, ErrorCode.INVALID_EVENT),
        ({"options": {"deadline": "2026-11-21T12:00:00"}}, ErrorCode.INVALID_EVENT),
        ({"options": {"deadline": "1795262400"}}, ErrorCode.INVALID_EVENT),
        ({"options": {"verbose": True}}, ErrorCode.UNKNOWN_OPTION),
        ({"plan": {"steps": []}}, ErrorCode.INVALID_EVENT),
        ({"trace_id": "mine"}, ErrorCode.INVALID_EVENT),
    ],
)
def test_fields_are_strict(fields: dict[str, Any], code: ErrorCode) -> None:
    """No coercion, no unknown field, no option that would silently do nothing."""
    assert code_of(event(**fields)) is code


@pytest.mark.parametrize("name", list(event()))
def test_every_required_field_is_required(name: str) -> None:
    """And the reason names it."""
    found = read({key: value for key, value in event().items() if key != name})

    assert isinstance(found, Refusal)
    assert (found.code, name in found.reason) == (ErrorCode.INVALID_EVENT, True)


@pytest.mark.parametrize("tenant", ["", "-acme", "a b", "a/b", "ä", "x" * 65, "acme\n"])
def test_tenant_is_a_plain_name(tenant: TenantId) -> None:
    """No separator, no white space, at most 64 characters."""
    assert code_of(event(tenant_id=tenant), [("tenant_id", tenant.encode())]) is ErrorCode.INVALID_EVENT


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("tenant_id", b"globex")],
        [("tenant_id", b"")],
        [("tenant_id", None)],
        [("tenant_id", b"acme"), ("tenant_id", b"globex")],
        [("TENANT_ID", b"acme")],
        [("tenant_id", b"acme ")],
        [("tenant_id", b"\xff")],
    ],
)
def test_header_must_name_the_events_tenant(headers: Any) -> None:
    """All of them, if there are several."""
    assert code_of(event(), headers) is ErrorCode.TENANT_MISMATCH


def test_reason_of_many_faults_is_short() -> None:
    """The first few are named, the rest is counted."""
    found = read(event(user={"id": "u", "roles": [1] * 30}))

    assert isinstance(found, Refusal)
    assert "and 25 more" in found.reason
    assert len(found.reason) < 1_000


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_number_that_is_none_is_refused_in_avro_too(number: float) -> None:
    """A double on the wire may be NaN; a deadline may not."""
    document = event(options={"deadline_s": number, "max_rows": None, "deadline": None, "tools": None})

    assert code_of(avro_question(document)) is ErrorCode.NOT_FINITE


def test_event_of_another_kind_is_refused_in_avro() -> None:
    """A known schema that does not belong here."""
    from schemas.telemetry import MetricPoint

    assert code_of(AVRO.encode(MetricPoint(name="n", value=1.0, at=0.0))) is ErrorCode.INVALID_EVENT


def test_json_text_inside_avro_is_judged_as_json_is() -> None:
    """Depth counts through the text."""
    deep: Any = 1
    for _ in range(MAX_NESTING):
        deep = [deep]

    assert code_of(avro_question(event(context={"a": deep}))) is ErrorCode.NESTED_TOO_DEEP


_LEAVES = st.sampled_from(
    ["1", "null", "1e400", "9" * 320, "true", '"null"', '"a:b"', '"\\u003a"', '"\\"x\\":"']
)
_KEYS = st.sampled_from(['"a"', '"b"', '"a:"', '"\\u0061"', '"null"'])
_OBJECTS = st.recursive(
    _LEAVES,
    lambda inner: st.lists(st.tuples(_KEYS, inner), min_size=1, max_size=3).map(
        lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
    ),
    max_leaves=8,
)


@given(_OBJECTS)
def test_cheap_look_for_duplicate_keys_finds_what_the_slow_one_finds(text: str) -> None:
    """However colons, escapes and numbers without bounds stand in each other's way."""
    raw = f'{{"x": {text}}}'.encode()

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len({key for key, _ in pairs}) == len(pairs)
        return dict(pairs)

    def bounded(number: str) -> float:
        assert float(number) != float("inf")
        return float(number)

    try:
        json.loads(raw, object_pairs_hook=once, parse_float=bounded, parse_int=bounded)
        clean = True
    except AssertionError:
        clean = False
    assert (refusal_of_json(raw) is None) is clean
