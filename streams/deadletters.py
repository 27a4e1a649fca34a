"""Make a dead letter of a record: its bytes, where they came from, a code and why."""

import hashlib
from base64 import b64decode, b64encode
from typing import Any

import msgspec

from schemas.deadletters import KEPT_BYTES, DeadLetter, HeaderPair
from schemas.errors import ErrorCode
from streams.codecs import moment
from streams.redaction import masked, masked_bytes

REDRIVEN_HEADER = "opsloom_redriven"
"""How often the event was put on the road again; carried along so that a letter that returns says so."""

CUT_HEADER = "opsloom_cut"
"""Stands among a letter's headers when key or headers were too large to keep, or credentials were masked, and says in
words what is missing."""

encode_dead_letter = msgspec.json.Encoder().encode
decode_dead_letter = msgspec.json.Decoder(DeadLetter).decode


def dead_letter(record: Any, code: ErrorCode, reason: str, now: float) -> DeadLetter:
    """A letter about a Kafka record (topic, partition, offset, key, value, headers), without the credentials that may
    stand in it."""
    value, key = record.value or b"", record.key
    headers = tuple(record.headers or ())
    redriven = next((count or b"" for name, count in headers if name == REDRIVEN_HEADER), b"0")
    kept = _within(headers, KEPT_BYTES)
    cut = []
    if key is not None and len(key) > KEPT_BYTES:
        cut.append(f"the key after {KEPT_BYTES} of {len(key)} bytes")
        key = key[:KEPT_BYTES]
    if len(kept) < len(headers):
        cut.append(f"{len(headers) - len(kept)} of {len(headers)} headers")
    clean = masked_bytes(value[:KEPT_BYTES])
    if clean != value[:KEPT_BYTES]:
        cut.append("credentials in its value")
    kept = tuple((name, None if text is None else masked_bytes(text)) for name, text in kept)
    if cut:
        kept = (*kept, (CUT_HEADER, " and ".join(cut).encode()))
    return DeadLetter(
        origin_topic=record.topic,
        origin_partition=record.partition,
        origin_offset=record.offset,
        key_b64=None if key is None else b64encode(key).decode(),
        value_b64=None if record.value is None else b64encode(clean).decode(),
        value_length=len(value),
        value_sha256=hashlib.sha256(value).hexdigest(),
        headers=tuple(
            HeaderPair(name=name, value_b64=b64encode(text or b"").decode()) for name, text in kept
        ),
        code=code,
        reason=masked(reason),
        at=moment(now),
        redriven=int(redriven) if redriven.isdigit() else 0,
    )


def _within(headers: tuple[tuple[str, bytes | None], ...], most: int) -> tuple[tuple[str, bytes | None], ...]:
    """The first headers that together weigh no more than `most` bytes."""
    weight = 0
    for number, (name, text) in enumerate(headers):
        weight += len(name.encode("utf-8", "surrogatepass")) + len(text or b"")
        if weight > most:
            return headers[:number]
    return headers


def original(letter: DeadLetter) -> tuple[bytes | None, bytes, list[tuple[str, bytes]]]:
    """Key, value and headers to put on the road again. Raises ValueError when the letter holds only a part of it."""
    value = b64decode(letter.value_b64 or "")
    for pair in letter.headers:
        if pair.name == CUT_HEADER:
            raise ValueError(
                f"{b64decode(pair.value_b64).decode()} were not kept; publish it again at its source"
            )
    if len(value) != letter.value_length:
        raise ValueError(
            f"only the first {KEPT_BYTES:,} of {letter.value_length:,} bytes were kept; publish it again at its source"
        )
    headers = [
        (pair.name, b64decode(pair.value_b64)) for pair in letter.headers if pair.name != REDRIVEN_HEADER
    ]
    headers.append((REDRIVEN_HEADER, str(letter.redriven + 1).encode()))
    return None if letter.key_b64 is None else b64decode(letter.key_b64), value, headers
