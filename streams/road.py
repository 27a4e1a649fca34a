"""What every role needs to be on the road: topics, codec, clock, counters and how to send."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from schemas.deadletters import KEPT_BYTES
from schemas.errors import ErrorCode
from schemas.events import Event
from schemas.ids import partition_of
from schemas.questions import TENANT_HEADER
from streams import counters
from streams.codecs import Codec
from streams.counters import Counters
from streams.deadletters import dead_letter, encode_dead_letter
from streams.lane.outbox import Item
from streams.topics import Topics


@dataclass(frozen=True, slots=True)
class Road:
    """Handed to each role's lanes."""

    topics: Topics
    codec: Codec
    counters: Counters
    clock: Callable[[], float]

    def partition(self, key: str) -> int:
        """Where all that has this key meets."""
        return partition_of(key, self.topics.partitions)

    def item(self, key: str, event: Event, *, tenant_id: str | None = None) -> Item:
        """An event as a record: keyed, and with the tenant's header where users read it."""
        headers = [] if tenant_id is None else [(TENANT_HEADER, tenant_id.encode())]
        return key.encode(), self.codec.encode(event), headers

    def send_dead_letter(self, app: Any, record: Any, code: ErrorCode, reason: str) -> "asyncio.Future[int]":
        """Write a dead letter; its acknowledgement must be awaited before the record's offset is committed."""
        self.counters.add(counters.DEAD_LETTERS, reason=code.value)
        letter = dead_letter(record, code, reason, self.clock())
        partition = record.partition % self.topics.partitions
        key = record.key if record.key is None or len(record.key) <= KEPT_BYTES else None
        sent: asyncio.Future[int] = app.producer.put(
            self.topics.dead_letters, partition, [(key, encode_dead_letter(letter), [])]
        )
        return sent
