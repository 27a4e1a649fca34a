"""Create, list and check the road's topics on a cluster."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from streams.settings import Settings
from streams.topics import Topics, TopicSpec

SETTLING_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Pauses between looks for topics that were created a moment ago."""


class RoadError(Exception):
    """The road is not as it must be; `hint` says what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class TopicState:
    """How a topic stands against its declaration."""

    name: str
    partitions: int
    state: Literal["ok", "missing", "differs"]
    problem: str = ""


async def _connect(settings: Settings) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.broker, request_timeout_ms=10_000)
    try:
        await admin.start()
    except KafkaError as exc:
        await admin.close()
        raise RoadError(
            f"No Kafka broker answers at {settings.broker}.",
            "Start one with `opsloom up`, or name yours with --broker HOST:PORT.",
        ) from exc
    return admin


async def create_topics(settings: Settings) -> list[str]:
    """Create what is missing; gives the names created. Raises RoadError when an existing topic does not fit."""
    specs = Topics.of(settings).all()
    admin = await _connect(settings)
    try:
        existing = set(await admin.list_topics())
        created = []
        for spec in specs:
            if spec.name not in existing and await _create(admin, spec, settings.replication_factor):
                created.append(spec.name)
        states = await _settled(admin, specs)
    finally:
        await admin.close()
    wrong = [state for state in states if state.state == "differs"]
    if wrong:
        raise RoadError(
            f"{wrong[0].name}: {wrong[0].problem}.",
            "Set OPSLOOM_PARTITIONS to what the cluster has, or use another topic prefix.",
        )
    return created


async def _settled(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[TopicState]:
    """How the topics stand once the cluster knows what it has just created, or after some seconds."""
    for pause_s in SETTLING_S:
        states = await _states(admin, specs)
        if all(state.state != "missing" for state in states):
            return states
        await asyncio.sleep(pause_s)
    return await _states(admin, specs)


async def _create(admin: AIOKafkaAdminClient, spec: TopicSpec, replication: int) -> bool:
    """True when it was created here; false when another process was faster."""
    new = NewTopic(spec.name, spec.partitions, replication, topic_configs=spec.config)
    try:
        response = await admin.create_topics([new])
    except TopicAlreadyExistsError:
        return False
    for _name, code, *_rest in getattr(response, "topic_errors", ()):
        if code and for_code(code) is not TopicAlreadyExistsError:
            raise RoadError(
                f"The cluster would not create {spec.name} ({for_code(code).__name__}).",
                "Check the broker's log, its rights and OPSLOOM_REPLICATION_FACTOR.",
            )
        if code:
            return False
    return True


async def check_topics(settings: Settings) -> list[TopicState]:
    """Every topic of the road as it stands on the cluster."""
    admin = await _connect(settings)
    try:
        return await _states(admin, Topics.of(settings).all())
    finally:
        await admin.close()


async def _states(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[TopicState]:
    existing = set(await admin.list_topics())
    there = [spec.name for spec in specs if spec.name in existing]
    described = {topic["topic"]: topic for topic in await admin.describe_topics(there)} if there else {}
    cleanup = await _cleanup_policies(admin, there)
    states = []
    for spec in specs:
        topic = described.get(spec.name)
        if topic is None:
            states.append(TopicState(spec.name, 0, "missing", "it does not exist"))
            continue
        count = len(topic["partitions"])
        problem = ""
        if count != spec.partitions:
            problem = f"it has {count} partitions, {spec.partitions} are declared"
        elif (found := cleanup.get(spec.name)) and found != spec.cleanup:
            problem = f"its cleanup policy is {found}, {spec.cleanup} is declared"
        states.append(TopicState(spec.name, count, "differs" if problem else "ok", problem))
    return states


async def _cleanup_policies(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, str]:
    """Cleanup policy by topic; empty where the broker does not tell (the embedded one may not)."""
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    try:
        responses = await admin.describe_configs(resources)
    except KafkaError:
        return {}
    found = {}
    for response in responses:
        for _code, _message, _kind, name, entries in response.resources:
            for entry in entries:
                if entry[0] == "cleanup.policy" and entry[1]:
                    found[name] = entry[1]
    return found
