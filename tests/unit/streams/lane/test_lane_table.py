"""Tables that a lane writes: one record per key and batch, restored in bulk, forgotten with their partition."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from faust.types import TP

from agents.aggregation.tables import JsonCodec
from streams.app import make_app
from streams.lane.table import SWEEP_AGAIN_S, DeadlineTable, LaneTable
from streams.settings import Settings
from tests.support.lane_app import LaneApp, settle


@pytest.fixture
def app(tmp_path: Path) -> Any:
    made = make_app(Settings(data_dir=tmp_path, topic_prefix="t."), "aggregation")
    made._producer = LaneApp(hold_acks=True)
    made._producer.put = made._producer._put
    return made


@pytest.fixture
def rows(app: Any) -> LaneTable:
    table: LaneTable = app.tables.add(
        LaneTable(app, name="rows", row_codec=JsonCodec(), beacon=app.tables.beacon)
    )
    table.writing_partition = 2
    return table


@pytest.fixture
def deadlines(app: Any) -> DeadlineTable:
    beacon = app.tables.beacon
    table: DeadlineTable = app.tables.add(
        DeadlineTable(app, name="due", row_codec=JsonCodec(), beacon=beacon)
    )
    table.tumbling(1.0)
    table.writing_partition = 2
    return table


async def test_key_written_often_in_a_batch_is_one_changelog_record(rows: LaneTable, app: Any) -> None:
    """The last value counts; a deleted key is a tombstone."""
    for number in range(5):
        rows["a"] = {"n": number}
    rows["b"] = {"n": 0}
    del rows["b"]

    rows.flush(rows.take_changes(), 2)

    [sent] = app._producer.sent
    assert (sent.topic, sent.partition) == (rows.changelog_topic_name, 2)
    assert [(item[0], item[1]) for item in sent.items] == [(b'"a"', b'{"n":4}'), (b'"b"', None)]
    assert rows.take_changes() == []


async def test_memory_reaches_as_far_as_the_changelog_acknowledged(rows: LaneTable, app: Any) -> None:
    """A rebalance reads only what came after."""
    place = TP(rows.changelog_topic_name, 2)
    rows["a"] = {}
    rows.flush(rows.take_changes(), 2)
    assert rows.persisted_offset(place) is None

    app._producer.acknowledge(app._producer.sent[0])
    await settle()

    assert rows.persisted_offset(place) == 0


async def test_refused_changelog_record_moves_nothing(rows: LaneTable, app: Any) -> None:
    """The lane crashes the worker; the row is written again by its next owner."""
    rows["a"] = {}
    sent = rows.flush(rows.take_changes(), 2)

    app._producer.sent[0].ack.set_exception(ConnectionError())
    await settle()

    assert isinstance(sent.exception(), ConnectionError)
    assert rows.persisted_offset(TP(rows.changelog_topic_name, 2)) is None


async def test_restored_rows_are_not_written_again(rows: LaneTable) -> None:
    """And belong to the partition they were read from."""
    rows.restore(_record(b'"a"', b'{"n":1}', 3))
    rows.restore(_record(b'"b"', b'{"n":1}', 3))
    rows.restore(_record(b'"b"', None, 3))

    assert dict(rows.data) == {"a": {"n": 1}}
    assert (rows.partition_of_key("a"), rows.partition_of_key("b")) == (3, None)
    assert rows.take_changes() == []


async def test_rows_of_a_lost_partition_are_forgotten_and_the_others_stay(
    rows: LaneTable, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What comes back is read again from its beginning."""
    for partition in (0, 1):
        rows.restore(_record(f'"of {partition}"'.encode(), b"{}", partition))
        rows.applied[TP(rows.changelog_topic_name, partition)] = 7
    kept = TP(rows.changelog_topic_name, 1)
    monkeypatch.setattr(app.assignor, "assigned_actives", lambda: {kept})

    await rows.on_rebalance({kept}, set(), set())

    assert dict(rows.data) == {"of 1": {}}
    assert rows.applied == {kept: 7}


async def test_changelog_takes_rows_of_many_megabytes(rows: LaneTable) -> None:
    """A broker's own limit is one; a row that is refused would stop the join."""
    assert int(rows.changelog_topic.config["max.message.bytes"]) >= 20_000_000


async def test_deadline_is_due_in_its_second_and_in_its_partition_only(deadlines: DeadlineTable) -> None:
    """Neither before its moment nor for another partition."""
    _due(deadlines, "early", 10.2)
    _due(deadlines, "late", 10.8)

    assert [name for name, _ in deadlines.overdue(2, 10.1)] == []
    assert [name for name, _ in deadlines.overdue(2, 10.5)] == ["early"]
    assert [name for name, _ in deadlines.overdue(1, 99.0)] == []
    assert [name for name, _ in deadlines.overdue(2, 11.0)] == ["late"]


async def test_deadline_that_was_swept_is_swept_again_after_a_while(deadlines: DeadlineTable) -> None:
    """Until its row is deleted."""
    _due(deadlines, "a", 10.0)

    times = (10.0, 10.25, 10.0 + SWEEP_AGAIN_S)
    assert [len(deadlines.overdue(2, now)) for now in times] == [1, 0, 1]

    del deadlines["a", (10.0, 10.9)]
    assert deadlines.overdue(2, 99.0) == []


async def test_restored_deadlines_are_due_after_recovery(deadlines: DeadlineTable) -> None:
    """The index is rebuilt from the rows."""
    deadlines.restore(_record(orjson.dumps(["a", [10.0, 10.9]]), b'{"deadline_at":10.0,"tenant_id":"t"}', 3))

    await deadlines.on_recovery_completed({TP(deadlines.changelog_topic_name, 3)}, set())

    assert [name for name, _ in deadlines.overdue(3, 10.0)] == ["a"]


def _due(table: DeadlineTable, name: str, deadline_at: float) -> None:
    table[name, table.window.current(deadline_at)] = {"deadline_at": deadline_at, "tenant_id": "t"}


def _record(key: bytes, value: bytes | None, partition: int) -> Any:
    return SimpleNamespace(key=key, value=value, partition=partition)
