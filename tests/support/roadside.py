"""A producer and consumer of the road in plain aiokafka: what any Kafka client could do, and nothing more."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord, RecordMetadata

from schemas.ids import partition_of, trace_id
from tests.support.avro_frames import read_frame, write_frame

PATIENCE_S = 60.0
PARTITIONS = 4
FOLLOWED = ("ops.answers", "ops.dead-letters", "ops.telemetry")


def question_event(question_id: str, tenant_id: str = "acme", **fields: Any) -> dict[str, Any]:
    """A question that fits the words, with `fields` in place of the defaults; `plan` may be a list of steps."""
    event: dict[str, Any] = {
        "schema_version": 1,
        "question_id": question_id,
        "tenant_id": tenant_id,
        "user": {"id": "u-1", "roles": ["viewer"]},
        "question": "what does the probe say?",
        "created_at": datetime.now(UTC).isoformat(),
        **fields,
    }
    if isinstance(event.get("plan"), Sequence):
        event["plan"] = {"steps": list(event["plan"])}
    return event


def step(step_id: str, tool_id: str = "probe", *, after: Iterable[str] = (), **params: Any) -> dict[str, Any]:
    """A step of a producer's plan."""
    return {"step_id": step_id, "tool_id": tool_id, "params": params, "depends_on": list(after)}


def avro_question(event: Mapping[str, Any]) -> bytes:
    """A question in Confluent's frame."""
    return write_frame("QuestionAsked", event)


def decoded(value: bytes) -> dict[str, Any]:
    """An event in JSON, or in Avro by the id in its frame."""
    return read_frame(value) if value[:1] == b"\x00" else json.loads(value)


class Roadside:
    """Asks, and collects what comes out from the moment it is entered."""

    def __init__(self, broker: str, topic_prefix: str, *, also: Iterable[str] = ()) -> None:
        """`also`: topics to read besides answers, dead letters and telemetry."""
        self._broker = broker
        self.prefix = topic_prefix
        self._followed = (*FOLLOWED, *also)
        self.records: dict[str, list[ConsumerRecord]] = defaultdict(list)
        """What was read, by topic without its prefix."""
        self._answers: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._broker, acks="all", max_request_size=8 * 1024 * 1024
        )
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=self._broker, enable_auto_commit=False, fetch_max_wait_ms=50
        )
        await asyncio.gather(self._producer.start(), self._consumer.start())
        places = [
            TopicPartition(self.prefix + topic, n) for topic in self._followed for n in range(PARTITIONS)
        ]
        self._consumer.assign(places)
        await self._consumer.seek_to_end(*places)
        for place in places:
            await self._consumer.position(place)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.gather(self._producer.stop(), self._consumer.stop(), return_exceptions=True)

    async def _read(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=100)
            if not fetched:
                continue
            async with self._news:
                for place, records in fetched.items():
                    topic = place.topic.removeprefix(self.prefix)
                    self.records[topic] += records
                    if topic == "ops.answers":
                        for record in records:
                            answer = decoded(record.value)
                            self._answers[answer["tenant_id"], answer["question_id"]].append(answer)
                self._news.notify_all()

    async def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        tenant: str | None = "acme",
        key: bytes | None = None,
        partition: int | None = None,
        headers: Iterable[tuple[str, bytes]] = (),
    ) -> RecordMetadata:
        """Publish bytes to a topic named without its prefix; `tenant` becomes the header, None leaves it out."""
        both = [*headers, *([("tenant_id", tenant.encode())] if tenant is not None else [])]
        return await self._producer.send_and_wait(
            self.prefix + topic, value, key=key, partition=partition, headers=both
        )

    async def ask(
        self,
        question_id: str | None = None,
        tenant: str = "acme",
        *,
        avro: bool = False,
        partition: int | None = None,
        **fields: Any,
    ) -> str:
        """Publish a question; its id."""
        question_id = question_id or f"q-{uuid.uuid4().hex[:12]}"
        event = question_event(question_id, tenant, **fields)
        value = avro_question(event) if avro else json.dumps(event).encode()
        await self.send("ops.questions", value, tenant=tenant, partition=partition)
        return question_id

    async def ask_many(self, count: int, tag: str, **fields: Any) -> list[str]:
        """Publish questions side by side; their ids."""
        return list(await asyncio.gather(*(self.ask(f"{tag}-{n}", **fields) for n in range(count))))

    async def until(self, holds: Callable[[], bool], what: str, within_s: float = PATIENCE_S) -> None:
        """Wait until something holds of what was read."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(holds)
        except TimeoutError:
            raise AssertionError(f"not within {within_s} s: {what}") from None

    async def answer(
        self, question_id: str, tenant: str = "acme", within_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """The first answer to a question."""
        await self.until(
            lambda: bool(self._answers[tenant, question_id]), f"answer to {question_id}", within_s
        )
        return self._answers[tenant, question_id][0]

    async def answers(
        self, question_ids: Iterable[str], tenant: str = "acme", within_s: float = PATIENCE_S
    ) -> list[dict[str, Any]]:
        """The first answer to each question."""
        wanted = list(question_ids)

        def missing() -> list[str]:
            return [each for each in wanted if not self._answers[tenant, each]]

        try:
            await self.until(lambda: not missing(), "all answers", within_s)
        except AssertionError:
            raise AssertionError(f"{len(missing())} of {len(wanted)} unanswered: {missing()[:5]}") from None
        return [self._answers[tenant, each][0] for each in wanted]

    def count(self, question_id: str, tenant: str = "acme") -> int:
        """How many answers to a question were read so far."""
        return len(self._answers[tenant, question_id])

    def answered(self) -> int:
        """How many questions were answered so far."""
        return sum(1 for found in self._answers.values() if found)

    def events(self, topic: str, name: str) -> list[dict[str, Any]]:
        """What was read of one kind of event."""
        found = [decoded(record.value) for record in self.records[topic] if record.value]
        return [event for event in found if event["event"] == name]

    def second_answers(self) -> int:
        """Answers beyond the first of each question."""
        return sum(len(found) - 1 for found in self._answers.values() if found)

    async def all_quiet(self) -> None:
        """Wait until all that was published before has run through: one question through each pair of
        questions partition and join partition, behind everything else."""
        tag = uuid.uuid4().hex[:8]
        asked = []
        for source in range(PARTITIONS):
            for target in range(PARTITIONS):
                question_id = id_in_partition(f"quiet-{tag}-{source}", target)
                asked.append(self.ask(question_id, partition=source, plan=[step("s", value=1)]))
        await self.answers(await asyncio.gather(*asked))

    def dead_letters(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in self.records["ops.dead-letters"]]

    async def dead_letter(self, placed: RecordMetadata, within_s: float = PATIENCE_S) -> dict[str, Any]:
        """The dead letter about one record."""
        where = (placed.topic, placed.partition, placed.offset)

        def found() -> dict[str, Any] | None:
            for letter in self.dead_letters():
                if (letter["origin_topic"], letter["origin_partition"], letter["origin_offset"]) == where:
                    return letter
            return None

        await self.until(lambda: found() is not None, f"dead letter about {where}", within_s)
        letter = found()
        assert letter is not None
        return letter

    @staticmethod
    def home(question_id: str, tenant: str = "acme") -> int:
        """The partition in which a question's trace is joined."""
        return partition_of(trace_id(tenant, question_id), PARTITIONS)

    def counted(self, name: str) -> float:
        """Sum of a worker's metric point over what was read so far."""
        points = [decoded(record.value) for record in self.records["ops.telemetry"]]
        return float(sum(point["value"] for point in points if point["name"] == name))


def id_in_partition(tag: str, partition: int, tenant: str = "acme") -> str:
    """A question id whose trace is joined in this partition."""
    return next(
        name
        for name in (f"{tag}-{n}" for n in range(10_000))
        if partition_of(trace_id(tenant, name), PARTITIONS) == partition
    )


def now_s() -> float:
    """Unix seconds: what deadlines in events are compared with."""
    return time.time()
