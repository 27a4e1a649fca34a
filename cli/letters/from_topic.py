"""Dead letters out of the topic itself, when there is no ClickHouse."""

from base64 import b64decode
from collections.abc import Sequence

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from cli.letters.letter import Letter, Origin
from opsloom.cluster import partition_counts, unreachable
from schemas.deadletters import DeadLetter
from schemas.questions import TENANT_HEADER
from streams.deadletters import decode_dead_letter
from streams.settings import Settings
from streams.topics import Topics


async def read_letters(settings: Settings, since: float) -> list[Letter]:
    """Every letter written after `since` (Unix seconds), the newest first, with its bytes. Raises NotReachable."""
    topics = Topics.of(settings)
    count = (await partition_counts(settings.broker, (topics.dead_letters,)))[topics.dead_letters]
    partitions = [TopicPartition(topics.dead_letters, n) for n in range(count)]
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    consumer.assign(partitions)
    try:
        await consumer.start()
        letters = await _read_all(consumer, partitions, since)
    except KafkaError as exc:
        raise unreachable(settings.broker) from exc
    finally:
        await consumer.stop()
    found = {letter.origin: letter for letter in sorted(letters, key=lambda letter: letter.at)}
    return sorted(found.values(), key=lambda letter: (letter.at, letter.origin), reverse=True)


async def _read_all(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition], since: float
) -> list[Letter]:
    ends = await consumer.end_offsets(list(partitions))
    starts = await consumer.offsets_for_times({each: max(0, int(since * 1_000)) for each in partitions})
    for each in partitions:
        first = starts.get(each)
        consumer.seek(each, ends[each] if first is None else first.offset)
    letters: list[Letter] = []
    pending = [each for each in partitions if await consumer.position(each) < ends[each]]
    while pending:
        for records in (await consumer.getmany(*pending, timeout_ms=1_000)).values():
            letters += [letter for record in records if (letter := _letter(record.value))]
        pending = [each for each in pending if await consumer.position(each) < ends[each]]
    return letters


def _letter(value: bytes | None) -> Letter | None:
    """None for what is no dead letter; a topic may hold anything."""
    try:
        whole = decode_dead_letter(value or b"")
    except msgspec.DecodeError:
        return None
    return Letter(
        origin=Origin(whole.origin_topic, whole.origin_partition, whole.origin_offset),
        code=whole.code.value,
        reason=whole.reason,
        at=whole.at,
        tenant_id=_tenant(whole),
        value_length=whole.value_length,
        redriven=whole.redriven,
        whole=whole,
    )


def _tenant(letter: DeadLetter) -> str:
    said = next((pair.value_b64 for pair in letter.headers if pair.name == TENANT_HEADER), "")
    return b64decode(said).decode("utf-8", "replace")
