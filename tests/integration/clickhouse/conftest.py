"""One embedded engine for all tests here; a database of its own for each."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from sinks.client import command, connect
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import migrate


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedClickHouse]:
    """A running engine shared by the tests that do not stop it."""
    with EmbeddedClickHouse(Path(tmp_path_factory.mktemp("engine"))) as running:
        yield running


@pytest.fixture
def database(engine: EmbeddedClickHouse) -> Iterator[str]:
    """A name nobody else uses; what is made under it is dropped."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield name
    command(connect(engine.url, "default"), f"DROP DATABASE IF EXISTS {name}")


@pytest.fixture
def client(engine: EmbeddedClickHouse, database: str) -> Client:
    """A writer on a migrated database."""
    made = connect(engine.url, database)
    migrate(made, database)
    return made


@pytest.fixture
def noon() -> float:
    """Noon of today, UTC: within every table's retention, and hours from the edge of a partition."""
    return time.time() // 86_400 * 86_400 + 43_200
