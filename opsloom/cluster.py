"""What a client must know about the cluster: are the road's topics there, and how many partitions have they?"""

from collections.abc import Mapping

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from opsloom.errors import NotReachable
from streams.topics import Topics

CONNECT_TIMEOUT_MS = 10_000


def needed(topics: Topics) -> tuple[str, ...]:
    """The topics a client reads and writes."""
    return topics.questions, topics.answers, topics.dead_letters


async def partition_counts(broker: str, topics: Topics) -> Mapping[str, int]:
    """Partitions of each topic a client needs. Raises NotReachable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker, request_timeout_ms=CONNECT_TIMEOUT_MS)
    try:
        await admin.start()
        existing = set(await admin.list_topics())
        missing = [name for name in needed(topics) if name not in existing]
        if missing:
            raise NotReachable(
                f"The broker at {broker} has no topic {missing[0]}.",
                "Create the topics with `opsloom topics create`, or name the prefix they have.",
            )
        described = await admin.describe_topics(list(needed(topics)))
    except (KafkaError, OSError, ValueError) as exc:
        raise unreachable(broker) from exc
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def unreachable(broker: str) -> NotReachable:
    """Nobody answers there."""
    return NotReachable(
        f"No Kafka broker answers at {broker}.",
        "Start one with `opsloom up`, or name yours with --broker HOST:PORT (OPSLOOM_BROKER).",
    )
