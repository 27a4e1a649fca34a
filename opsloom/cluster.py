"""What a client must know about the cluster: are the road's topics there, and how many partitions have they?"""

import asyncio
from collections.abc import Mapping, Sequence

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from opsloom.errors import NotReachable
from streams.topics import Topics

CONNECT_TIMEOUT_MS = 10_000
SETTLING_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Pauses between looks for topics that are missing."""


def needed(topics: Topics) -> tuple[str, ...]:
    """The topics a client reads and writes."""
    return topics.questions, topics.answers, topics.dead_letters


async def partition_counts(broker: str, names: Sequence[str]) -> Mapping[str, int]:
    """Partitions of each of these topics. Raises NotReachable.

    Topics that were created a moment ago may not be known everywhere yet: they are waited for a little.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=broker, request_timeout_ms=CONNECT_TIMEOUT_MS)
    try:
        await admin.start()
        for pause_s in (*SETTLING_S, None):
            counts = await _counts(admin, names)
            missing = [name for name, count in counts.items() if not count]
            if not missing:
                return counts
            if pause_s is not None:
                await asyncio.sleep(pause_s)
    except (KafkaError, OSError, ValueError) as exc:
        raise unreachable(broker) from exc
    finally:
        await admin.close()
    raise NotReachable(
        f"The broker at {broker} has no topic {missing[0]}.",
        "Create the topics with `opsloom topics create`, or name the prefix they have.",
    )


async def _counts(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """Partitions of each topic that have a leader; 0 for a topic that is not (yet) there."""
    existing = set(await admin.list_topics())
    there = [name for name in names if name in existing]
    described = await admin.describe_topics(there) if there else []
    led = {
        topic["topic"]: len(topic["partitions"])
        for topic in described
        if all(partition["leader"] >= 0 for partition in topic["partitions"])
    }
    return {name: led.get(name, 0) for name in names}


def unreachable(broker: str) -> NotReachable:
    """Nobody answers there."""
    return NotReachable(
        f"No Kafka broker answers at {broker}.",
        "Start one with `opsloom up`, or name yours with --broker HOST:PORT (OPSLOOM_BROKER).",
    )
