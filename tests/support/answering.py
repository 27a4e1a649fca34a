"""A stand-in for the workers, where they are not the point: answers every question with its own words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.answers import AnswerComposed, BudgetSummary, Status
from schemas.errors import ErrorCode
from schemas.ids import answer_id, partition_of, trace_id
from schemas.plans import PlanKind
from schemas.questions import QuestionAsked
from streams.codecs import Codec
from streams.deadletters import dead_letter, encode_dead_letter
from streams.intake import read_question
from streams.schema_ids import FileIds
from streams.settings import Settings
from streams.topic_admin import create_topics
from streams.topics import Topics

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def answer_for(asked: QuestionAsked, status: Status = Status.SUCCESS) -> AnswerComposed:
    """An answer that repeats the question."""
    trace = trace_id(asked.tenant_id, asked.question_id)
    return AnswerComposed(
        answer_id=answer_id(trace),
        trace_id=trace,
        question_id=asked.question_id,
        tenant_id=asked.tenant_id,
        user_id=asked.user.id,
        question=asked.question,
        mode=asked.mode,
        status=status,
        plan_kind=PlanKind.DIRECT,
        text=f"You asked: {asked.question}",
        budget=BudgetSummary(total_ms=120_000, elapsed_ms=1, remaining_ms=119_999, exhausted=False),
        asked_at=MOMENT,
        answered_at=MOMENT,
    )


@contextlib.asynccontextmanager
async def answering(
    broker: str,
    prefix: str,
    *,
    clock: Callable[[], float],
    written: str = "json",
    status_of: Callable[[QuestionAsked], Status | ErrorCode | None] = lambda asked: Status.SUCCESS,
) -> AsyncIterator[list[QuestionAsked]]:
    """Create the topics and answer until the block ends; gives the questions seen so far.

    `status_of` says how: None leaves the question unanswered, an error code makes a dead letter of it.
    """
    settings = Settings(broker=broker, topic_prefix=prefix)
    await create_topics(settings)
    topics = Topics.of(settings)
    codec = Codec(FileIds.load(), "avro" if written == "avro" else "json")
    consumer = AIOKafkaConsumer(
        topics.questions, bootstrap_servers=broker, auto_offset_reset="earliest", fetch_max_wait_ms=20
    )
    producer = AIOKafkaProducer(bootstrap_servers=broker)
    seen: list[QuestionAsked] = []

    async def serve() -> None:
        async for record in consumer:
            asked = read_question(record.value, record.headers, clock(), codec)
            assert isinstance(asked, QuestionAsked), asked
            seen.append(asked)
            status = status_of(asked)
            if isinstance(status, ErrorCode):
                letter = encode_dead_letter(dead_letter(record, status, "said so", clock()))
                await producer.send_and_wait(topics.dead_letters, letter, partition=record.partition)
            elif status is not None:
                answer = answer_for(asked, status)
                await producer.send_and_wait(
                    topics.answers,
                    codec.encode(answer),
                    key=answer.trace_id.encode(),
                    partition=partition_of(answer.trace_id, topics.partitions),
                )

    await asyncio.gather(consumer.start(), producer.start())
    serving = asyncio.create_task(serve())
    try:
        yield seen
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        await asyncio.gather(consumer.stop(), producer.stop())
