"""The road as those who ask see it, for any tenant: send a question, wait for its answer, watch it being worked on."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from opsloom.cluster import needed, partition_counts, unreachable
from opsloom.errors import NoAnswer, NotReachable
from opsloom.past import earlier_answer, planned_since
from opsloom.questions import headers_of
from opsloom.tail import MAX_WAIT_MS, Tail
from opsloom.waiting import Waiting
from opsloom.watching import Watching
from schemas.answers import AnswerComposed
from schemas.events import Event
from schemas.ids import partition_of
from schemas.questions import QuestionAsked
from streams.codecs import Codec
from streams.schema_ids import FileIds, RegistryIds
from streams.topics import Topics

ALWAYS_WAIT_MS = 500
"""How long the broker may hold an empty fetch where the same partitions are always followed."""

BATCH_BYTES = 512 * 1024
"""Of one partition. With the client's own 16 KiB, questions asked at once wait for one another's batches, and all of
them wake for each that goes."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a question lies now, and the trace that will answer it."""

    question_id: str
    trace_id: str
    topic: str
    partition: int
    offset: int


class Connection:
    """One producer, one consumer for all who wait, and one for all who watch."""

    def __init__(
        self,
        broker: str,
        topics: Topics,
        *,
        partitions: int | None = None,
        written: Literal["json", "avro"] = "json",
        schema_registry_url: str | None = None,
        on_answer: Callable[[Any], None] | None = None,
    ) -> None:
        """`on_answer` is given the record of every answer there is, whoever asked: all are then read all the time."""
        self.broker = broker
        self.topics = topics
        self.written = written
        self._partitions = partitions
        self._registry_url = schema_registry_url
        self._on_answer = on_answer
        self._always = contextlib.AsyncExitStack()

    async def start(self) -> None:
        """Connect. Raises NotReachable."""
        names = needed(self.topics)
        counts = (
            await partition_counts(self.broker, names)
            if self._partitions is None
            else dict.fromkeys(names, self._partitions)
        )
        self.questions_n = counts[self.topics.questions]
        self.answers_n = counts[self.topics.answers]
        self._letters_n = counts[self.topics.dead_letters]
        ids = await RegistryIds.register(self._registry_url) if self._registry_url else FileIds.load()
        self.codec = Codec(ids, self.written)
        self.waiting = Waiting(self.topics, self.codec, self._on_answer)
        self.watching = Watching(self.broker, self.topics, self.codec)
        followed = [
            TopicPartition(topic, n)
            for topic, count in (
                (self.topics.answers, self.answers_n),
                (self.topics.dead_letters, self._letters_n),
            )
            for n in range(count)
        ]
        wait_ms = MAX_WAIT_MS if self._on_answer is None else ALWAYS_WAIT_MS
        self._tail = Tail(self.broker, followed, self.waiting.take, max_wait_ms=wait_ms)
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self.broker, acks="all", linger_ms=0, max_batch_size=BATCH_BYTES
        )
        try:
            await asyncio.gather(self._producer.start(), self._tail.start())
            if self._on_answer is not None:
                await self._always.enter_async_context(self._tail.following(*followed))
        except KafkaError as exc:
            await self.stop()
            raise unreachable(self.broker) from exc

    async def stop(self) -> None:
        """Disconnect; who still waits is the caller's to end."""
        await self._always.aclose()
        parts = (self._tail.stop(), self._producer.stop(), self.watching.stop())
        await asyncio.gather(*parts, return_exceptions=True)

    async def probe(self, timeout_s: float) -> None:
        """Return if the broker answers in time. Raises NotReachable."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._producer.client.fetch_all_metadata()
        except (KafkaError, TimeoutError) as exc:
            raise unreachable(self.broker) from exc

    @contextlib.asynccontextmanager
    async def expecting(
        self, trace: str, home: int | None
    ) -> AsyncIterator["asyncio.Future[AnswerComposed]"]:
        """Read where the answer will be, and where a dead letter of a question in partition `home` would be.

        Raises NotReachable.
        """
        if self._on_answer is not None:  # everything is read all the time
            with self.waiting.on(trace) as future:
                yield future
            return
        places = [self.place_of(trace)]
        if home is not None:
            places.append(TopicPartition(self.topics.dead_letters, home % self._letters_n))
        try:
            async with self._tail.following(*places):
                with self.waiting.on(trace) as future:
                    yield future
        except KafkaError as exc:
            raise unreachable(self.broker) from exc

    @contextlib.asynccontextmanager
    async def watched(self, trace: str) -> AsyncIterator["asyncio.Queue[Event]"]:
        """Events of a trace from now on: its plans, calls and results. Raises NotReachable."""
        try:
            async with self.watching.on(trace) as queue:
                yield queue
        except KafkaError as exc:
            raise unreachable(self.broker) from exc

    def place_of(self, trace: str) -> TopicPartition:
        """Where the trace's answer is, or will be."""
        return TopicPartition(self.topics.answers, partition_of(trace, self.answers_n))

    def home_of(self, trace: str) -> int:
        """The partition in which a question of this trace is published."""
        return partition_of(trace, self.questions_n)

    async def send(
        self,
        asked: QuestionAsked,
        raw: bytes,
        trace: str,
        waiter: "asyncio.Future[AnswerComposed] | None" = None,
    ) -> Published:
        """Publish a question; a dead letter about it ends the `waiter`. Raises NotReachable."""
        try:
            placed = await self._producer.send_and_wait(
                self.topics.questions,
                raw if self.written == "json" else self.codec.encode(asked),
                key=asked.question_id.encode("utf-8", "surrogatepass"),
                partition=self.home_of(trace),
                headers=headers_of(asked.tenant_id),
            )
        except KafkaError as exc:
            raise NotReachable(
                f"The broker at {self.broker} did not take the question ({type(exc).__name__}).",
                "Is it up, and may you write there? The same question_id may be sent again without harm.",
            ) from exc
        if waiter is not None:
            self.waiting.blame((placed.topic, placed.partition, placed.offset), waiter)
        return Published(asked.question_id, trace, placed.topic, placed.partition, placed.offset)

    async def send_and_wait(
        self,
        asked: QuestionAsked,
        raw: bytes,
        trace: str,
        waiter: "asyncio.Future[AnswerComposed]",
        limit_s: float,
    ) -> AnswerComposed:
        """Publish, and wait for the answer; both within the limit. Raises Refused, NoAnswer, NotReachable."""
        try:
            async with asyncio.timeout(limit_s):
                await self.send(asked, raw, trace, waiter)
                return await waiter
        except TimeoutError:
            raise NoAnswer(asked.question_id, trace, limit_s) from None

    async def earlier(self, trace: str, since: float) -> AnswerComposed | None:
        """The trace's answer if it came after `since` (Unix seconds) and lies on the topic. Raises KafkaError."""
        return await earlier_answer(self.broker, self.place_of(trace), self.codec, trace, since)

    async def planned(self, trace: str, tenant_id: str, since: float) -> bool:
        """Whether the tenant's question was planned after `since` (Unix seconds). Raises KafkaError."""
        place = TopicPartition(self.topics.aggregation, partition_of(trace, self.questions_n))
        return await planned_since(self.broker, place, self.codec, trace, tenant_id, since)


async def within(
    future: "asyncio.Future[AnswerComposed]", question_id: str, trace: str, limit_s: float
) -> AnswerComposed:
    """The answer. Raises NoAnswer after so many seconds, and what ended the waiting."""
    try:
        return await asyncio.wait_for(future, limit_s)
    except TimeoutError:
        raise NoAnswer(question_id, trace, limit_s) from None
