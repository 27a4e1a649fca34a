"""Where the parts meet: settings, packs, tools and lanes become the apps of one worker."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from agents.aggregation.aggregator import Aggregator
from agents.execution.execution import Execution
from agents.execution.tool import Tool
from agents.execution.toolbox import build_tools
from agents.llm.client import LlmClient
from agents.llm.settings import COMPOSER
from agents.planning.context import AsyncPlanner
from agents.planning.plan_cache import PlanCache
from agents.planning.planner import Planner
from agents.planning.planning import Planning
from agents.planning.replanner import Replanner
from agents.planning.replanning import Replanning
from agents.planning.resolution import Resolution
from agents.planning.rules import RulesPlanner
from cli.known_names import KnownNames
from cli.language_model import llm_client, llm_planner, with_llm_tools
from cli.live import LiveAssets, Swapped, execution_that_adopts, followed_health, wire_executors
from cli.packs import load_packs
from registry.health import HealthBoard
from registry.registry import Registry
from streams.app import make_app
from streams.claims import claim_store, sweep_claims
from streams.codecs import Codec
from streams.counters import Counters
from streams.road import Road
from streams.schema_ids import FileIds, RegistryIds
from streams.secrets import resolve_secret
from streams.settings import Settings
from streams.telemetry import attach_telemetry
from streams.topics import Topics

CLICKHOUSE_WAIT_S = 30.0


@dataclass
class Wired:
    """One worker's apps, what to do before it is ready and what to close behind it."""

    apps: list[Any] = field(default_factory=list)
    before_ready: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    background: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


async def make_road(settings: Settings) -> Road:
    """Topics, codec and counters of a worker or a client. Raises SchemaError."""
    ids = FileIds.load()
    if settings.codec == "avro" and settings.schema_registry_url:
        ids = await RegistryIds.register(settings.schema_registry_url)
    codec = Codec(ids, settings.codec)
    return Road(Topics.of(settings), codec, Counters(settings.worker_id), time.time)


async def wire_worker(settings: Settings) -> Wired:
    """Assemble the roles of the settings. Raises PackError, SchemaError, ClickHouseError."""
    road, wired = await make_road(settings), Wired()
    roles = set(settings.roles)
    if roles & {"planning", "execution"}:
        registry = with_llm_tools(Registry.of(*load_packs(settings)), settings)
        model = llm_client(settings)
        live = await _live_assets(settings, road, registry, wired)
        execution, tools = execution_that_adopts(
            live, lambda snapshot: _tools(settings, snapshot, model), time.time, settings
        )
        wired.closers.append(execution.close)
        if model is not None:
            wired.before_ready.append(model.warm)
            wired.closers.append(model.close)
        if "planning" in roles:
            thinker = llm_planner(settings, model, tools)
            _wire_planning(settings, road, live, tools, wired, thinker)
        if "execution" in roles:
            app = make_app(settings, "execution")
            wire_executors(app, road, execution, live, settings.worker_id)
            wired.background.append(partial(sweep_claims, claim_store(settings), time.time))
            wired.apps.append(app)
    if "aggregation" in roles:
        app = make_app(settings, "aggregation")
        Aggregator(app, road, answered_kept_s=settings.answered_kept_s)
        wired.apps.append(app)
    if "sink" in roles and settings.clickhouse_url:
        await _wire_sink(settings, road, wired)
    if wired.apps:
        attach_telemetry(wired.apps[0], road, settings.metrics_every_s)
    return wired


async def _live_assets(settings: Settings, road: Road, base: Registry, wired: Wired) -> LiveAssets:
    """The packs' assets and the log's over them, as far as it goes now; followed from here on."""
    live = LiveAssets(settings, road, base)
    await live.followed.catch_up()
    wired.background.append(live.followed.follow)
    wired.closers.append(live.followed.close)
    return live


def _tools(settings: Settings, registry: Registry, model: LlmClient | None) -> Mapping[str, Tool]:
    return build_tools(
        registry,
        llm=model,
        clickhouse_database=settings.clickhouse_database,
        clickhouse_user=settings.clickhouse_user,
        clickhouse_password=resolve_secret(settings.clickhouse_password),
    )


def _wire_planning(
    settings: Settings,
    road: Road,
    live: LiveAssets,
    tools: Mapping[str, Tool],
    wired: Wired,
    thinker: AsyncPlanner | None,
) -> None:
    # Names are looked up beside the road, by each planner for itself: their gates are this process's own.
    lookups = Execution(live.registry, tools, time.time)
    known = KnownNames(live.registry, lookups.run, time.time)
    board = HealthBoard(time.time)

    def plan_with(registry: Registry) -> Planning:
        return Planning(
            registry,
            [RulesPlanner()],
            known_values=known,
            clock=time.time,
            health=board,
            llm=thinker,
            selection=settings.planner,
            cache=PlanCache() if settings.plan_cache else None,
            composer=COMPOSER if settings.composer == "llm" else None,
            adapters=tools,
        )

    planning = Swapped(plan_with)
    replanning = Swapped(lambda registry: Replanning(registry, Resolution(registry, tools), board))
    for adopt in (
        lambda registry: lookups.adopt(registry, tools),
        known.adopt,
        planning.adopt,
        replanning.adopt,
    ):
        live.adopted_by(adopt)
    health = followed_health(settings, road, board)
    wired.before_ready.append(health.catch_up)
    wired.background.append(health.follow)
    wired.closers.append(health.close)
    app = make_app(settings, "planning")
    Planner(app, road, planning)
    Replanner(app, road, replanning, planning if thinker is not None else None)
    wired.apps.append(app)
    wired.before_ready.append(known.refresh)
    wired.background.append(known.keep_fresh)


async def _wire_sink(settings: Settings, road: Road, wired: Wired) -> None:
    from sinks.client import connect  # a driver that a worker without the sink's role need not load
    from sinks.sink import Batcher, into
    from sinks.sinker import attach_sinkers

    assert settings.clickhouse_url is not None
    client = await asyncio.to_thread(
        connect,
        settings.clickhouse_url,
        settings.clickhouse_database,
        user=settings.clickhouse_user,
        password=resolve_secret(settings.clickhouse_password),
        wait_s=CLICKHOUSE_WAIT_S,
    )
    batcher = Batcher(into(client))
    app = make_app(settings, "sink")
    attach_sinkers(app, road, batcher)
    wired.apps.append(app)

    async def close() -> None:
        batcher.abandon()

    wired.closers.append(close)
