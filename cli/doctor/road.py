"""Looks at the road: broker, topics, clocks, schemas."""

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from cli.doctor.finding import Finding
from schemas.questions import MAX_AHEAD_S
from streams.schema_ids import FileIds, drift
from streams.settings import Settings
from streams.topic_admin import RoadError, check_topics
from streams.topics import Topics

SKEW_S = 5.0
SILENT_S = 60.0


async def broker(settings: Settings) -> list[Finding]:
    """Reachable, topics as declared, workers heard of, clocks agreeing."""
    try:
        states = await check_topics(settings)
    except RoadError as exc:
        return [Finding("broker", "fail", exc.reason, exc.hint)]
    except (KafkaError, OSError, ValueError) as exc:
        hint = "Name a broker with --broker HOST:PORT."
        return [Finding("broker", "fail", f"{settings.broker}: {type(exc).__name__}", hint)]
    findings = [Finding("broker", "ok", f"{settings.broker} answers")]
    wrong = [state for state in states if state.state != "ok"]
    if wrong:
        what = f"{wrong[0].name}: {wrong[0].problem}" + (f", and {len(wrong) - 1} more" if wrong[1:] else "")
        return [
            *findings,
            Finding("topics", "fail", what, "See `opsloom topics check`; create: `opsloom topics create`."),
        ]
    return [*findings, Finding("topics", "ok", f"all {len(states)} are as declared")]


async def workers(settings: Settings, now: float) -> Finding:
    """When a worker was last heard of, by the stamp of its newest record; ahead of us, clocks differ."""
    try:
        newest = await _newest_stamp(settings)
    except KafkaError:
        return Finding("workers", "warn", "their records could not be read", "Look at the broker's log.")
    if newest is None:
        return Finding(
            "workers", "warn", "none was heard of yet", "Start one: `opsloom up`, or `opsloom worker`."
        )
    return by_age(now - newest)


def by_age(age_s: float) -> Finding:
    """What the age of the newest record says; a negative one was written by a clock ahead of this one."""
    if age_s < -SKEW_S:
        state = "fail" if age_s < -MAX_AHEAD_S else "warn"
        hint = "Set the clocks by NTP; deadlines are absolute times."
        return Finding(
            "clocks", "fail" if state == "fail" else "warn", f"a worker's clock is {-age_s:.0f} s ahead", hint
        )
    if age_s > SILENT_S:
        what = f"the last word from one is {age_s:.0f} s old"
        return Finding(
            "workers", "warn", what, "Start one: `opsloom up`, or `opsloom worker`; or compare the clocks."
        )
    return Finding(
        "workers", "ok", f"heard of {max(0.0, age_s):.0f} s ago; clocks agree within {SKEW_S:.0f} s"
    )


async def _newest_stamp(settings: Settings) -> float | None:
    """Unix seconds of the newest record of the telemetry that every worker writes."""
    topics = Topics.of(settings)
    places = [TopicPartition(topics.telemetry, n) for n in range(settings.partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.broker, enable_auto_commit=False)
    consumer.assign(places)
    try:
        await consumer.start()
        ends = await consumer.end_offsets(places)
        pending = {place: end for place, end in ends.items() if end > 0}
        for place, end in pending.items():
            consumer.seek(place, end - 1)
        stamps: list[float] = []
        for place in pending:
            records = (await consumer.getmany(place, timeout_ms=1_000)).get(place, [])
            stamps += [record.timestamp / 1_000 for record in records]
        return max(stamps, default=None)
    finally:
        await consumer.stop()


def schemas() -> Finding:
    """The committed Avro schemas are those of the events."""
    found = drift(FileIds.load())
    if found:
        return Finding(
            "schemas", "fail", "; ".join(found[:3]), "Write new versions: `opsloom schemas export`."
        )
    return Finding("schemas", "ok", "every schema is as its event says")
