"""Whatever happens on the way, each event is in ClickHouse once before its offset may be committed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, repeat

import pytest
from clickhouse_connect.driver.client import Client

from schemas.answers import Status
from schemas.errors import ErrorCode
from schemas.events import Event
from sinks.client import connect, query
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import migrate
from sinks.rows import Origin, Rows, merge, rows_of
from sinks.sink import Batcher, SinkRefused, into
from tests.support.http_faults import Fault, FaultyProxy
from tests.support.road_events import answer, failed, letter, plan_made, result, succeeded

_TABLES = ("answers", "tool_calls", "stages", "spans", "metric_points", "dead_letters")
_TRACE = "0" * 32


def _road(noon: float) -> list[Event]:
    """One trace of each kind of event, and a dead letter."""
    return [
        plan_made(_TRACE, noon),
        succeeded(_TRACE, "a", noon + 0.01, 0.1),
        failed(_TRACE, "b", noon + 0.01, 0.2, ErrorCode.TOOL_TIMEOUT),
        answer(
            _TRACE,
            noon,
            1.0,
            status=Status.PARTIAL_SUCCESS,
            results=(
                result(_TRACE, "a"),
                result(_TRACE, "b", "timeout", 200.0),
                result(_TRACE, "c", "skipped"),
            ),
        ),
        letter(7, noon),
    ]


def _rows(events: list[Event], first_offset: int = 0) -> Rows:
    return merge(rows_of(event, Origin("t", 0, first_offset + i)) for i, event in enumerate(events))


async def _until(reached: Callable[[], bool]) -> None:
    """Look again every 10 ms, at most 10 s."""
    for _ in range(1000):
        if reached():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never reached")


def _counts(client: Client) -> dict[str, int]:
    return {table: query(client, f"SELECT count() AS n FROM {table} FINAL")[0]["n"] for table in _TABLES}


def _batcher(client: Client) -> Batcher:
    return Batcher(into(client), max_pause_s=0.05)


_ONCE = {"answers": 1, "tool_calls": 3, "stages": 5, "spans": 8, "metric_points": 13, "dead_letters": 1}


async def test_an_event_delivered_again_is_one_row(client: Client, noon: float) -> None:
    """Once in the same batch, once cut differently after a crash: each key has one row."""
    events = _road(noon)
    batcher = _batcher(client)
    batcher.add(_rows(events), "t", 0, 0, 4)
    await batcher.flush()
    batcher.add(_rows(events), "t", 0, 0, 4)
    await batcher.flush()
    for offset, event in enumerate(events):
        batcher.add(_rows([event], offset), "t", 0, offset, offset)
        await batcher.flush()
    await batcher.aclose()

    assert _counts(client) == _ONCE


async def test_the_workers_own_word_stays_whatever_comes_last(client: Client, noon: float) -> None:
    """A timeout told by the answer first, by the worker later, and the other way round."""
    events = _road(noon)
    batcher = _batcher(client)
    for event in reversed(events):
        batcher.add(_rows([event]), "t", 0, 0, 0)
        await batcher.flush()
    for event in events:
        batcher.add(_rows([event]), "t", 0, 1, 1)
        await batcher.flush()
    await batcher.aclose()

    calls = query(client, "SELECT step_id, status, error_detail FROM tool_calls FINAL ORDER BY step_id")
    assert [tuple(row.values()) for row in calls] == [
        ("a", "success", ""),
        ("b", "timeout", "operators only"),
        ("c", "skipped", ""),
    ]


def _first(*faults: Fault) -> Iterator[Fault]:
    """These, one a request, and none after them."""
    return chain(faults, repeat("none"))


@pytest.mark.parametrize("fault", ["reset_after", "reset_before", "error_before"])
async def test_an_insert_of_unknown_outcome_is_repeated_and_counts_once(
    engine: EmbeddedClickHouse, client: Client, database: str, noon: float, fault: Fault
) -> None:
    """Broken off after the rows were in, before they were, or refused for the moment."""
    faults = _first(fault, fault, fault, fault)
    rows = _rows(_road(noon))

    def choose(path: str) -> Fault:
        return next(faults) if "insert_deduplication_token" in path else "none"

    with FaultyProxy(engine.address, choose) as proxy:
        batcher = _batcher(connect(proxy.url, database))
        done = batcher.add(rows, "t", 0, 0, 4)
        await asyncio.wait_for(batcher.flush(), 20)
        await batcher.aclose()

    assert done.done()
    assert len([path for path, got in proxy.seen if got == fault]) == 4
    # Without FINAL: the repeated inserts themselves left nothing behind.
    stored = {table: query(client, f"SELECT count() AS n FROM {table}")[0]["n"] for table in rows}
    assert stored == _ONCE


async def test_nothing_is_acknowledged_while_the_engine_is_slow(
    engine: EmbeddedClickHouse, database: str, client: Client, noon: float
) -> None:
    """The future waits for the engine's word, and meanwhile the loop and new rows go on."""
    with FaultyProxy(engine.address, lambda path: "slow" if "token" in path else "none") as proxy:
        batcher = _batcher(connect(proxy.url, database))
        first = batcher.add(_rows([letter(1, noon)]), "t", 0, 1, 1)
        flushed = asyncio.ensure_future(batcher.flush())
        second = batcher.add(_rows([letter(2, noon)]), "t", 0, 2, 2)
        await _until(lambda: bool(proxy.seen))
        assert not first.done()
        assert not second.done()

        proxy.release.set()
        await asyncio.wait_for(flushed, 10)
        assert first.done()
        await batcher.aclose()
        assert second.done()
    assert _counts(client)["dead_letters"] == 2


async def test_what_the_engine_will_never_take_stops_the_sink(client: Client, noon: float) -> None:
    """A wrong column is a bug: the offset is not committed, neither of it nor of what comes after."""
    batcher = _batcher(client)
    bad = batcher.add({"answers": [{"no_such_column": 1}]}, "t", 0, 0, 0)
    with pytest.raises(SinkRefused, match="no_such_column"):
        await batcher.flush()
    after = batcher.add(_rows([letter(1, noon)]), "t", 0, 1, 1)
    with pytest.raises(SinkRefused):
        await batcher.flush()
    batcher.abandon()

    assert isinstance(bad.exception(), SinkRefused)
    assert isinstance(after.exception(), SinkRefused)
    assert _counts(client)["dead_letters"] == 0


async def test_an_engine_that_comes_back_gets_what_waited(engine: EmbeddedClickHouse, database: str) -> None:
    """A missing table at start-up is weather: the migration may still be on its way."""
    client = connect(engine.url, database)
    batcher = _batcher(connect(engine.url, database))
    done = batcher.add({"dead_letters": [{"origin_topic": "x", "at": 1.0}]}, "t", 0, 0, 0)
    flushed = asyncio.ensure_future(batcher.flush())
    await _until(lambda: batcher.last_error is not None)
    assert not done.done()

    await asyncio.to_thread(partial(migrate, client, database))
    await asyncio.wait_for(flushed, 10)
    assert done.done()
    await batcher.aclose()
