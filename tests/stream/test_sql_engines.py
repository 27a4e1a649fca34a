"""Questions over the broker to PostgreSQL, DuckDB and SQLite: own rows come back, attacks end with their code."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.brokers import BrokerUnderTest
from tests.support.roadside import Roadside, step
from tests.support.two_tenants import OWN, ROWS, SECRET, duckdb_store, postgres_store, sqlite_store
from tests.support.workers import Fleet, running_fleet

ENGINES = {"sqlite": sqlite_store, "duckdb": duckdb_store, "postgres": postgres_store}
FOREIGN = {row[2] for row in ROWS} - {row[2] for row in OWN}


@pytest.fixture(scope="module")
def sql_fleet(broker: BrokerUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A worker whose one pack has a tool per engine over the same rows."""
    folder = tmp_path_factory.mktemp("sql")
    pack = folder / "pack"
    with ExitStack() as opened:
        sources, tools = [], []
        for engine, store in ENGINES.items():
            _, source = opened.enter_context(store(folder))
            sources.append({**source.model_dump(exclude_defaults=True), "id": f"store.{engine}"})
            tools.append(
                {
                    "id": f"tickets.{engine}",
                    "name": f"Tickets in {engine}",
                    "description": f"Tickets in {engine}",
                    "tool_type": "direct_query",
                    "kind": "sql",
                    "source": f"store.{engine}",
                }
            )
        _write(pack / "pack.yaml", {"id": "stores", "title": "Stores", "tenants": ["acme", "globex"]})
        _write(pack / "sources" / "stores.yaml", sources)
        _write(pack / "tools" / "tickets.yaml", tools)
        prefix = f"sql-{uuid.uuid4().hex[:8]}."
        fleet = opened.enter_context(running_fleet(broker.address, prefix, folder, packs=pack))
        fleet.started()
        yield fleet


@pytest.fixture
async def asking(sql_fleet: Fleet) -> AsyncIterator[Roadside]:
    async with Roadside(sql_fleet.broker, sql_fleet.topic_prefix) as roadside:
        yield roadside


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content))


def _tables(answer: dict[str, Any]) -> list[list[list[Any]]]:
    return [block["rows"] for block in answer["blocks"] if block["kind"] == "table"]


def _steps(**params: Any) -> list[dict[str, Any]]:
    return [step(engine, f"tickets.{engine}", **params) for engine in ENGINES]


async def test_each_engine_answers_with_the_tenants_rows(asking: Roadside) -> None:
    """One question, three engines, the same figures; the values are bound."""
    sql = (
        "WITH mine AS (SELECT status, amount FROM tickets WHERE status = :status) "
        "SELECT status, COUNT(*) AS n, SUM(amount) AS total FROM mine GROUP BY status"
    )
    answer = await asking.answer(await asking.ask(plan=_steps(sql=sql, args={"status": "open"})))

    chosen = [row for row in OWN if row[3] == "open"]
    assert answer["status"] == "success", answer["results"]
    assert _tables(answer) == [[["open", len(chosen), sum(row[4] for row in chosen)]]] * len(ENGINES)


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE tickets",
        "DELETE FROM tickets",
        "SELECT title FROM tickets WHERE id = 1 OR '1' = '1'",
        "SELECT title FROM tickets; DELETE FROM tickets",
        "SELECT v FROM secrets",
        "SELECT title FROM tickets UNION SELECT v FROM secrets",
        "SELECT password FROM tickets",
    ],
)
async def test_an_attack_ends_with_its_code_and_tells_nothing(asking: Roadside, sql: str) -> None:
    answer = await asking.answer(await asking.ask(plan=_steps(sql=sql)))

    assert {result["error_code"] for result in answer["results"]} == {"SQL_BLOCKED"}
    assert answer["status"] == "failed"
    assert not [word for word in (SECRET, "secrets", "password", "hunter2") if word in str(answer)]


async def test_no_row_of_another_tenant_is_in_any_answer(asking: Roadside) -> None:
    """Asking for the other tenant's rows by name gives none, asking for all gives one's own."""
    theirs = await asking.answer(
        await asking.ask(plan=_steps(sql="SELECT title FROM tickets WHERE tenant_id = 'globex'"))
    )
    everything = await asking.answer(
        await asking.ask(plan=_steps(sql="SELECT title FROM tickets ORDER BY id"))
    )

    assert {reference["row_count"] for reference in theirs["references"]} <= {0}
    assert [table for table in _tables(theirs) if table] == []
    assert _tables(everything) == [[[row[2]] for row in OWN]] * len(ENGINES)
    assert not [title for title in FOREIGN if f"'{title}'" in str(everything)]
