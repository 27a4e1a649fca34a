"""As much of a Faust app as a lane touches, in memory: batches come in by hand, acknowledgements are given by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from streams.lane.outbox import Item


@dataclass(frozen=True)
class Record:
    """A fetched Kafka record."""

    offset: int
    value: bytes | None = b"{}"
    topic: str = "topic"
    partition: int = 0
    key: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass
class Sent:
    """What a lane put out, with the acknowledgement it waits for."""

    topic: str
    partition: int
    items: list[Item]
    ack: asyncio.Future[int]


@dataclass
class LaneApp:
    """Stands in for the app of one lane. `hold_acks`: the test acknowledges each send itself."""

    hold_acks: bool = False
    sent: list[Sent] = field(default_factory=list)
    crashes: list[BaseException] = field(default_factory=list)
    paused: set[Any] = field(default_factory=set)
    next_offset: dict[tuple[str, int], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.transport = SimpleNamespace(lanes={})
        self.producer = SimpleNamespace(put=self._put)
        self.consumer = SimpleNamespace(on_buffer_full=self.paused.add, on_buffer_drop=self.paused.discard)

    def channel(self, maxsize: int) -> Any:
        return SimpleNamespace(_subscribers=[SimpleNamespace(queue=asyncio.Queue())])

    def agent(self, channel: Any, name: str) -> Any:
        return lambda work: work

    async def crash(self, error: BaseException) -> None:
        self.crashes.append(error)

    def _put(self, topic: str, partition: int, items: Sequence[Item]) -> asyncio.Future[int]:
        ack: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        sent = Sent(topic, partition, list(items), ack)
        self.sent.append(sent)
        if not self.hold_acks:
            self.acknowledge(sent)
        return ack

    def acknowledge(self, sent: Sent) -> None:
        """Say that the broker has it."""
        place = (sent.topic, sent.partition)
        self.next_offset[place] = self.next_offset.get(place, 0) + len(sent.items)
        sent.ack.set_result(self.next_offset[place] - 1)


async def settle(rounds: int = 10) -> None:
    """Let everything that can run without a clock run."""
    for _ in range(rounds):
        await asyncio.sleep(0)
