"""`Client`: ask, and await the answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self, Unpack

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from opsloom.cluster import partition_counts, unreachable
from opsloom.errors import NoAnswer, NotReachable
from opsloom.past import earlier_answer, every_answer
from opsloom.questions import Asking, compose, headers_of, judge
from opsloom.tail import Tail
from opsloom.waiting import Waiting
from schemas.answers import AnswerComposed
from schemas.ids import partition_of, trace_id
from schemas.questions import TOTAL_BUDGET_S, QuestionAsked
from streams.codecs import Codec
from streams.schema_ids import FileIds, RegistryIds
from streams.topics import Topics

GRACE_S = 5.0
"""Waited beyond the question's deadline: the answer comes by its deadline + 1 s, then it has to travel."""


@dataclass(frozen=True, slots=True)
class Published:
    """Where a question lies now, and the trace that will answer it."""

    question_id: str
    trace_id: str
    topic: str
    partition: int
    offset: int


class Client:
    """One connection for any number of questions at once; use it as `async with Client(…) as client`.

    Entering raises NotReachable when no broker answers or the road's topics are missing.
    """

    def __init__(
        self,
        broker: str = "127.0.0.1:9092",
        *,
        tenant_id: str = "local",
        topic_prefix: str = "",
        partitions: int | None = None,
        codec: Literal["json", "avro"] = "json",
        schema_registry_url: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`broker` is HOST:PORT, or several with commas. `partitions` None: the cluster is asked.

        `codec` is what questions are written in; answers are read in either.
        """
        self.broker = broker
        self.tenant_id = tenant_id
        self._topics = Topics(topic_prefix)
        self._partitions = partitions
        self._written = codec
        self._registry_url = schema_registry_url
        self._clock = clock

    async def __aenter__(self) -> Self:
        counts = await self._count()
        self._questions_n = counts[self._topics.questions]
        self._answers_n = counts[self._topics.answers]
        self._letters_n = counts[self._topics.dead_letters]
        ids = await RegistryIds.register(self._registry_url) if self._registry_url else FileIds.load()
        self._codec = Codec(ids, self._written)
        self._waiting = Waiting(self._topics, self._codec)
        followed = [
            TopicPartition(topic, n)
            for topic, count in (
                (self._topics.answers, self._answers_n),
                (self._topics.dead_letters, self._letters_n),
            )
            for n in range(count)
        ]
        self._tail = Tail(self.broker, followed, self._waiting.take)
        self._producer = AIOKafkaProducer(bootstrap_servers=self.broker, acks="all", linger_ms=0)
        try:
            await asyncio.gather(self._producer.start(), self._tail.start())
        except KafkaError as exc:
            await self._close()
            raise unreachable(self.broker) from exc
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def ask(
        self,
        question: str,
        *,
        timeout_s: float | None = None,
        look_back_s: float = 0.0,
        **asking: Unpack[Asking],
    ) -> AnswerComposed:
        """Publish a question and await its answer, whatever its status.

        `timeout_s` None: until 5 s after the question's deadline. With `look_back_s` an answer to the same
        `question_id` that came within the last seconds is taken, and nothing is published.
        Raises Refused, NoAnswer, NotReachable.
        """
        asked, raw = self._prepare(question, asking)
        trace = trace_id(asked.tenant_id, asked.question_id)
        home = partition_of(trace, self._questions_n)
        limit_s = timeout_s if timeout_s is not None else self._patience_s(asked)
        async with self._expecting(trace, home) as future:
            if look_back_s > 0 and (earlier := await self._earlier(trace, look_back_s)):
                return earlier
            sent = await self._send(asked, raw, trace)
            self._waiting.blame((sent.topic, sent.partition, sent.offset), future)
            return await _within(future, asked.question_id, trace, limit_s)

    async def publish(self, question: str, **asking: Unpack[Asking]) -> Published:
        """Publish a question and return when the broker has it. Raises Refused, NotReachable."""
        asked, raw = self._prepare(question, asking)
        return await self._send(asked, raw, trace_id(asked.tenant_id, asked.question_id))

    async def answer_to(
        self, question_id: str, *, timeout_s: float = 60.0, look_back_s: float = 3_600.0
    ) -> AnswerComposed:
        """Await the answer to a question asked before, here or elsewhere. Raises NoAnswer, NotReachable."""
        trace = trace_id(self.tenant_id, question_id)
        async with self._expecting(trace, None) as future:
            if look_back_s > 0 and (earlier := await self._earlier(trace, look_back_s)):
                return earlier
            return await _within(future, question_id, trace, timeout_s)

    async def answers(self, *, since_s: float = 0.0) -> AsyncGenerator[AnswerComposed, None]:
        """Every answer to this tenant from now on, and before that those of the last `since_s` seconds.

        Raises NotReachable.
        """
        since = self._clock() - since_s if since_s > 0 else None
        found = every_answer(self.broker, self._topics.answers, range(self._answers_n), self._codec, since)
        try:
            async with contextlib.aclosing(found):
                async for answer in found:
                    if answer.tenant_id == self.tenant_id:
                        yield answer
        except KafkaError as exc:
            raise unreachable(self.broker) from exc

    def _prepare(self, question: str, asking: Asking) -> tuple[QuestionAsked, bytes]:
        now = self._clock()
        raw = compose(question, self.tenant_id, now, asking)
        asked = judge(raw, self.tenant_id, now, self._codec)
        return asked, raw if self._written == "json" else self._codec.encode(asked)

    @contextlib.asynccontextmanager
    async def _expecting(
        self, trace: str, home: int | None
    ) -> AsyncIterator["asyncio.Future[AnswerComposed]"]:
        """Read where the answer will be, and where a dead letter of a question in partition `home` would be."""
        places = [TopicPartition(self._topics.answers, partition_of(trace, self._answers_n))]
        if home is not None:
            places.append(TopicPartition(self._topics.dead_letters, home % self._letters_n))
        try:
            async with self._tail.following(*places):
                with self._waiting.on(trace) as future:
                    yield future
        except KafkaError as exc:
            raise unreachable(self.broker) from exc

    async def _send(self, asked: QuestionAsked, raw: bytes, trace: str) -> Published:
        try:
            placed = await self._producer.send_and_wait(
                self._topics.questions,
                raw,
                key=asked.question_id.encode("utf-8", "surrogatepass"),
                partition=partition_of(trace, self._questions_n),
                headers=headers_of(asked.tenant_id),
            )
        except KafkaError as exc:
            raise NotReachable(
                f"The broker at {self.broker} did not take the question ({type(exc).__name__}).",
                "Is it up, and may you write there? The same question_id may be sent again without harm.",
            ) from exc
        return Published(asked.question_id, trace, placed.topic, placed.partition, placed.offset)

    async def _earlier(self, trace: str, look_back_s: float) -> AnswerComposed | None:
        place = TopicPartition(self._topics.answers, partition_of(trace, self._answers_n))
        return await earlier_answer(self.broker, place, self._codec, trace, self._clock() - look_back_s)

    async def _count(self) -> dict[str, int]:
        topics = self._topics
        if self._partitions is not None:
            return dict.fromkeys((topics.questions, topics.answers, topics.dead_letters), self._partitions)
        return dict(await partition_counts(self.broker, topics))

    def _patience_s(self, asked: QuestionAsked) -> float:
        """Seconds until the deadline, whichever way it was given, and a little more."""
        options, now = asked.options, self._clock()
        left_s = min(TOTAL_BUDGET_S, options.deadline_s or TOTAL_BUDGET_S)
        if options.deadline is not None:
            left_s = min(left_s, max(0.0, options.deadline.timestamp() - now))
        return left_s + GRACE_S

    async def _close(self) -> None:
        await asyncio.gather(self._tail.stop(), self._producer.stop(), return_exceptions=True)


async def _within(
    future: "asyncio.Future[AnswerComposed]", question_id: str, trace: str, limit_s: float
) -> AnswerComposed:
    try:
        return await asyncio.wait_for(future, limit_s)
    except TimeoutError:
        raise NoAnswer(question_id, trace, limit_s) from None
