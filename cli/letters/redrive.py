"""Put the events of dead letters back where they came from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from cli.letters.letter import Letter, Origin
from opsloom.cluster import unreachable
from streams.deadletters import original
from streams.settings import Settings
from streams.topics import Topics


@dataclass(frozen=True, slots=True)
class Redriven:
    """What became of one letter: where its event lies now, or why it stays a letter."""

    letter_id: str
    redriven_to: str | None
    problem: str = ""


def problem_of(letter: Letter | None, origin: Origin, topics: Topics) -> str:
    """Why this letter can't be redriven, in a sentence; empty when it can."""
    if letter is None or letter.whole is None:
        return f"There is no dead letter {origin}."
    if origin.topic not in {spec.name for spec in topics.all()}:
        return f"{origin.topic} is no topic of this road; name the prefix it has."
    try:
        original(letter.whole)
    except ValueError as exc:
        return f"It can't be put back: {exc}."
    return ""


async def redrive(settings: Settings, letters: Sequence[Letter]) -> list[Redriven]:
    """Write the original bytes, key and headers to the origin topic and partition. Raises NotReachable."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.broker, acks="all")
    try:
        await producer.start()
        return [await _send(producer, letter) for letter in letters]
    except KafkaError as exc:
        raise unreachable(settings.broker) from exc
    finally:
        await producer.stop()


async def _send(producer: Any, letter: Letter) -> Redriven:
    assert letter.whole is not None
    key, value, headers = original(letter.whole)
    placed = await producer.send_and_wait(
        letter.origin.topic, value, key=key, partition=letter.origin.partition, headers=headers
    )
    return Redriven(str(letter.origin), str(Origin(placed.topic, placed.partition, placed.offset)))
