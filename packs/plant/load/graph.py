"""The service graph in ladybug. Every node carries its tenant."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packs.filling.stores import replaced
from packs.plant.world.landscape import Landscape

_BUFFER_BYTES = 64 * 1024 * 1024
_MAX_BYTES = 1 << 30
_NODES: Mapping[str, Mapping[str, str]] = {
    "Service": {"tier": "INT64", "language": "STRING"},
    "Host": {"region": "STRING", "role": "STRING"},
    "Team": {},
}
_EDGES = {
    "CALLS": ("Service", "Service"),
    "RUNS_ON": ("Service", "Host"),
    "OWNED_BY": ("Service", "Team"),
    "PART_OF": ("Team", "Team"),
}


def write_graph(path: Path, landscape: Landscape) -> dict[str, int]:
    """Write a new store in the place of `path`; counts by label. ImportError where ladybug is not installed."""
    import ladybug

    with replaced(path) as building:
        database = ladybug.Database(str(building), buffer_pool_size=_BUFFER_BYTES, max_db_size=_MAX_BYTES)
        connection = ladybug.Connection(database, num_threads=2)
        try:
            return _filled(connection, landscape)
        finally:
            connection.close()
            database.close()


def _filled(connection: Any, landscape: Landscape) -> dict[str, int]:
    counts: dict[str, int] = {}
    for label, properties in _NODES.items():
        more = "".join(f", {name} {kind}" for name, kind in properties.items())
        connection.execute(
            f"CREATE NODE TABLE {label}(key STRING PRIMARY KEY, tenant_id STRING, name STRING{more})"
        )
    for label, (source, target) in _EDGES.items():
        connection.execute(f"CREATE REL TABLE {label}(FROM {source} TO {target})")
    connection.execute("BEGIN TRANSACTION")
    for label, properties in _NODES.items():
        rows = [
            {"key": node.key, "tenant_id": node.tenant, "name": node.name, **node.properties}
            for node in landscape.nodes
            if node.label == label
        ]
        fields = ", ".join(f"{name}: r.{name}" for name in ("key", "tenant_id", "name", *properties))
        connection.execute(f"UNWIND $rows AS r CREATE (:{label} {{{fields}}})", {"rows": rows})
        counts[label] = len(rows)
    for label, (source, target) in _EDGES.items():
        pairs = [{"a": edge.source, "b": edge.target} for edge in landscape.edges if edge.label == label]
        connection.execute(
            f"UNWIND $rows AS r MATCH (a:{source} {{key: r.a}}), (b:{target} {{key: r.b}}) "
            f"CREATE (a)-[:{label}]->(b)",
            {"rows": pairs},
        )
        counts[label] = len(pairs)
    connection.execute("COMMIT")
    return counts
