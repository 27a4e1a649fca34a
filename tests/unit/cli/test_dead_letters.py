"""`opsloom dead-letters` on the topic itself."""

from __future__ import annotations

import asyncio
import json
import time
from base64 import b64decode
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner, Result

from cli.letters.letter import Origin, origin_of
from cli.main import app
from schemas.errors import ErrorCode
from streams.deadletters import dead_letter, encode_dead_letter
from streams.settings import Settings
from streams.topic_admin import create_topics
from tests.support.brokers import BrokerUnderTest

TOO_LARGE = b"x" * 70_000


class Letters:
    """A road with three dead letters, and the command line beside it."""

    def __init__(self, broker: str, prefix: str) -> None:
        self.broker = broker
        self.questions = f"{prefix}ops.questions"
        self._at = ["--broker", broker, "--topic-prefix", prefix, "--source", "topic"]

    async def run(self, *arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, ["dead-letters", *arguments, *self._at])

    async def on_questions(self, partition: int) -> list[tuple[bytes | None, bytes, dict[str, bytes]]]:
        """Key, value and headers of what lies there now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.broker, auto_offset_reset="earliest")
        place = TopicPartition(self.questions, partition)
        consumer.assign([place])
        await consumer.start()
        try:
            end = (await consumer.end_offsets([place]))[place]
            found = []
            while await consumer.position(place) < end:
                for record in (await consumer.getmany(place, timeout_ms=1_000)).get(place, []):
                    found.append((record.key, record.value, dict(record.headers)))
            return found
        finally:
            await consumer.stop()


@pytest.fixture
async def letters(broker: BrokerUnderTest, topic_prefix: str) -> Letters:
    """Two letters of NOT_JSON in partitions 0 and 1, one of EVENT_TOO_LARGE that was cut."""
    settings = Settings(broker=broker.address, topic_prefix=topic_prefix)
    await create_topics(settings)
    found = Letters(broker.address, topic_prefix)
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    for partition, offset, value, code in (
        (0, 5, b"{broken", ErrorCode.NOT_JSON),
        (1, 6, b"\x00\xffalso broken", ErrorCode.NOT_JSON),
        (2, 7, TOO_LARGE, ErrorCode.EVENT_TOO_LARGE),
    ):
        record = SimpleNamespace(
            topic=found.questions, partition=partition, offset=offset, key=b"k", value=value,
            headers=(("tenant_id", b"acme"),),
        )  # fmt: skip
        letter = dead_letter(record, code, "said so", time.time() - 10 + partition)
        await producer.send_and_wait(
            f"{topic_prefix}ops.dead-letters", encode_dead_letter(letter), partition=partition
        )
    await producer.stop()
    return found


async def test_letters_are_listed_newest_first(letters: Letters) -> None:
    """One JSON line a letter, filtered by code and cut by limit."""
    everything = [json.loads(line) for line in (await letters.run("list", "--json")).stdout.splitlines()]
    one_code = (await letters.run("list", "--json", "--code", "NOT_JSON", "--limit", "1")).stdout
    drawn = await letters.run("list")

    assert [letter["code"] for letter in everything] == ["EVENT_TOO_LARGE", "NOT_JSON", "NOT_JSON"]
    assert everything[0]["letter_id"] == f"{letters.questions}-2-7"
    assert everything[0]["tenant_id"] == "acme"
    assert json.loads(one_code)["origin_partition"] == 1
    assert "NOT_JSON" in drawn.stdout


async def test_one_letter_is_shown_with_its_bytes(letters: Letters) -> None:
    """By its id; an unknown one is a sentence."""
    shown = json.loads((await letters.run("show", f"{letters.questions}-1-6", "--json")).stdout)
    drawn = await letters.run("show", f"{letters.questions}-1-6")
    unknown = await letters.run("show", f"{letters.questions}-3-99")

    assert b64decode(shown["value_b64"]) == b"\x00\xffalso broken"
    assert "also broken" in drawn.stdout
    assert "\x00" not in drawn.stdout
    assert unknown.exit_code == 1
    assert "There is no dead letter" in unknown.stderr


async def test_a_dry_run_puts_nothing_back(letters: Letters) -> None:
    """It only says what would be."""
    result = await letters.run("redrive", "--all", "--code", "NOT_JSON", "--dry-run")

    assert result.exit_code == 0
    assert result.stdout.count("would put back") == 2
    assert await letters.on_questions(0) == []


async def test_redriving_puts_the_same_bytes_back(letters: Letters) -> None:
    """Key, value, headers and partition, with a mark of how often."""
    result = await letters.run("redrive", "--all", "--code", "NOT_JSON", "--yes", "--json")

    outcomes = [json.loads(line) for line in result.stdout.splitlines()]
    assert {outcome["letter_id"] for outcome in outcomes} == {
        f"{letters.questions}-0-5",
        f"{letters.questions}-1-6",
    }
    expected = {"tenant_id": b"acme", "opsloom_redriven": b"1"}
    assert await letters.on_questions(0) == [(b"k", b"{broken", expected)]
    assert await letters.on_questions(1) == [(b"k", b"\x00\xffalso broken", expected)]


async def test_what_cannot_be_put_back_says_why(letters: Letters) -> None:
    """A cut letter, an unknown one, a topic of another road; what can be is put back all the same."""
    ids = [
        f"{letters.questions}-2-7",
        f"{letters.questions}-0-9",
        "elsewhere-0-1",
        f"{letters.questions}-0-5",
    ]
    result = await letters.run("redrive", *ids, "--yes")

    assert result.exit_code == 1
    assert "only the first 65,536 of 70,000 bytes were kept" in result.stderr
    assert f"There is no dead letter {letters.questions}-0-9" in result.stderr
    assert len(await letters.on_questions(0)) == 1


async def test_all_needs_a_yes_where_nobody_can_be_asked(letters: Letters) -> None:
    """A script has to say that it means it."""
    result = await letters.run("redrive", "--all", "--code", "NOT_JSON")
    assert result.exit_code == 2
    assert await letters.on_questions(0) == []


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("ops.questions-2-17", Origin("ops.questions", 2, 17)),
        ("ops.tool-calls.sql-0-5", Origin("ops.tool-calls.sql", 0, 5)),
        ("my-prefix.ops.questions/3/4", Origin("my-prefix.ops.questions", 3, 4)),
        ("ops.questions-2", None),
        ("ops.questions--2-17", Origin("ops.questions-", 2, 17)),
        ("-1-2", None),
        ("", None),
        ("a-b-c", None),
    ],
)
def test_a_letters_id_is_where_its_event_lay(text: str, origin: Origin | None) -> None:
    """Topics may hold hyphens; the last two numbers count."""
    assert origin_of(text) == origin
