"""What changes while a worker runs: assets from the log, tools' health, and the turnstiles of its executors."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agents.execution.execution import Execution
from agents.execution.executor import Executor
from agents.execution.gates import Gates
from agents.execution.ledger import KafkaLedger
from agents.execution.reporting import HealthReport
from agents.execution.tool import Tool
from agents.execution.toolbox import MissingExtra
from cli.packs import NO_CLICKHOUSE
from registry.health import HealthBoard
from registry.live import LiveRegistry
from registry.registry import Registry
from schemas.assets import AssetChanged
from schemas.health import ToolHealth
from streams.claims import claim_store
from streams.codecs import DecodeError
from streams.followed import Followed
from streams.road import Road
from streams.settings import Settings
from streams.topics import KINDS

ASSETS_REFUSED = "asset_changes_refused"
ASSETS_TAKEN = "asset_changes_taken"

NEWEST_WORDS = 20_000
"""Words on tools' health read at a start. What is older than minutes says nothing, and not every broker compacts."""

_log = logging.getLogger(__name__)

Adopt = Callable[[Registry], None]


def variables_of(settings: Settings) -> Mapping[str, str]:
    """What stands for `{data}`, `{clickhouse}` and `{home}` in locations."""
    return {
        "data": str(settings.data_dir),
        "clickhouse": settings.clickhouse_url or NO_CLICKHOUSE,
        "home": str(Path.home()),
    }


class LiveAssets:
    """Follows `ops.assets`. Whoever was given to `adopted_by` gets each new snapshot; a change that does not fit is
    logged and counted, and stops nothing."""

    def __init__(self, settings: Settings, road: Road, base: Registry) -> None:
        self._road = road
        self._live = LiveRegistry(base, variables_of(settings))
        self._adopters: list[Adopt] = []
        self.followed = Followed(settings.broker, road.topics.assets, self._take)

    @property
    def registry(self) -> Registry:
        """The newest snapshot."""
        return self._live.registry

    def adopted_by(self, adopt: Adopt) -> None:
        """Give every new snapshot to this, and the present one now."""
        self._adopters.append(adopt)
        adopt(self.registry)

    def _take(self, records: Sequence[Any]) -> None:
        before, changes = self.registry, []
        for record in records:
            if record.value is None:
                continue
            try:
                changes.append(self._road.codec.decode(record.value, {"AssetChanged": AssetChanged}))
            except DecodeError as exc:
                self._refused(f"offset {record.offset}", exc.reason)
        try:
            for change, reason in self._live.take(changes):
                self._refused(f"{change.kind} {change.asset_id} version {change.version}", reason)
        except Exception as exc:  # noqa: BLE001  # border: whatever lies in the log, the worker goes on
            self._refused("a change", repr(exc))
        if self.registry is not before:
            self._road.counters.add(ASSETS_TAKEN)
            for adopt in self._adopters:
                self._adopted(adopt)

    def _adopted(self, adopt: Adopt) -> None:
        try:
            adopt(self.registry)
        except Exception as exc:  # noqa: BLE001  # border: one part that cannot go on with it keeps what it has
            self._refused("a snapshot", repr(exc))

    def _refused(self, what: str, reason: str) -> None:
        self._road.counters.add(ASSETS_REFUSED)
        _log.warning("assets: %s was not taken: %s", what, reason)


class Swapped:
    """Stands for an object that is made anew for each snapshot; its users notice nothing."""

    def __init__(self, make: Callable[[Registry], Any]) -> None:
        self._make = make
        self.now: Any = None

    def adopt(self, registry: Registry) -> None:
        """Make it of this snapshot."""
        self.now = self._make(registry)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


def execution_that_adopts(
    live: LiveAssets,
    make_tools: Callable[[Registry], Mapping[str, Tool]],
    clock: Callable[[], float],
    settings: Settings,
) -> tuple[Execution, Mapping[str, Tool]]:
    """An execution that goes on with each new snapshot, and its adapters by tool type: those that exist are kept, with
    their connections, and new ones join them."""
    tools = dict(make_tools(live.registry))
    execution = Execution(
        live.registry,
        tools,
        clock,
        gates=Gates(clock),
        claims=claim_store(settings),
        claim_over_bytes=settings.claim_over_kb * 1024,
    )

    def adopt(registry: Registry) -> None:
        if any(tool.tool_type not in tools for tool in registry.tools.values()):
            try:
                made = make_tools(registry)
            except MissingExtra as exc:
                _log.warning("assets: %s", exc)
                made = {}
            tools.update((name, tool) for name, tool in made.items() if name not in tools)
        execution.adopt(registry, tools)

    live.adopted_by(adopt)
    return execution, tools


def wire_executors(app: Any, road: Road, execution: Execution, live: LiveAssets, worker_id: str) -> None:
    """One executor for each kind of tools, their turnstiles noted in `ops.gates`, their health published."""
    ledger = KafkaLedger(app, road, execution.gates)
    for kind in KINDS:
        Executor(app, road, kind, execution, ledger)
    report = HealthReport(app, road, execution.gates, ledger, worker_id)

    def adopt(registry: Registry) -> None:
        report.registry = registry

    live.adopted_by(adopt)


def followed_health(settings: Settings, road: Road, board: HealthBoard) -> Followed:
    """Tools' health as published by whoever runs them, on a board."""

    def take(records: Sequence[Any]) -> None:
        for record in records:
            if record.value is None:
                continue
            try:
                board.take(road.codec.decode(record.value, {"ToolHealth": ToolHealth}))
            except DecodeError as exc:
                _log.warning("tool health: %s", exc.reason)

    return Followed(settings.broker, road.topics.tool_health, take, newest=NEWEST_WORDS)
