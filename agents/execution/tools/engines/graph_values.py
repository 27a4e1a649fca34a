"""What a graph store gives, as it may be shown: nodes and relations with their listed properties only."""

from collections.abc import Mapping
from typing import Any

Listed = Mapping[str, frozenset[str]]
"""Label, in lower case → its listed properties."""


def listed_of(tables: Mapping[str, list[str]]) -> Listed:
    """The whitelist of a source by label."""
    return {name.lower(): frozenset(columns) for name, columns in tables.items()}


def entity(label: str, properties: Mapping[str, Any], listed: Listed) -> dict[str, Any]:
    """A node or relation as a map."""
    shown = listed.get(label.lower(), frozenset())
    return {"label": label, **{name: each for name, each in properties.items() if name in shown}}
