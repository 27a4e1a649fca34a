"""A dead letter: what could not be taken, where it came from and why. Always JSON, whatever the road speaks."""

from datetime import datetime
from typing import Literal

from schemas.errors import ErrorCode
from schemas.word import word

KEPT_BYTES = 64 * 1024
"""How much of the original value a dead letter carries; the rest is told by length and digest."""


@word
class HeaderPair:
    name: str
    value_b64: str


@word
class DeadLetter:
    event: Literal["DeadLetter"] = "DeadLetter"
    origin_topic: str
    origin_partition: int
    origin_offset: int
    key_b64: str | None
    value_b64: str | None
    """The first 64 KiB of the value."""
    value_length: int
    value_sha256: str
    headers: tuple[HeaderPair, ...]
    code: ErrorCode
    reason: str
    at: datetime
    redriven: int = 0
    """How often this letter's event was put on the road again."""
