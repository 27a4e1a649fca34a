"""A dead letter keeps what came, says where from and why, and can be put on the road again."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.deadletters import KEPT_BYTES
from schemas.errors import ErrorCode
from streams.deadletters import (
    CUT_HEADER,
    REDRIVEN_HEADER,
    dead_letter,
    decode_dead_letter,
    encode_dead_letter,
    original,
)
from tests.support.lane_app import Record

HEADERS = st.lists(
    st.tuples(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.binary(max_size=20)),
    max_size=4,
)


@given(st.none() | st.binary(max_size=40), st.binary(max_size=200), HEADERS)
def test_letter_gives_back_what_came(
    key: bytes | None, value: bytes, headers: list[tuple[str, bytes]]
) -> None:
    """Key, value and headers survive the letter's own bytes; only the mark of the redrive is added."""
    headers = [pair for pair in headers if pair[0] not in (REDRIVEN_HEADER, CUT_HEADER)]
    record = Record(7, value, "ops.questions", 3, key, tuple(headers))

    letter = decode_dead_letter(encode_dead_letter(dead_letter(record, ErrorCode.NOT_JSON, "why", 1_000.0)))

    assert (letter.origin_topic, letter.origin_partition, letter.origin_offset) == ("ops.questions", 3, 7)
    assert (letter.value_length, letter.value_sha256) == (len(value), hashlib.sha256(value).hexdigest())
    assert (letter.code, letter.reason, letter.at.timestamp()) == (ErrorCode.NOT_JSON, "why", 1_000.0)
    assert original(letter) == (key, value, [*headers, (REDRIVEN_HEADER, b"1")])


def test_letter_of_a_redriven_event_counts_on() -> None:
    """The mark is replaced, not repeated."""
    record = Record(0, b"x", headers=((REDRIVEN_HEADER, b"2"), ("a", b"b")))

    letter = dead_letter(record, ErrorCode.NOT_JSON, "why", 0.0)

    assert letter.redriven == 2
    assert original(letter)[2] == [("a", b"b"), (REDRIVEN_HEADER, b"3")]


@pytest.mark.parametrize("mark", [b"", b"many", b"-1", None])
def test_strange_mark_of_a_redrive_counts_as_none(mark: bytes | None) -> None:
    """Anybody can write headers."""
    record = Record(0, b"x", headers=((REDRIVEN_HEADER, mark),))  # type: ignore[arg-type]

    assert dead_letter(record, ErrorCode.NOT_JSON, "why", 0.0).redriven == 0


def test_value_beyond_64_kib_is_told_by_length_and_digest_and_not_redriven() -> None:
    """A part of an event must not pass for the event."""
    value = bytes(range(256)) * 1_000

    letter = dead_letter(Record(0, value), ErrorCode.EVENT_TOO_LARGE, "why", 0.0)

    assert (letter.value_length, letter.value_sha256) == (256_000, hashlib.sha256(value).hexdigest())
    assert len(encode_dead_letter(letter)) < KEPT_BYTES * 1.5
    with pytest.raises(ValueError, match="256,000 bytes"):
        original(letter)


@pytest.mark.parametrize(
    ("key", "headers", "missing"),
    [
        (b"k" * 4_000_000, (), "the key"),
        (b"k", (("a", b"1"), ("large", b"x" * 4_000_000), ("b", b"2")), "2 of 3 headers"),
        (b"k", tuple((f"h{n}", b"x" * 100) for n in range(5_000)), "headers"),
    ],
)
def test_endless_key_or_headers_are_cut_said_and_not_redriven(
    key: bytes, headers: tuple[tuple[str, bytes], ...], missing: str
) -> None:
    """The letter itself must always fit on the road."""
    letter = dead_letter(Record(0, b"x", key=key, headers=headers), ErrorCode.NOT_JSON, "why", 0.0)

    assert len(encode_dead_letter(letter)) < 512 * 1024
    with pytest.raises(ValueError, match=missing):
        original(letter)


def test_tombstone_is_no_value() -> None:
    """Nothing is not the empty text."""
    letter = dead_letter(Record(0, None), ErrorCode.NOT_JSON, "why", 0.0)

    assert (letter.value_b64, letter.value_length) == (None, 0)
