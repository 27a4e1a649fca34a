"""Feeds questions and measures answers, from outside, with a client that costs little itself (librdkafka)."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from schemas.ids import trace_id

TENANT = "bench"
PARTITIONS = 4
PADDING = "how much of everything is there, and why "
SILENCE_S = 30.0
"""An answer that has not come after this never comes."""


@dataclass(frozen=True)
class Question:
    """One question as it is sent; `key` is what its answer is keyed by."""

    key: bytes
    value: bytes


def ops_question(steps: Sequence[dict[str, object]], deadline_s: float | None = None) -> Question:
    """A question to opsloom that brings its plan along."""
    question_id = uuid.uuid4().hex
    event: dict[str, object] = {
        "schema_version": 1,
        "question_id": question_id,
        "tenant_id": TENANT,
        "user": {"id": "bench", "roles": ["viewer"]},
        "question": PADDING * 5,
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "plan": {"steps": list(steps)},
    }
    if deadline_s is not None:
        event["options"] = {"deadline_s": deadline_s}
    return Question(trace_id(TENANT, question_id).encode(), orjson.dumps(event))


def rival_question() -> Question:
    """The same question for the pipeline by hand."""
    question_id = uuid.uuid4().hex
    event = {"question_id": question_id, "user": "bench", "question": PADDING * 5, "locale": "en"}
    return Question(question_id.encode(), orjson.dumps(event))


class Driver:
    """Publishes to one topic and reads another, all partitions, from their ends."""

    def __init__(self, broker: str, questions: str, answers: str) -> None:
        self._questions = questions
        self._producer = Producer(
            {
                "bootstrap.servers": broker,
                "linger.ms": 2,
                "acks": "all",
                "queue.buffering.max.messages": 1_000_000,
            }
        )
        self._consumer = Consumer(
            {"bootstrap.servers": broker, "group.id": uuid.uuid4().hex, "fetch.wait.max.ms": 20,
             "enable.auto.commit": False}
        )  # fmt: skip
        ends = [TopicPartition(answers, number) for number in range(PARTITIONS)]
        for place in ends:
            place.offset = self._end_of(place)
        self._consumer.assign(ends)

    def _end_of(self, place: TopicPartition) -> int:
        """A topic made a moment ago may not have its leader yet."""
        give_up_at = time.monotonic() + 10
        while True:
            try:
                return int(self._consumer.get_watermark_offsets(place, timeout=10)[1])
            except KafkaException:
                if time.monotonic() > give_up_at:
                    raise
                time.sleep(0.1)

    def send(self, questions: Sequence[Question]) -> None:
        """Publish, spread over the partitions."""
        for number, question in enumerate(questions):
            self._producer.produce(
                self._questions,
                question.value,
                key=question.key,
                partition=number % PARTITIONS,
                headers=[("tenant_id", TENANT.encode())],
            )
        self._producer.poll(0)

    def answers(self, wanted: set[bytes]) -> dict[bytes, float]:
        """When each answer came (monotonic seconds); stops early after `SILENCE_S` without any."""
        came: dict[bytes, float] = {}
        heard_at = time.monotonic()
        while len(came) < len(wanted) and time.monotonic() - heard_at < SILENCE_S:
            for message in self._consumer.consume(2_000, 0.005):
                key = message.key()
                if message.error() is None and key is not None and key in wanted:
                    heard_at = time.monotonic()
                    came.setdefault(key, heard_at)
        return came

    def rate(self, questions: Sequence[Question]) -> float:
        """Answers per second for questions published at once. Raises RuntimeError when one is missing."""
        wanted = {question.key for question in questions}
        began = time.monotonic()
        self.send(questions)
        came = self.answers(wanted)
        if len(came) < len(wanted):
            raise RuntimeError(f"{len(wanted) - len(came)} of {len(wanted)} answers did not come")
        return len(came) / (max(came.values()) - began)

    def latencies_s(self, questions: Sequence[Question]) -> list[float]:
        """Seconds from publishing to the answer, for questions published at once."""
        began = time.monotonic()
        self.send(questions)
        came = self.answers({question.key for question in questions})
        return sorted(at - began for at in came.values())

    def until_answered(self, make: "Sequence[Question]") -> float:
        """Publish these and wait for the first answer of any of them; seconds."""
        began = time.monotonic()
        self.send(make)
        wanted = {question.key for question in make}
        while time.monotonic() - began < SILENCE_S:
            for message in self._consumer.consume(100, 0.005):
                if message.error() is None and message.key() in wanted:
                    return time.monotonic() - began
        raise RuntimeError("no answer came")

    def close(self) -> None:
        self._consumer.close()


def create_rival_topics(broker: str, prefix: str) -> None:
    """The four topics of the pipeline by hand."""
    names = [f"{prefix}{name}" for name in ("questions", "calls", "results", "answers")]
    admin = AdminClient({"bootstrap.servers": broker})  # must outlive its futures
    for created in admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names]).values():
        created.result(10)
