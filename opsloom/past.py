"""Answers that are on the topic already."""

from collections.abc import AsyncGenerator, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from opsloom.waiting import ANSWERS
from schemas.answers import AnswerComposed
from streams.codecs import AGGREGATION_WORDS, Codec, DecodeError


def _consumer(broker: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=broker,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
    )


async def earlier_answer(
    broker: str, place: TopicPartition, codec: Codec, trace: str, since: float
) -> AnswerComposed | None:
    """The answer of a trace, if it was written to `place` after `since` (Unix seconds). Raises KafkaError."""
    consumer = _consumer(broker)
    consumer.assign([place])
    await consumer.start()
    try:
        await _seek(consumer, [place], since)
        end = (await consumer.end_offsets([place]))[place]
        while await consumer.position(place) < end:
            batches = await consumer.getmany(place, timeout_ms=1_000)
            for record in batches.get(place, ()):
                if record.key == trace.encode() and (answer := _read(codec, record.value)):
                    return answer
        return None
    finally:
        await consumer.stop()


async def every_answer(
    broker: str, topic: str, partitions: Iterable[int], codec: Codec, since: float | None
) -> AsyncGenerator[AnswerComposed, None]:
    """Answers as they come, from `since` (Unix seconds; None: from now) on. Raises KafkaError."""
    places = [TopicPartition(topic, n) for n in partitions]
    consumer = _consumer(broker)
    consumer.assign(places)
    await consumer.start()
    try:
        if since is None:
            await consumer.seek_to_end(*places)
        else:
            await _seek(consumer, places, since)
        async for record in consumer:
            if answer := _read(codec, record.value):
                yield answer
    finally:
        await consumer.stop()


async def _seek(consumer: AIOKafkaConsumer, places: Sequence[TopicPartition], since: float) -> None:
    """To the first record not older than `since`, or to the end where there is none."""
    found = await consumer.offsets_for_times({place: max(0, int(since * 1_000)) for place in places})
    ends = await consumer.end_offsets(list(places))
    for place in places:
        first = found.get(place)
        consumer.seek(place, ends[place] if first is None else first.offset)


def _read(codec: Codec, value: bytes | None) -> AnswerComposed | None:
    try:
        return codec.decode(value or b"", ANSWERS)
    except DecodeError:
        return None


async def planned_since(
    broker: str, place: TopicPartition, codec: Codec, trace: str, tenant_id: str, since: float
) -> bool:
    """Whether a plan of this tenant's trace was written to `place` after `since` (Unix seconds). Raises KafkaError."""
    consumer = _consumer(broker)
    consumer.assign([place])
    await consumer.start()
    try:
        await _seek(consumer, [place], since)
        end = (await consumer.end_offsets([place]))[place]
        while await consumer.position(place) < end:
            batches = await consumer.getmany(place, timeout_ms=1_000)
            for record in batches.get(place, ()):
                if record.key == trace.encode():
                    return _tenant_of(codec, record.value) == tenant_id
        return False
    finally:
        await consumer.stop()


def _tenant_of(codec: Codec, value: bytes | None) -> str | None:
    try:
        return codec.decode(value or b"", AGGREGATION_WORDS).tenant_id
    except DecodeError:
        return None
