"""What holds at this moment: the assets of packs and log, and every version of a policy that the log remembers."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from cli.asset_log import AssetLog
from cli.replay import policies_in
from registry.assets import PolicyAsset
from registry.registry import Registry
from streams.settings import Settings
from streams.topic_admin import RoadError


class World(NamedTuple):
    """`note`: what a person should know of it; empty when there is nothing."""

    registry: Registry
    policies: Mapping[tuple[str, int], PolicyAsset]
    note: str


def present_world(settings: Settings) -> World:
    """Without a broker: the assets as the packs have them, and a note that says so. Raises PackError."""
    log, note = AssetLog(settings), ""
    base = log.registry
    try:
        asyncio.run(log.read())
    except RoadError:
        note = "No broker answers: assets are taken as the packs have them, without published changes."
    shipped = {
        (entry.asset.id, entry.asset.version): entry.asset
        for entry in base.entries
        if isinstance(entry.asset, PolicyAsset)
    }
    return World(log.registry, {**shipped, **policies_in(log.changes, base)}, note)
