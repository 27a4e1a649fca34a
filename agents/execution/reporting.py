"""How the tools are doing, published by the worker that runs their calls: `ops.tool-health` and metric points."""

import asyncio
from typing import Any

from agents.execution.gates import Gate, Gates
from agents.execution.ledger import KafkaLedger
from registry.defaults import shards_of
from registry.registry import Registry
from schemas.health import BreakerState, ToolHealth
from schemas.shards import all_shards
from schemas.telemetry import MetricPoint
from streams.road import Road

EVERY_S = 1.0

GAUGE: dict[BreakerState, float] = {"closed": 0.0, "open": 1.0, "half_open": 2.0}
"""Figures of `circuit_breaker_state`."""


class HealthReport:
    """Publishes a tool's health at most once a second, and at once when its breaker changes."""

    def __init__(self, app: Any, road: Road, gates: Gates, ledger: KafkaLedger, worker_id: str) -> None:
        self._app = app
        self._road = road
        self._gates = gates
        self._ledger = ledger
        self._worker_id = worker_id
        self._told: dict[str, tuple[BreakerState, int]] = {}
        """Breaker state and number of observed calls as last published."""
        self._suspected: set[str] = set()
        self._soon: asyncio.Handle | None = None
        self.registry: Registry | None = None
        """Tools of this snapshot get their turnstile, and its credit, before their first call."""
        gates.changed = self._suspect
        app.timer(EVERY_S)(self.tick)

    def _suspect(self, key: str) -> None:
        self._suspected.add(key)
        if self._soon is None:
            self._soon = asyncio.get_running_loop().call_soon(self._look)

    def _look(self) -> None:
        """Publish the breakers that changed."""
        suspected, self._suspected, self._soon = self._suspected, set(), None
        now = self._road.clock()
        changed = [
            gate
            for gate in (self._gates.get(key) for key in suspected)
            if gate is not None and self._state_as_told(gate) != gate.turnstile.breaker.look(now)
        ]
        self._publish([gate for gate in changed if self._ledger.owns(gate)], now)

    async def tick(self) -> None:
        """Publish what is new of the tools whose calls come here."""
        now = self._road.clock()
        self._prepare()
        news = []
        for gate in self._gates:
            if not self._ledger.owns(gate):
                self._told.pop(gate.key, None)
                continue
            state, seen = gate.turnstile.breaker.look(now), gate.turnstile.observed.total
            if self._told.get(gate.key, ("closed", 0)) != (state, seen):
                news.append(gate)
        self._publish(news, now)

    def _prepare(self) -> None:
        if self.registry is None:
            return
        for tool in self.registry.tools.values():
            policy = self.registry.policy_for(tool)
            if policy is None:
                continue
            for shard in all_shards(shards_of(tool, policy)):
                key = shard.key(tool.id)
                if self._gates.get(key) is not None:
                    continue
                if self._ledger.owns_calls(tool.kind, key):
                    credit = self._gates.gate(tool, policy, shard).turnstile.credit
                    if credit is not None:
                        credit.has()

    def _state_as_told(self, gate: Gate) -> BreakerState:
        return self._told.get(gate.key, ("closed", 0))[0]

    def _publish(self, gates: list[Gate], now: float) -> None:
        if not gates:
            return
        road, put = self._road, self._app.producer.put
        health, points = [], []
        for gate in gates:
            before, word = self._state_as_told(gate), self._health(gate, now)
            self._told[gate.key] = (word.breaker, gate.turnstile.observed.total)
            health.append(road.item(gate.key, word))
            if before != word.breaker:
                points += _points(gate.key, before, word.breaker, now)
        put(road.topics.tool_health, 0, health)
        if points:
            items = [road.item(self._worker_id, point) for point in points]
            put(road.topics.telemetry, road.partition(self._worker_id), items)

    def _health(self, gate: Gate, now: float) -> ToolHealth:
        breaker, figures = gate.turnstile.breaker, gate.turnstile.observed.figures()
        state = breaker.look(now)
        return ToolHealth(
            tool_id=gate.tool.id,
            breaker=state,
            failure_rate=figures.failure_rate,
            p50_ms=figures.p50_ms,
            p95_ms=figures.p95_ms,
            calls=figures.calls,
            at=now,
            worker=self._worker_id,
            changed_at=breaker.changed_at,
            retry_at=breaker.retry_at if state == "open" else 0.0,
            shard=gate.shard.number,
            shards=gate.shard.of,
        )


def _points(service: str, before: BreakerState, after: BreakerState, now: float) -> list[MetricPoint]:
    return [
        MetricPoint(
            name="circuit_breaker_state_changes_total",
            value=1.0,
            at=now,
            tags={"service": service, "from_state": before, "to_state": after},
        ),
        MetricPoint(name="circuit_breaker_state", value=GAUGE[after], at=now, tags={"service": service}),
    ]
