"""Tools' health for Prometheus, read from `ops.tool-health`: every web process shows the whole fleet's breakers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge

from schemas.health import BreakerState, ToolHealth
from streams.codecs import Codec, DecodeError
from streams.followed import Followed

CODES: dict[BreakerState, float] = {"closed": 0.0, "open": 1.0, "half_open": 2.0}

NEWEST_WORDS = 20_000
"""Read at a start; what is older says nothing any more."""

MOST_TOOLS = 2_000
"""Tools shown; a label may not grow without bounds."""


class ToolFigures:
    """Gauges by tool; changes are counted from when this process began to follow."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._state = Gauge(
            "circuit_breaker_state", "0 closed, 1 open, 2 half-open.", ("service",), registry=registry
        )
        self._changes = Counter(
            "circuit_breaker_state_changes", "Changes of a breaker's state.",
            ("service", "from_state", "to_state"), registry=registry,
        )  # fmt: skip
        self._success = Gauge(
            "tool_success_rate", "Share of a tool's last calls that did not fail.",
            ("tool_name",), registry=registry,
        )  # fmt: skip
        self._known: dict[str, BreakerState] = {}
        self.caught_up = False

    def take(self, word: ToolHealth) -> None:
        """Show a tool's newest word."""
        before = self._known.get(word.tool_id, "closed")
        if word.tool_id not in self._known and len(self._known) >= MOST_TOOLS:
            return
        self._known[word.tool_id] = word.breaker
        self._state.labels(word.tool_id).set(CODES[word.breaker])
        if word.calls:
            self._success.labels(word.tool_id).set(1.0 - word.failure_rate)
        if self.caught_up and before != word.breaker:
            self._changes.labels(word.tool_id, before, word.breaker).inc()


def following(
    broker: str, topic: str, codec: Codec, figures: ToolFigures
) -> Callable[[web.Application], AsyncIterator[None]]:
    """Follow tools' health for as long as the application runs. A broker that is away only stops the figures."""

    def take(records: Sequence[Any]) -> None:
        for record in records:
            if record.value is not None:
                with contextlib.suppress(DecodeError):
                    figures.take(codec.decode(record.value, {"ToolHealth": ToolHealth}))

    async def follow(_app: web.Application) -> AsyncIterator[None]:
        followed = Followed(broker, topic, take, newest=NEWEST_WORDS)

        async def run() -> None:
            with contextlib.suppress(Exception):  # the broker is away: `follow` goes on from here
                await followed.catch_up()
            figures.caught_up = True
            await followed.follow()

        task = asyncio.create_task(run())
        yield
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await followed.close()

    return follow
