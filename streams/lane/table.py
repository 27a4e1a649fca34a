"""Faust tables written from a lane: one changelog record per key and batch, restored in bulk."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import faust
import orjson
from faust.tables import TableManager
from faust.types import TP

Change = tuple[Any, Any]
"""Key and value as they stand in memory; value None: deleted."""

MAX_ROW_BYTES = 32 * 1024 * 1024
"""Largest row of a changelog: a trace keeps up to twenty results of a megabyte each until it is answered. A broker
takes one megabyte unless the topic says otherwise, and a row that is refused would stop the join for good."""

SWEEP_AGAIN_S = 2.0
"""A deadline whose `DeadlinePassed` did not close its trace is published again after this."""


class RowCodec(Protocol):
    """How a table's values travel in its changelog."""

    def encode(self, value: Any) -> bytes: ...

    def decode(self, raw: bytes) -> Any: ...


class LaneTable(faust.Table):
    """A table that one lane writes. Faust's hooks only note a change; `flush` sends what changed to the lane's own
    partition. `applied` says up to which changelog offset its memory reaches, so that a rebalance reads only the
    rest, and partitions that were lost are forgotten."""

    row_codec: RowCodec
    writing_partition: int | None = None
    """Set by the lane before it writes."""

    def __init__(self, *args: Any, row_codec: RowCodec, **kwargs: Any) -> None:
        kwargs.setdefault("extra_topic_configs", {"max.message.bytes": str(MAX_ROW_BYTES)})
        super().__init__(*args, **kwargs)
        self.row_codec = row_codec
        self.applied: dict[TP, int] = {}
        self._dirty: dict[Any, Any] = {}

    @property
    def rows(self) -> dict[Any, Any]:
        """The rows in memory as the plain mapping they are, to look into: the store's own look-up of a row that is
        not there raises and catches an exception."""
        return self.data.data  # type: ignore[no-any-return]

    def on_key_set(self, key: Any, value: Any) -> None:
        self._dirty[key] = value
        self.data._key_partition[key] = self.writing_partition

    def on_key_del(self, key: Any) -> None:
        self._dirty[key] = None
        self.data._key_partition.pop(key, None)

    def partition_of_key(self, key: Any) -> int | None:
        """The partition to which a row in memory belongs."""
        return self.data._key_partition.get(key)  # type: ignore[no-any-return]

    def take_changes(self) -> list[Change]:
        """What changed since the last call."""
        changes, self._dirty = list(self._dirty.items()), {}
        return changes

    def flush(self, changes: Sequence[Change], partition: int) -> "asyncio.Future[int]":
        """Send changes to the changelog; the future ends when they are acknowledged."""
        tp = TP(self.changelog_topic_name, partition)
        encode = self.row_codec.encode
        sent: asyncio.Future[int] = self.app.producer.put(
            *tp,
            [(orjson.dumps(key), None if value is None else encode(value), []) for key, value in changes],
        )
        sent.add_done_callback(lambda ack: self._advance(tp, ack))
        return sent

    def _advance(self, tp: TP, ack: "asyncio.Future[int]") -> None:
        if not ack.cancelled() and ack.exception() is None:
            self.applied[tp] = max(ack.result(), self.applied.get(tp, -1))

    def persisted_offset(self, tp: TP) -> int | None:
        """Asked by Faust's recovery."""
        return self.applied.get(tp)

    def restore(self, record: Any) -> None:
        """Take the last changelog record of a key."""
        key = self.key_of(record.key)
        if record.value is None:
            self.data.pop(key, None)
            self.data._key_partition.pop(key, None)
        else:
            self.data[key] = self.row_codec.decode(record.value)
            self.data._key_partition[key] = record.partition

    def lost_partitions(self) -> list[TP]:
        """Changelog partitions that this worker knows and no longer owns."""
        mine = self.app.assignor.assigned_actives()
        return [tp for tp in self.applied if tp not in mine]

    def key_of(self, raw: bytes) -> Any:
        return self._to_key(orjson.loads(raw))

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Forget the rows of partitions that are somebody else's now."""
        for tp in self.lost_partitions():
            del self.applied[tp]
            lost = [key for key, partition in self.data._key_partition.items() if partition == tp.partition]
            for key in lost:
                self.data.pop(key, None)
                self.data._key_partition.pop(key, None)
        await super().on_rebalance(assigned, revoked, newly_assigned, generation_id)


class DeadlineTable(LaneTable):
    """Deadlines by window: the row of a trace lies in the second in which its deadline falls.

    Faust's own `on_window_close` fires for one partition per window and forgets rows restored from the changelog, so
    an index (partition → window → key → deadline) is kept in the hooks and rebuilt when recovery completes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._due: dict[int, dict[float, dict[str, Mapping[str, Any]]]] = {}
        self._swept_at: dict[str, float] = {}

    def on_key_set(self, key: Any, value: Any) -> None:
        super().on_key_set(key, value)
        self._index(self.writing_partition, key, value)

    def on_key_del(self, key: Any) -> None:
        super().on_key_del(key)
        windows = self._due.get(self.writing_partition or 0, {})
        windows.get(key[1][0], {}).pop(key[0], None)
        self._swept_at.pop(key[0], None)

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        await super().on_recovery_completed(active_tps, standby_tps)
        self._due, self._swept_at = {}, {}
        for key, value in self.data.items():
            self._index(self.data._key_partition[key], key, value)

    def _index(self, partition: int | None, key: Any, value: Any) -> None:
        windows = self._due.setdefault(partition or 0, {})
        windows.setdefault(key[1][0], {})[key[0]] = value

    def overdue(self, partition: int, now: float) -> list[tuple[str, Any]]:
        """(trace id, row) of what has passed; looks at past windows and the current one only. A row stays until the
        fold deletes it, so a sweep that got lost is made up for after `SWEEP_AGAIN_S`."""
        windows = self._due.get(partition, {})
        passed: list[tuple[str, Any]] = []
        for start in [start for start in windows if start <= now]:
            if not windows[start]:
                del windows[start]
                continue
            for trace, row in windows[start].items():
                swept_at = self._swept_at.get(trace)
                if row["deadline_at"] <= now and (swept_at is None or now - swept_at >= SWEEP_AGAIN_S):
                    self._swept_at[trace] = now
                    passed.append((trace, row))
        return passed


class LaneTableManager(TableManager):
    """Starts at once: Faust waits a second for tables to be declared, ours are before the app starts."""

    async def on_start(self) -> None:
        await self._update_channels()
        await self.recovery.start()
