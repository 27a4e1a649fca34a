"""Batches: by number, size and age; in order; repeated under one token; acknowledged only when in."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from sinks.client import ClickHouseError
from sinks.sink import Batcher, SinkRefused

_ROW: dict[str, Any] = {"a": 1}


class Recorder:
    """An `Insert` that notes what it was given and fails as often as it is told to."""

    def __init__(self, *failures: ClickHouseError) -> None:
        self.calls: list[tuple[str, bytes, str]] = []
        self.failures = list(failures)
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, table: str, payload: bytes, *, token: str) -> None:
        self.gate.wait(10)
        self.calls.append((table, payload, token))
        if self.failures:
            raise self.failures.pop(0)


def _away() -> ClickHouseError:
    return ClickHouseError("ClickHouse does not answer", "Is it running?")


def _batcher(insert: Recorder, **chosen: Any) -> Batcher:
    return Batcher(insert, **{"max_age_s": 60.0, "max_pause_s": 0.001, "jitter": lambda: 0.0, **chosen})


async def test_rows_wait_until_there_are_enough() -> None:
    """Two batches of two rows; the fifth row waits."""
    insert = Recorder()
    batcher = _batcher(insert, max_rows=2)
    done = [batcher.add({"t": [_ROW]}, "x", 0, offset, offset) for offset in range(5)]
    await asyncio.wait_for(asyncio.gather(*done[:4]), 5)
    assert [payload.count(b"\n") for _, payload, _ in insert.calls] == [2, 2]
    assert not done[4].done()
    await batcher.aclose()
    assert done[4].done()


async def test_rows_go_when_they_are_large_or_old() -> None:
    """One heavy row is a batch; a light one goes by age."""
    insert = Recorder()
    heavy = _batcher(insert, max_bytes=1_000)
    await asyncio.wait_for(heavy.add({"t": [{"a": "x" * 2_000}]}, "x", 0, 0, 0), 5)
    old = _batcher(insert, max_age_s=0.001)
    await asyncio.wait_for(old.add({"t": [_ROW]}, "x", 0, 0, 0), 5)
    assert len(insert.calls) == 2


async def test_an_insert_is_repeated_under_one_token_until_it_is_in() -> None:
    """Same rows, same token, and the future waits."""
    insert = Recorder(_away(), _away(), _away())
    batcher = _batcher(insert)
    done = batcher.add({"t": [_ROW]}, "x", 0, 0, 0)
    await asyncio.wait_for(batcher.flush(), 5)
    assert done.done()
    assert len(insert.calls) == 4
    assert len({(payload, token) for _, payload, token in insert.calls}) == 1
    assert (batcher.repeated_inserts, batcher.inserted_rows, batcher.last_error) == (3, 1, None)
    await batcher.aclose()


async def test_a_token_tells_places_tables_and_rows_apart() -> None:
    """The same stretch gives the same token; another offset, table or row gives another."""

    async def token(table: str = "t", offset: int = 0, row: dict[str, Any] | None = None) -> str:
        insert = Recorder()
        batcher = _batcher(insert)
        batcher.add({table: [row or _ROW]}, "x", 0, offset, offset)
        await batcher.aclose()
        return insert.calls[0][2]

    same = await token()
    assert await token() == same
    others = {await token(table="u"), await token(offset=1), await token(row={"a": 2})}
    assert len(others | {same}) == 4


async def test_batches_go_in_the_order_of_their_making() -> None:
    """The second waits for the first, however long that takes."""
    insert = Recorder(_away(), _away())
    batcher = _batcher(insert, max_rows=1)
    first = batcher.add({"t": [{"a": "first"}]}, "x", 0, 0, 0)
    second = batcher.add({"t": [{"a": "second"}]}, "x", 0, 1, 1)
    await asyncio.wait_for(second, 5)
    assert first.done()
    assert [b"first" in payload for _, payload, _ in insert.calls] == [True, True, True, False]
    await batcher.aclose()


async def test_a_refusal_is_told_to_whoever_waits() -> None:
    """Nothing behind it is acknowledged either."""
    insert = Recorder(ClickHouseError("no", "never", 117))
    batcher = _batcher(insert, max_rows=1)
    first = batcher.add({"t": [_ROW]}, "x", 0, 0, 0)
    second = batcher.add({"t": [_ROW]}, "x", 0, 1, 1)
    for done in (first, second):
        with pytest.raises(SinkRefused):
            await asyncio.wait_for(done, 5)
    with pytest.raises(SinkRefused):
        await batcher.flush()
    assert len(insert.calls) == 1
    batcher.abandon()


async def test_what_is_abandoned_is_not_acknowledged() -> None:
    """A worker that loses its partitions stops at once; the next owner reads the events again."""
    insert = Recorder()
    insert.gate.clear()
    batcher = _batcher(insert, max_rows=1)
    sent = batcher.add({"t": [_ROW]}, "x", 0, 0, 0)
    queued = batcher.add({"t": [_ROW]}, "x", 0, 1, 1)
    await asyncio.sleep(0)
    batcher.abandon()
    await asyncio.gather(sent, queued, return_exceptions=True)
    assert sent.cancelled()
    assert queued.cancelled()
    insert.gate.set()


async def test_flushing_nothing_is_nothing() -> None:
    """No rows, no insert, no waiting."""
    insert = Recorder()
    batcher = _batcher(insert)
    await batcher.flush()
    await batcher.aclose()
    assert insert.calls == []
