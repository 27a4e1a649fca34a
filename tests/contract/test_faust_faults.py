"""Faults of faust-streaming 0.15.3 that the road is built around, each shown on Faust itself.

As long as these tests pass, the detours in `streams/lane` are needed. One that fails after an upgrade is good news:
read what changed, and see whether the detour may go.
"""

from __future__ import annotations

import time
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.transport.consumer import Consumer
from faust.types import TP
from intervaltree import IntervalTree

from agents.aggregation.tables import make_tables
from streams.app import make_app
from streams.lane.part import Part
from streams.settings import Settings

PLACE = TP("calls", 0)


def _faust_would_commit(committed: int | None, acknowledged: list[int]) -> int | None:
    """What Faust's own consumer takes for the next offset to commit."""
    consumer: Any = SimpleNamespace(
        _acked=defaultdict(list, {PLACE: list(acknowledged)}),
        _acked_index=defaultdict(set, {PLACE: set(acknowledged)}),
        _gap=defaultdict(IntervalTree),
        _committed_offset=defaultdict(lambda: None, {PLACE: committed}),
    )
    return Consumer._new_offset(consumer, PLACE)  # type: ignore[no-any-return]


def _lane_would_commit(committed: int | None, unfinished: list[int], last: int) -> int | None:
    """What a lane takes for it: the first unfinished one."""
    part = Part(PLACE, committed, "")
    part.pending = dict.fromkeys(unfinished)
    part.next = last + 1
    return part.low()


@pytest.mark.parametrize(
    ("committed", "acknowledged", "unfinished"),
    [(None, [1, 2, 3], [0]), (10, [11, 12], [10]), (10, [11, 12, 13, 15], [10, 14])],
)
def test_faust_commits_past_unfinished_work_and_a_lane_does_not(
    committed: int | None, acknowledged: list[int], unfinished: list[int]
) -> None:
    """Acknowledgements out of order: after a crash Faust would never read the unfinished ones again."""
    faust_offset = _faust_would_commit(committed, acknowledged)
    assert faust_offset is not None
    assert faust_offset > unfinished[0]

    assert _lane_would_commit(committed, unfinished, acknowledged[-1]) == unfinished[0]


@pytest.fixture
def app(tmp_path: Path) -> Any:
    """A lane app that is never started."""
    return make_app(Settings(data_dir=tmp_path, topic_prefix="faults."), "aggregation")


async def test_faust_table_cannot_be_written_from_a_timer_and_a_lane_table_can(app: Any) -> None:
    """Therefore the sweep publishes `DeadlinePassed`, and a lane says itself which partition it writes."""
    plain = app.Table("plain", partitions=4)
    with pytest.raises(TypeError, match="outside of stream iteration"):
        plain["key"] = 1

    traces, _ = make_tables(app)
    traces.writing_partition = 3
    traces["key"] = 1
    assert traces.partition_of_key("key") == 3


async def test_window_close_fires_for_one_partition_and_drops_the_others(app: Any) -> None:
    """Two partitions have a row in the same window; the second row is deleted and nobody is told."""
    closed: list[Any] = []
    windowed = app.Table("w", partitions=4, on_window_close=lambda key, value: closed.append(key)).tumbling(
        1.0, expires=1.0
    )
    table = windowed.table
    for partition, name in enumerate(("first", "second")):
        key = (name, (10.0, 10.9))
        table.data[key] = "row"
        table._maybe_set_key_ttl(key, partition)

    await table._del_old_keys()

    assert len(closed) == 1
    assert not list(table.data)


async def test_window_close_never_fires_for_restored_rows_and_the_deadline_index_has_them(app: Any) -> None:
    """Faust notes the expiry of a row when it is written, not when it is read back from the changelog."""
    windowed = app.Table("w", partitions=4).tumbling(1.0, expires=1.0)
    windowed.table.data["trace", (10.0, 10.9)] = "row"  # as recovery does it
    assert not windowed.table._partition_timestamps

    _, deadlines = make_tables(app)
    record = SimpleNamespace(
        key=b'["trace",[10.0,10.9]]', value=b'{"deadline_at":10.5,"tenant_id":"acme"}', partition=2
    )
    deadlines.table.restore(record)
    await deadlines.table.on_recovery_completed({TP(deadlines.table.changelog_topic_name, 2)}, set())
    assert [trace for trace, _ in deadlines.table.overdue(2, now=time.time())] == ["trace"]


async def test_sink_of_an_agent_sends_without_a_key(app: Any) -> None:
    """Without a key an answer lands in any partition; the road sends by itself."""
    sent: list[dict[str, Any]] = []

    class Channel(faust.Channel):  # type: ignore[type-arg]
        async def send(self, **options: Any) -> Any:
            sent.append(options)

    async def answer(stream: Any) -> None: ...

    agent = app.agent(app.channel(), sink=[Channel(app)])(answer)
    await agent._delegate_to_sinks("answer")

    assert sent == [{"value": "answer"}]


async def test_memory_store_keeps_rows_of_a_lost_partition_and_a_lane_table_forgets_them(app: Any) -> None:
    """Who acts on every row he holds acts for partitions of others."""
    plain = app.Table("plain", partitions=4)
    plain.data["theirs"] = 1
    await plain.on_rebalance(set(), {TP("topic", 1)}, set())
    assert "theirs" in plain.data

    traces, _ = make_tables(app)
    traces.writing_partition = 1
    traces["theirs"] = 1
    traces.applied[TP(traces.changelog_topic_name, 1)] = 0
    await traces.on_rebalance(set(), {TP("topic", 1)}, set())
    assert "theirs" not in traces.data
    assert traces.partition_of_key("theirs") is None
