"""`opsloom topics` and `opsloom doctor` against a broker."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from typer.testing import CliRunner, Result

from cli.doctor import machine
from cli.doctor.road import by_age, workers
from cli.main import app
from sinks.embedded_clickhouse import EmbeddedClickHouse
from streams.settings import Settings
from streams.topic_admin import create_topics
from streams.topics import Topics
from tests.support.brokers import BrokerUnderTest


@pytest.fixture
def at(broker: BrokerUnderTest, topic_prefix: str, tmp_path: Path) -> list[str]:
    """Options that lead to a road of the test's own."""
    return ["--broker", broker.address, "--topic-prefix", topic_prefix, "--data", str(tmp_path)]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def document(result: Result) -> Any:
    return json.loads(result.stdout)


def test_missing_topics_are_found_created_and_then_as_declared(at: list[str]) -> None:
    """check, create, check, and create again does nothing."""
    before = run("topics", "check", *at)
    created = document(run("topics", "create", *at, "--json"))["created"]
    after = run("topics", "check", *at)
    again = document(run("topics", "create", *at, "--json"))["created"]

    assert before.exit_code == 1
    assert "does not exist" in before.stdout
    assert len(created) == len(Topics().all())
    assert after.exit_code == 0
    assert again == []


def test_a_topic_that_differs_is_named(at: list[str]) -> None:
    """Other partitions than declared are told, with both numbers."""
    run("topics", "create", *at)
    result = run("topics", "check", *at, "--partitions", "3", "--json")
    assert result.exit_code == 1
    questions = next(row for row in document(result)["topics"] if row["name"].endswith("ops.questions"))
    assert (questions["partitions"], questions["partitions_found"], questions["state"]) == (3, 4, "differs")


def test_the_list_says_what_a_topic_carries(at: list[str]) -> None:
    """Drawn for people, and as JSON."""
    run("topics", "create", *at)
    assert "AnswerComposed" in run("topics", "list", *at).stdout
    rows = document(run("topics", "list", *at, "--json"))
    assert {row["state"] for row in rows} == {"ok"}


def test_doctor_fails_for_what_is_needed_and_warns_of_the_rest(at: list[str]) -> None:
    """Missing topics fail; with them, no ClickHouse and no worker are warnings."""
    before = run("doctor", *at, "--json")
    run("topics", "create", *at)
    after = run("doctor", *at, "--json")

    assert before.exit_code == 1
    found = {finding["name"]: finding for finding in document(before)["findings"]}
    assert (found["broker"]["state"], found["topics"]["state"]) == ("ok", "fail")
    assert "opsloom topics create" in found["topics"]["hint"]
    assert after.exit_code == 0, after.stdout
    found = {finding["name"]: finding for finding in document(after)["findings"]}
    assert (found["workers"]["state"], found["clickhouse"]["state"]) == ("warn", "warn")


def test_doctor_names_an_address_where_nobody_answers(tmp_path: Path) -> None:
    """Broker and ClickHouse both; every failure has a hint."""
    nowhere = ["--broker", "127.0.0.1:1", "--clickhouse", "http://127.0.0.1:1", "--data", str(tmp_path)]
    result = run("doctor", *nowhere, "--json")
    failed = {each["name"]: each for each in document(result)["findings"] if each["state"] == "fail"}
    assert set(failed) == {"broker", "clickhouse"}
    assert all(each["hint"] for each in failed.values())
    assert run("doctor", *nowhere).exit_code == 1


@pytest.mark.parametrize(
    ("age_s", "state", "said"),
    [(1, "ok", "heard of"), (600, "warn", "old"), (-60, "warn", "ahead"), (-7200, "fail", "ahead")],
)
def test_silence_and_clocks_ahead_are_told(age_s: float, state: str, said: str) -> None:
    """A clock over an hour ahead writes questions that are refused."""
    finding = by_age(age_s)
    assert finding.state == state
    assert said in finding.what


async def test_workers_are_known_by_their_newest_record(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """The newest over all partitions counts."""
    settings = Settings(broker=broker.address, topic_prefix=topic_prefix)
    await create_topics(settings)
    now = time.time()
    producer = AIOKafkaProducer(bootstrap_servers=broker.address)
    await producer.start()
    for partition, age_s in ((0, 900), (1, 600), (3, 700)):
        stamp = int((now - age_s) * 1000)
        await producer.send_and_wait(
            f"{topic_prefix}ops.telemetry", b"{}", partition=partition, timestamp_ms=stamp
        )
    await producer.stop()

    assert "600 s old" in (await workers(settings, now)).what


def test_a_folder_that_cannot_be_made_fails(tmp_path: Path) -> None:
    """A file stands in the way."""
    (tmp_path / "file").write_text("")
    findings = machine.data_folder(tmp_path / "file" / "data")
    assert [finding.state for finding in findings] == ["fail"]
    assert [finding.state for finding in machine.data_folder(tmp_path / "new" / "data")] == ["ok", "ok"]


def test_clickhouse_and_migrations_are_looked_at(at: list[str], tmp_path: Path) -> None:
    """A fresh ClickHouse lacks every table; after `migrate` none."""
    run("topics", "create", *at)
    with EmbeddedClickHouse(tmp_path / "engine") as engine:
        there = ["--clickhouse", engine.url, "--data", str(tmp_path)]
        missing = run("doctor", *at, "--clickhouse", engine.url, "--json")
        dry = run("migrate", "--dry-run", *there, "--json")
        done = run("migrate", *there, "--json")
        fine = run("doctor", *at, "--clickhouse", engine.url, "--json")
        empty = run("slo", *there, "--json")
        unknown = run("trace", "show", "f" * 32, *there)
        letters = run("dead-letters", "list", *there, "--source", "clickhouse", "--json")

    assert missing.exit_code == 1
    assert "opsloom migrate" in missing.stdout
    assert {each["outcome"] for each in document(dry)} == {"would apply"}
    assert {each["outcome"] for each in document(done)} == {"applied"}
    assert fine.exit_code == 0, fine.stdout
    assert (document(empty)["answers"], document(empty)["latency_p50"]) == (0, None)
    assert unknown.exit_code == 1
    assert "Nothing is known of" in unknown.stderr
    assert (letters.exit_code, letters.stdout) == (0, "")
