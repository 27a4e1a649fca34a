"""One dead letter and its name."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from schemas.deadletters import DeadLetter


class Origin(NamedTuple):
    """Where the event lay that could not be taken."""

    topic: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}-{self.offset}"


def origin_of(letter_id: str) -> Origin | None:
    """`TOPIC-PARTITION-OFFSET` (slashes do too); None when it is no such id."""
    for mark in "-/":
        parts = letter_id.rsplit(mark, 2)
        if len(parts) == 3 and parts[0] and parts[1].isdecimal() and parts[2].isdecimal():
            return Origin(parts[0], int(parts[1]), int(parts[2]))
    return None


@dataclass(frozen=True, slots=True)
class Letter:
    """What a list shows; `whole` is the letter with its bytes, where the source has them at hand."""

    origin: Origin
    code: str
    reason: str
    at: datetime
    tenant_id: str
    """As the event's header said; never checked."""
    value_length: int
    redriven: int
    whole: DeadLetter | None = None
