"""Events to bytes and back: nothing is lost in either codec, and no bytes can break the reader."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.calls import Column, Shape, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode
from schemas.events import EVENTS
from streams.codecs import AGGREGATION_WORDS, Codec, DecodeError
from streams.schema_ids import FileIds
from tests.support.effort import examples
from tests.support.word_strategies import words

IDS = FileIds.load()
WRITERS = {written: Codec(IDS, written) for written in ("json", "avro")}  # type: ignore[arg-type]
READER = Codec(IDS)
ANY_EVENT = st.one_of(*(words(word) for word in EVENTS.values()))


@pytest.mark.parametrize("written", ["json", "avro"])
@pytest.mark.parametrize("name", [name for name in EVENTS if name != "QuestionAsked"])  # read at the edge
@settings(deadline=None, max_examples=examples(25), suppress_health_check=list(HealthCheck))
@given(draw=st.data())
def test_every_event_comes_back_as_it_was(name: str, written: str, draw: st.DataObject) -> None:
    """All fields, all values, in both codecs; the reader is told nothing about which one it is."""
    event = draw.draw(words(EVENTS[name]))

    raw = WRITERS[written].encode(event)

    assert READER.decode(raw, {name: EVENTS[name]}) == event


@pytest.mark.parametrize("written", ["json", "avro"])
def test_numbers_that_stores_hold_and_doubles_do_not_come_back_exactly(written: str) -> None:
    """128-bit integers of a store, large 64-bit ones, tiny and whole floats."""
    row = [2**100, -(2**100), 2**64 - 1, 2**53 + 1, 5e-324, 1.0, -0.0, 0.1 + 0.2]
    event = _result(row)

    read = READER.decode(WRITERS[written].encode(event), AGGREGATION_WORDS)

    assert isinstance(read, ToolSucceeded)
    assert read.output.rows == [row]
    assert [type(value) for value in read.output.rows[0]] == [type(value) for value in row]
    assert math.copysign(1, read.output.rows[0][6]) == -1


@settings(deadline=None, max_examples=examples(300))
@given(
    st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda tail: b"\x00" + tail)
    | st.tuples(st.integers(0, 20), st.binary(max_size=200)).map(
        lambda p: b"\x00" + p[0].to_bytes(4, "big") + p[1]
    )
    | st.sampled_from(sorted(EVENTS)).flatmap(
        lambda name: st.binary(max_size=80).map(lambda tail: f'{{"event":"{name}"'.encode() + tail)
    )
)
def test_any_bytes_are_an_event_or_a_decode_error(raw: bytes) -> None:
    """Never another exception: a reader that breaks would stop its partition for good."""
    refused = _refused(raw)

    assert refused is None or (refused.code in ErrorCode and refused.reason)


@settings(deadline=None, max_examples=examples(60), suppress_health_check=list(HealthCheck))
@given(words(ToolSucceeded), st.data())
def test_damaged_avro_is_an_event_or_a_decode_error(event: ToolSucceeded, draw: st.DataObject) -> None:
    """A frame with a byte changed, cut off or added."""
    raw = bytearray(WRITERS["avro"].encode(event))
    at = draw.draw(st.integers(0, len(raw) - 1))
    damage = draw.draw(st.sampled_from(["change", "cut", "add"]))
    if damage == "change":
        raw[at] = draw.draw(st.integers(0, 255))
    elif damage == "cut":
        del raw[at:]
    else:
        raw.insert(at, draw.draw(st.integers(0, 255)))
    refused = _refused(bytes(raw))

    assert refused is None or refused.code in ErrorCode


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", ErrorCode.NOT_JSON),
        (b"\xff", ErrorCode.NOT_JSON),
        (b"[]", ErrorCode.INVALID_EVENT),
        (b"{}", ErrorCode.INVALID_EVENT),
        (b'{"event":"AnswerComposed"}', ErrorCode.INVALID_EVENT),
        (b'{"event":"PlanMade"}', ErrorCode.INVALID_EVENT),
        (b'{"event":"PlanMade', ErrorCode.NOT_JSON),
        (b'{"x":' + b"[" * 100_000, ErrorCode.NESTED_TOO_DEEP),
        (
            b'{"event":"ToolSucceeded","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            ErrorCode.NESTED_TOO_DEEP,
        ),
        (b"\x00", ErrorCode.BROKEN_FRAME),
        (b"\x00\x00\x00\xff\xff", ErrorCode.UNKNOWN_SCHEMA),
    ],
)
def test_reason_of_a_refusal_is_a_code(raw: bytes, code: ErrorCode) -> None:
    """What goes into the dead letter."""
    with pytest.raises(DecodeError) as refused:
        READER.decode(raw, AGGREGATION_WORDS)

    assert refused.value.code is code


def test_frame_with_bytes_left_over_is_broken() -> None:
    """Two events in one record, or a writer with another schema: not to be guessed at."""
    raw = WRITERS["avro"].encode(_result([1])) + b"\x00"

    with pytest.raises(DecodeError) as refused:
        READER.decode(raw, AGGREGATION_WORDS)

    assert refused.value.code is ErrorCode.BROKEN_FRAME


def test_json_may_name_its_event_anywhere() -> None:
    """Our own writer puts the name first; others need not."""
    event = _result([1])
    document = json.loads(WRITERS["json"].encode(event))
    document["event"] = document.pop("event")

    assert READER.decode(json.dumps(document, indent=2).encode(), AGGREGATION_WORDS) == event


def _refused(raw: bytes) -> DecodeError | None:
    try:
        READER.decode(raw, AGGREGATION_WORDS)
    except DecodeError as refused:
        return refused
    return None


def _result(row: list[Any]) -> ToolSucceeded:
    columns = tuple(Column(name=f"c{n}") for n in range(len(row)))
    return ToolSucceeded(
        trace_id="t",
        tenant_id="acme",
        call_id="c",
        step_id="s",
        tool_id="x",
        tool_type="x",
        group=0,
        started_at=0.0,
        ended_at=1.0,
        output=ToolOutput(shape=Shape.TABLE, columns=columns, rows=[row]),
    )
