"""An installation of opsloom for each test module: topics of its own, worker processes, a Kafka client beside."""

from __future__ import annotations

import re
import sqlite3
import uuid
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support import ground
from tests.support.brokers import BrokerUnderTest
from tests.support.llm_server import LlmServer, Say
from tests.support.roadside import Roadside
from tests.support.web_service import Service, web_service_in_thread
from tests.support.workers import Fleet, WorkerProcess, running_fleet

THINGS = [
    ("acme", "anvil", "tool", 4_096),
    ("acme", "rocket", "vehicle", 1_048_576),
    ("acme", "magnet", "tool", 2_048),
    ("globex", "orb", "vehicle", 512),
]
_FLEETS: list[Fleet] = []


def make_things(folder: Path) -> None:
    """The store that the probe pack's tool `things` asks."""
    folder.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(folder / "things.db")) as connection, connection:
        connection.execute("CREATE TABLE things (tenant_id TEXT, name TEXT, kind TEXT, size_bytes INTEGER)")
        connection.executemany("INSERT INTO things VALUES (?, ?, ?, ?)", THINGS)
        connection.execute("CREATE TABLE blobs (tenant_id TEXT, n INTEGER, body TEXT)")
        connection.executemany(
            "INSERT INTO blobs VALUES ('acme', ?, ?)", [(n, "x" * 60_000) for n in range(20)]
        )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "chaos: minutes of kills; runs only when chosen by -m chaos")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "chaos" in config.getoption("-m"):
        return
    for item in items:
        if item.get_closest_marker("chaos"):
            item.add_marker(pytest.mark.skip(reason="only when chosen: pytest -m chaos tests/stream"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, None]:
    """Show what the workers printed beside a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.failed:
        report.sections += [("workers", fleet.printed()) for fleet in _FLEETS]


def _fleet(broker: BrokerUnderTest, name: str, folder: Path) -> Iterator[Fleet]:
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:32]
    make_things(folder)
    with running_fleet(broker.address, f"{readable}-{uuid.uuid4().hex[:8]}.", folder) as fleet:
        _FLEETS.append(fleet)
        yield fleet
        _FLEETS.remove(fleet)


@pytest.fixture
def fleet(broker: BrokerUnderTest, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """No worker yet: the test starts its own."""
    yield from _fleet(broker, request.node.name, tmp_path)


@pytest.fixture(scope="session")
def shared_fleet(broker: BrokerUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """One worker with all roles, for all tests that leave it alive."""
    yield from _fleet(broker, "shared", tmp_path_factory.mktemp("shared"))


@pytest.fixture
def shared_worker(shared_fleet: Fleet) -> WorkerProcess:
    """The worker that most tests share; one that a test brought down is started anew for the next."""
    if not shared_fleet.workers or shared_fleet.workers[-1].exit_code is not None:
        return shared_fleet.started()
    return shared_fleet.workers[-1]


@pytest.fixture
async def road(shared_fleet: Fleet, shared_worker: WorkerProcess) -> AsyncIterator[Roadside]:
    """A Kafka client beside the shared worker, which must still run at the end."""
    async with Roadside(shared_fleet.broker, shared_fleet.topic_prefix) as roadside:
        yield roadside
    assert shared_worker.exit_code is None, f"the worker ended:\n{shared_worker.printed()}"


@pytest.fixture(scope="session")
def ground_service() -> Iterator[Service]:
    """What the HTTP tools of the pack `ground` call."""
    with web_service_in_thread() as running:
        yield running


@pytest.fixture(scope="session")
def ground_model() -> Iterator[LlmServer]:
    """The language model of the worker on the ground: it writes one sentence, and plans nothing."""
    with LlmServer() as running:
        running.otherwise = Say({"text": "Here it is."})
        yield running


@pytest.fixture(scope="session")
def ground_fleet(
    broker: BrokerUnderTest,
    ground_service: Service,
    ground_model: LlmServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """One worker with the packs of `tests/support/ground.py`, for all tests that prove what is refused and told."""
    folder = tmp_path_factory.mktemp("ground")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ground.TOKEN_ENV, ground.TOKEN)
        settings = ground.settings_in(folder, ground_service, ground_model)
        prefix = f"ground-{uuid.uuid4().hex[:8]}."
        with running_fleet(broker.address, prefix, folder, **settings) as fleet:
            _FLEETS.append(fleet)
            fleet.started()
            yield fleet
            _FLEETS.remove(fleet)


@pytest.fixture
async def proving(ground_fleet: Fleet) -> AsyncIterator[Roadside]:
    """A Kafka client beside the worker on the ground, which must still run at the end."""
    async with Roadside(
        ground_fleet.broker, ground_fleet.topic_prefix, also=("ops.aggregation",)
    ) as roadside:
        yield roadside
    assert ground_fleet.workers[-1].exit_code is None, ground_fleet.printed()
