"""What every test may ask for: a broker, and names nobody else uses on it."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator

import pytest

from tests.support.brokers import BrokerUnderTest, running_broker
from tests.support.kafka import KafkaMissing


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--broker` chooses what stream tests run on."""
    parser.addoption(
        "--broker",
        choices=("embedded", "kafka"),
        default="embedded",
        help="run on the embedded broker (default) or on a real Apache Kafka fetched by Maven",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of what only Kafka promises are skipped on the embedded broker."""
    if config.getoption("--broker") == "kafka":
        return
    skip = pytest.mark.skip(reason="only on a real Kafka: make test-kafka")
    for item in items:
        if "kafka" in item.keywords and item.get_closest_marker("kafka"):
            item.add_marker(skip)


@pytest.fixture(scope="session")
def broker(request: pytest.FixtureRequest) -> Iterator[BrokerUnderTest]:
    """The broker of this run. Without Java or Maven: a skip here, a failure in CI."""
    try:
        with running_broker(request.config.getoption("--broker")) as running:
            yield running
    except KafkaMissing as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> str:
    """A prefix for topics and groups that no other test, and no other run, uses."""
    readable = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:40]
    return f"{readable}-{uuid.uuid4().hex[:8]}."
