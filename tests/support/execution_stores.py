"""Real stores for tests of tools: SQLite, FTS5, the graph, and assets that point at them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from registry.assets import Kind, SourceAsset, TemplateAsset, ToolAsset
from registry.registry import Registry
from schemas.calls import ToolCalled

TENANT = "acme"
OTHER_TENANT = "globex"
NOW = 1_800_000_000.0
"""The tests' moment; the newest sample lies there."""

SAMPLES = 6_000
CHUNKS = 6_000
WORDS = [
    f"{stem}{ending}"
    for stem in ("broker", "harbor", "meadow", "copper", "velvet")
    for ending in ("ward", "less", "like", "most")
]

INVENTORY = SourceAsset(
    id="inventory",
    engine="sqlite",
    location="{folder}/inventory.db",
    tables={"servers": ["name", "rack", "memory_bytes"], "numbers": ["n"]},
)
DUCKS = SourceAsset(
    id="ducks",
    engine="duckdb",
    location="{folder}/inventory.duckdb",
    tables={"servers": ["name", "rack", "memory_bytes"], "numbers": ["n"]},
)
SHARED = SourceAsset(
    id="shared",
    engine="sqlite",
    location="{folder}/inventory.db",
    tables={"tickets": ["tenant_id", "title"]},
    tenant_column="tenant_id",
)
SAMPLES_STORE = SourceAsset(
    id="samples_store",
    engine="sqlite",
    location="{folder}/samples.db",
    tables={"host_samples": ["tenant_id", "at", "series", "metric", "value"]},
    tenant_column="tenant_id",
)
LIBRARY = SourceAsset(
    id="library",
    engine="fts5",
    location="{folder}/documents.db",
    tables={
        "documents": ["document_id", "document_name", "document_type", "path_hint", "modified_at"],
        "chunks": ["chunk_text", "document_id", "chunk_id", "page_number"],
    },
)
GRAPH = SourceAsset(
    id="graph_store",
    engine="ladybug",
    location="{folder}/graph",
    tables={"Package": ["name", "size"], "DEPENDS_ON": []},
)


def build_inventory(folder: Path) -> None:
    """Servers, a secret table beside them, numbers to count with, tickets of two tenants."""
    connection = sqlite3.connect(folder / "inventory.db")
    connection.executescript(
        """
        CREATE TABLE servers(name TEXT, rack TEXT, memory_bytes INTEGER, password TEXT);
        CREATE TABLE salaries(person TEXT, amount INTEGER);
        CREATE TABLE numbers(n INTEGER);
        CREATE TABLE tickets(tenant_id TEXT, title TEXT);
        INSERT INTO salaries VALUES ('ann', 90000);
        INSERT INTO tickets VALUES ('acme', 'printer'), ('globex', 'reactor');
        """
    )
    servers = [(f"db-{n}", f"r{n % 3}", n * 1024, "hunter2") for n in range(1, 21)]
    connection.executemany("INSERT INTO servers VALUES (?, ?, ?, ?)", servers)
    connection.executemany("INSERT INTO numbers VALUES (?)", [(n,) for n in range(2_000)])
    connection.commit()
    connection.close()


def build_ducks(folder: Path) -> None:
    """The same servers and numbers in DuckDB."""
    import duckdb

    with duckdb.connect(str(folder / "inventory.duckdb")) as connection:
        connection.execute("CREATE TABLE servers(name TEXT, rack TEXT, memory_bytes INTEGER, password TEXT)")
        connection.execute("CREATE TABLE numbers(n INTEGER)")
        servers = [(f"db-{n}", f"r{n % 3}", n * 1024, "hunter2") for n in range(1, 21)]
        connection.executemany("INSERT INTO servers VALUES (?, ?, ?, ?)", servers)
        connection.execute("INSERT INTO numbers SELECT * FROM range(2000)")


def build_samples(folder: Path) -> None:
    """One sample a second up to NOW: 50 with a small wave, the last one 90; another tenant's are 999."""
    connection = sqlite3.connect(folder / "samples.db")
    connection.execute(
        "CREATE TABLE host_samples(tenant_id TEXT, at REAL, series TEXT, metric TEXT, value REAL)"
    )
    rows: list[tuple[str, float, str, str, float]] = [
        (TENANT, NOW - second, "host", "load", 90.0 if second == 0 else 50.0 + second % 5)
        for second in range(SAMPLES)
    ]
    rows += [(OTHER_TENANT, NOW - second, "host", "load", 999.0) for second in range(100)]
    rows += [(TENANT, NOW - second, f"cpu{second % 2}", "busy", float(second % 2)) for second in range(100)]
    connection.executemany("INSERT INTO host_samples VALUES (?, ?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def build_documents(folder: Path) -> None:
    """A runbook about replaying letters, a guide, and many chunks of common words."""
    connection = sqlite3.connect(folder / "documents.db")
    connection.executescript(
        """
        CREATE TABLE documents(document_id TEXT PRIMARY KEY, document_name TEXT, document_type TEXT,
                               path_hint TEXT, modified_at REAL);
        CREATE VIRTUAL TABLE chunks USING fts5(chunk_text, document_id UNINDEXED, chunk_id UNINDEXED,
                                               page_number UNINDEXED);
        INSERT INTO documents VALUES ('rb', 'Runbook', 'runbook', '/srv/secret/runbook.md', 1000.0),
                                     ('gd', 'Guide', 'guide', '/srv/secret/guide.md', 2000.0),
                                     ('bulk', 'Bulk', 'bulk', '/srv/secret/bulk.md', NULL);
        INSERT INTO chunks VALUES
            ('To redrive dead letters, look at their code first, then publish them again.', 'rb', 'rb#1', 1),
            ('When the cellar floods, close the sluice and call the warden.', 'rb', 'rb#2', 2),
            ('A guide to dead reckoning for sailors who lost their letters.', 'gd', 'gd#1', 1);
        """
    )
    rows = [
        (" ".join(WORDS[(n + k) % len(WORDS)] for k in range(10)), "bulk", f"bulk#{n}", n)
        for n in range(CHUNKS)
    ]
    connection.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?)", rows)
    connection.commit()
    connection.close()


def build_graph(folder: Path) -> None:
    """Sixty packages; package i depends on the ten after it, so that long paths are many. And a secret label."""
    import ladybug

    database = ladybug.Database(str(folder / "graph"), buffer_pool_size=64 * 1024 * 1024)
    connection = ladybug.Connection(database)
    for statement in (
        "CREATE NODE TABLE Package(name STRING PRIMARY KEY, size INT64, token STRING)",
        "CREATE NODE TABLE Secret(name STRING PRIMARY KEY)",
        "CREATE REL TABLE DEPENDS_ON(FROM Package TO Package)",
        "CREATE (:Secret {name: 'crown jewels'})",
        "UNWIND range(0, 59) AS n CREATE (:Package {name: 'p' + CAST(n AS STRING), size: n, token: 'hunter2'})",
        "MATCH (a:Package), (b:Package) WHERE b.size > a.size AND b.size <= a.size + 10 CREATE (a)-[:DEPENDS_ON]->(b)",
    ):
        connection.execute(statement)
    connection.close()
    database.close()


def tool(tool_id: str, tool_type: str, kind: Kind, source: str | None, **fields: Any) -> ToolAsset:
    """A tool of TENANT alone."""
    return ToolAsset(
        id=tool_id,
        name=tool_id,
        tool_type=tool_type,
        kind=kind,
        source=source,
        supported_tenants=(TENANT,),
        **fields,
    )


TOOLS = (
    tool("query_inventory", "direct_query", "sql", "inventory"),
    tool("query_ducks", "direct_query", "sql", "ducks"),
    tool("query_shared", "direct_query", "sql", "shared"),
    tool("tabulate", "dynamic", "sql", "samples_store"),
    tool("measure", "baseline_metrics", "timeseries", "samples_store"),
    tool("search", "document_search", "document", "library"),
    tool("relate", "graph_query", "graph", "graph_store"),
    tool("probe", "probe", "mcp", None),
    tool("llm_tool", "llm_tool", "llm", None),
)


def registry_over(folder: Path, *more: ToolAsset | SourceAsset | TemplateAsset) -> Registry:
    """A registry of the stores in a folder. What is in `more` goes before what is here under the same id."""
    taken = {asset.id for asset in more}
    sources = [
        source.model_copy(update={"location": source.location.format(folder=folder)})
        for source in (INVENTORY, DUCKS, SHARED, SAMPLES_STORE, LIBRARY, GRAPH)
    ]
    own = [asset for asset in (*sources, *TOOLS) if asset.id not in taken]
    registry = Registry.of()
    # What others name comes first.
    for kind in (SourceAsset, ToolAsset, TemplateAsset):
        for asset in (*own, *more):
            if isinstance(asset, kind):
                registry = registry.register(asset)
    return registry


def call(tool_id: str, params: dict[str, Any], *, now: float, **fields: Any) -> ToolCalled:
    """A call of TENANT's viewer with a minute to run."""
    given = {
        "timeout_s": 30.0,
        "deadline_at": now + 60.0,
        "tenant_id": TENANT,
        "roles": ("viewer",),
        **fields,
    }
    return ToolCalled(
        trace_id="trace",
        user_id="user",
        call_id="call",
        step_id="step",
        tool_id=tool_id,
        tool_type="any",
        kind="sql",
        params=params,
        called_at=now,
        **given,
    )
