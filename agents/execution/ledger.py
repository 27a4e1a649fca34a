"""Turnstiles noted in the compacted topic `ops.gates`, so that limits and breakers outlive the worker that holds them.

A note of a tool lies in the partition with the number of its calls' partition, and only the owner of that one writes
it. Who takes a partition over reads the notes first, then counts what the last owner may have let in since its last
note as happened (docs/adr/0011-limits-outlive-their-worker.md).
"""

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import orjson
from faust.types import TP

from agents.execution.breaker import BreakerNote
from agents.execution.credit import Credit
from agents.execution.gates import Gate, Gates
from agents.execution.limits import Mark
from streams.lane.bulk import read_to_end
from streams.lane.outbox import Item
from streams.lane.part import Part
from streams.road import Road

MARKS_KEPT = 60
"""Marks of one tenant in a note; more are rounded up to whole seconds, which only makes them count longer."""

_log = logging.getLogger(__name__)


class Owning(Protocol):
    """What the ledger asks of an executor's lane."""

    topic: str
    parts: dict[TP, Part]

    def owns(self, part: Part) -> bool: ...


class KafkaLedger:
    """The notes of one worker's executors; it belongs to one app."""

    def __init__(self, app: Any, road: Road, gates: Gates) -> None:
        self._app = app
        self._road = road
        self._gates = gates
        self._me = uuid.uuid4().hex
        """This process; one that comes back under the same worker id is another."""
        self._lanes: dict[str, Owning] = {}
        self._notes: dict[str, Mapping[str, Any]] = {}
        self._read_up_to: dict[TP, int] = {}
        self._generation: object = None
        self._due: dict[str, Gate] = {}
        self._soon: asyncio.Handle | None = None
        gates.ledger = self

    def add(self, kind: str, lane: Owning) -> None:
        """The lane that reads the calls of a kind of tools."""
        self._lanes[kind] = lane

    def owns(self, gate: Gate) -> bool:
        """Do the tool's calls come here at this moment?"""
        return self.owns_calls(gate.tool.kind, gate.key)

    def owns_calls(self, kind: str, key: str) -> bool:
        """The same of a gate that is not made yet."""
        lane = self._lanes.get(kind)
        if lane is None:
            return False
        part = lane.parts.get(TP(lane.topic, self._road.partition(key)))
        return part is not None and lane.owns(part)

    def open(self, gate: Gate) -> Credit:
        """Bring a new turnstile to where the last owner left it."""
        credit = Credit(gate.turnstile.terms.limits, lambda: self._ask(gate))
        note = self._notes.get(gate.key)
        if note is not None:
            _load(gate, note, self._road.clock())
        return credit

    async def assigned(self) -> None:
        """Read what others noted of the partitions this worker has now; once a rebalance, before any call."""
        generation = self._app.consumer_generation_id
        if generation == self._generation:
            return
        partitions = {tp.partition for tp in self._app.consumer.assignment()}
        places = [TP(self._road.topics.gates, partition) for partition in partitions]
        starts = {place: self._read_up_to.get(place, 0) for place in places}
        fresh: dict[str, Mapping[str, Any]] = {}

        def take(record: Any) -> None:
            if record.value is not None:
                note = orjson.loads(record.value)
                fresh[note["tool"]] = note

        self._read_up_to.update(await read_to_end(self._app.transport, starts, take))
        self._generation = generation
        now = self._road.clock()
        for key, note in fresh.items():
            if note["owner"] == self._me:
                continue
            self._notes[key] = note
            gate = self._gates.get(key)
            if gate is not None:
                _load(gate, note, now)

    # Writing

    def _ask(self, gate: Gate) -> None:
        self._due[gate.key] = gate
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._write)

    def _write(self) -> None:
        """Send the notes that are due, one list a partition."""
        due, self._due, self._soon = self._due, {}, None
        now = self._road.clock()
        boxes: dict[int, list[tuple[Gate, int, bytes]]] = {}
        for key, gate in due.items():
            credit = gate.turnstile.credit
            if credit is None:
                continue
            if not self.owns(gate):
                credit.refused()
                continue
            granted = credit.noted()
            value = orjson.dumps(_note(gate, self._me, granted, now))
            boxes.setdefault(self._road.partition(key), []).append((gate, granted, value))
        for partition, notes in boxes.items():
            items: list[Item] = [(gate.key.encode(), value, []) for gate, _, value in notes]
            sent = self._app.producer.put(self._road.topics.gates, partition, items)
            sent.add_done_callback(_settled([(gate, granted) for gate, granted, _ in notes]))


def _settled(notes: Iterable[tuple[Gate, int]]) -> "Callable[[asyncio.Future[int]], None]":
    def settle(sent: "asyncio.Future[int]") -> None:
        failed = sent.cancelled() or sent.exception() is not None
        for gate, granted in notes:
            credit = gate.turnstile.credit
            if credit is None:
                continue
            if failed:
                credit.refused()
            else:
                credit.acknowledged(granted)
                gate.turnstile.wake()

    return settle


def _note(gate: Gate, owner: str, granted: int, now: float) -> dict[str, Any]:
    turnstile = gate.turnstile
    return {
        "tool": gate.key,
        "at": now,
        "owner": owner,
        "credit": granted,
        "breaker": list(turnstile.breaker.note()),
        "marks": _coarse(mark for mark in turnstile.rate.marks() if mark[0] > now - 61),
    }


def _coarse(marks: Iterable[Mark]) -> list[Mark]:
    """At most about `MARKS_KEPT` marks a tenant."""
    by_tenant: dict[str, list[Mark]] = {}
    for mark in marks:
        by_tenant.setdefault(mark[1], []).append(mark)
    kept: list[Mark] = []
    for tenant_id, own in by_tenant.items():
        if len(own) <= MARKS_KEPT:
            kept += own
            continue
        counts: dict[float, int] = {}
        for at, _, count in own:
            second = float(-(-at // 1))
            counts[second] = counts.get(second, 0) + count
        kept += [(second, tenant_id, count) for second, count in counts.items()]
    return kept


def _load(gate: Gate, note: Mapping[str, Any], now: float) -> None:
    """Go on where another worker ended. A note nobody understands closes nothing and is said."""
    try:
        marks = [(float(at), str(tenant), int(count)) for at, tenant, count in note["marks"]]
        state, changed_at, failures = note["breaker"]
        breaker = BreakerNote(state, float(changed_at), int(failures))
        credit = int(note["credit"])
    except (KeyError, TypeError, ValueError) as exc:
        _log.warning("the note of %s cannot be read: %r", gate.key, exc)
        return
    gate.turnstile.resume((mark for mark in marks if mark[0] > now - 61), breaker, credit, now)
