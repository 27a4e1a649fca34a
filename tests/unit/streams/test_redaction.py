"""Masking of credentials in texts, bytes, logs and dead letters."""

from __future__ import annotations

import logging
import time
from base64 import b64decode
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.deadletters import DeadLetter
from schemas.errors import ErrorCode
from streams.deadletters import dead_letter, original
from streams.redaction import masked, masked_bytes, redact_logs
from streams.secret_shapes import MASK

TELLING = (
    "Authorization: Bearer {}",
    "postgres://user:{}@db.internal/x",
    "password={}, host=x",
    '{{"client_secret": "{}"}}',
    "GET /?api_key={}&page=2",
    "login --password {} now",
)


@pytest.mark.parametrize("text", TELLING)
def test_a_credential_is_masked_and_the_words_around_it_stay(text: str) -> None:
    clean = masked(text.format("correcthorse7"))

    assert clean == text.format(MASK)


@pytest.mark.parametrize(
    "text", ["status 500: no rows", "the password is missing", "key error: 'foo'", "{name}", ""]
)
def test_a_text_without_one_stays_as_it_is(text: str) -> None:
    assert masked(text) == text


@given(st.sampled_from(TELLING), st.from_regex(r"[A-Za-z0-9._-]{8,40}", fullmatch=True), st.text(), st.text())
def test_no_credential_survives(text: str, secret: str, before: str, after: str) -> None:
    clean = masked(f"{before} {text.format(secret)} {after}")

    assert text.format(secret) not in clean
    assert masked(clean) == clean


@given(st.binary())
def test_any_bytes_can_be_masked(content: bytes) -> None:
    masked_bytes(content)


def test_logs_say_no_credential(caplog: pytest.LogCaptureFixture) -> None:
    """Neither in the message, nor in arguments, nor in a traceback."""
    factory = logging.getLogRecordFactory()
    redact_logs()
    try:
        logger = logging.getLogger("test.redaction")
        logger.warning("connecting to %s", "postgres://u:hunter2pw@h/d")
        try:
            raise ValueError("password=hunter2pw")
        except ValueError:
            logger.exception("it broke")
    finally:
        logging.setLogRecordFactory(factory)

    assert "hunter2pw" not in caplog.text
    assert caplog.text.count(MASK) >= 2


def letter_of(value: bytes) -> DeadLetter:
    record = SimpleNamespace(
        topic="ops.questions",
        partition=0,
        offset=1,
        key=b"k",
        value=value,
        headers=(("authorization", b"Bearer abcdef123"),),
    )
    return dead_letter(record, ErrorCode.NOT_JSON, "near password=hunter2pw", 1.0)


def test_a_dead_letter_keeps_no_credential_and_says_so() -> None:
    letter = letter_of(b'{"note": "password=hunter2pw"')

    assert b"hunter2pw" not in b64decode(letter.value_b64 or "")
    assert "hunter2pw" not in letter.reason
    assert all(b"abcdef123" not in b64decode(header.value_b64) for header in letter.headers)
    with pytest.raises(ValueError, match="credentials in its value"):
        original(letter)


def test_a_dead_letter_without_one_can_be_sent_again() -> None:
    assert original(letter_of(b'{"note": 1'))[1] == b'{"note": 1'


@pytest.mark.parametrize("piece", ["a_", "eyJ-", "sk-a", "password ", "a://b:", "-----END "])
def test_a_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    """Ten times the text must not cost a hundred times the time."""
    began = time.process_time()

    masked("password -----BEGIN PRIVATE KEY " + piece * (40_000 // len(piece)))

    assert time.process_time() - began < 5
