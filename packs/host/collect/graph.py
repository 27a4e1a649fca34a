"""The graph store: what depends on what among installed packages, and which process started which."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packs.filling.stores import replaced
from packs.host.collect import debian, distributions
from packs.host.collect.debian import DebianPackage
from packs.host.collect.distributions import InstalledDistribution
from packs.host.collect.processes import RunningProcess

STORE = "graph"
_BUFFER_BYTES = 64 * 1024 * 1024
_MAX_BYTES = 1 << 30

_SCHEMA = (
    "CREATE NODE TABLE Package(name STRING PRIMARY KEY, version STRING, summary STRING)",
    "CREATE NODE TABLE DebianPackage(name STRING PRIMARY KEY, version STRING, summary STRING)",
    "CREATE NODE TABLE Process(pid INT64 PRIMARY KEY, name STRING, user STRING, rss_bytes INT64, "
    "started_at DOUBLE, read_at DOUBLE)",
    "CREATE REL TABLE DEPENDS_ON(FROM Package TO Package, requirement STRING)",
    "CREATE REL TABLE DEBIAN_DEPENDS_ON(FROM DebianPackage TO DebianPackage)",
    "CREATE REL TABLE PARENT_OF(FROM Process TO Process)",
)

_ADD_PACKAGE = "UNWIND $rows AS r CREATE (:{label} {{name: r.name, version: r.version, summary: r.summary}})"
_ADD_DEPENDS = (
    "UNWIND $rows AS r MATCH (a:Package {name: r.a}), (b:Package {name: r.b}) "
    "CREATE (a)-[:DEPENDS_ON {requirement: r.requirement}]->(b)"
)
_ADD_DEBIAN_DEPENDS = (
    "UNWIND $rows AS r MATCH (a:DebianPackage {name: r.a}), (b:DebianPackage {name: r.b}) "
    "CREATE (a)-[:DEBIAN_DEPENDS_ON]->(b)"
)
_ADD_PROCESS = (
    "UNWIND $rows AS r CREATE (:Process {pid: r.pid, name: r.name, user: r.user, rss_bytes: r.rss_bytes, "
    "started_at: r.started_at, read_at: r.read_at})"
)
_ADD_PARENT = (
    "UNWIND $rows AS r MATCH (a:Process {pid: r.a}), (b:Process {pid: r.b}) CREATE (a)-[:PARENT_OF]->(b)"
)


def collect_graph(
    path: Path,
    python: list[InstalledDistribution],
    packages: list[DebianPackage],
    processes: Sequence[RunningProcess],
    now: float,
) -> tuple[dict[str, int], list[str]]:
    """Write a new graph store; give its counts and notes. ImportError where ladybug is not installed."""
    import ladybug

    counts: dict[str, int] = {}
    with replaced(path) as building:
        database, connection = _open(ladybug, building)
        try:
            for statement in _SCHEMA:
                connection.execute(statement)
            connection.execute("BEGIN TRANSACTION")
            counts |= _add_python(connection, python)
            counts |= _add_debian(connection, packages)
            counts |= _add_processes(connection, processes, now)
            connection.execute("COMMIT")
        finally:
            connection.close()
            database.close()
    return counts, [] if packages else ["no dpkg here: Debian packages are left out"]


def renew_processes(path: Path, processes: Sequence[RunningProcess], now: float) -> dict[str, int]:
    """The same store with the packages kept as they are and the processes read anew."""
    import ladybug

    with replaced(path) as building:
        shutil.copyfile(path, building)
        database, connection = _open(ladybug, building)
        try:
            connection.execute("BEGIN TRANSACTION")
            connection.execute("MATCH (p:Process) DETACH DELETE p")
            counts = _add_processes(connection, processes, now)
            connection.execute("COMMIT")
        finally:
            connection.close()
            database.close()
    return counts


def _open(ladybug: Any, path: Path) -> tuple[Any, Any]:
    database = ladybug.Database(str(path), buffer_pool_size=_BUFFER_BYTES, max_db_size=_MAX_BYTES)
    return database, ladybug.Connection(database, num_threads=2)


def _add(connection: Any, statement: str, rows: list[dict[str, Any]]) -> int:
    if rows:
        connection.execute(statement, {"rows": rows})
    return len(rows)


def _add_python(connection: Any, found: list[InstalledDistribution]) -> dict[str, int]:
    nodes = [{"name": d.name, "version": d.version, "summary": d.summary} for d in found]
    edges = [
        {"a": name, "b": needed, "requirement": requirement}
        for name, needed, requirement in distributions.dependencies(found)
    ]
    return {
        "Package": _add(connection, _ADD_PACKAGE.format(label="Package"), nodes),
        "DEPENDS_ON": _add(connection, _ADD_DEPENDS, edges),
    }


def _add_debian(connection: Any, packages: list[DebianPackage]) -> dict[str, int]:
    # The same package may be there for two architectures; the first, which is the machine's own, stands.
    by_name: dict[str, DebianPackage] = {}
    for package in packages:
        by_name.setdefault(package.name, package)
    nodes = [{"name": p.name, "version": p.version, "summary": p.summary} for p in by_name.values()]
    edges = [{"a": name, "b": needed} for name, needed in debian.dependencies(packages)]
    return {
        "DebianPackage": _add(connection, _ADD_PACKAGE.format(label="DebianPackage"), nodes),
        "DEBIAN_DEPENDS_ON": _add(connection, _ADD_DEBIAN_DEPENDS, edges),
    }


def _add_processes(connection: Any, processes: Sequence[RunningProcess], now: float) -> dict[str, int]:
    pids = {process.pid for process in processes}
    nodes = [
        {
            "pid": p.pid,
            "name": p.name,
            "user": p.user,
            "rss_bytes": p.rss_bytes,
            "started_at": p.started_at,
            "read_at": now,
        }
        for p in processes
    ]
    edges = [{"a": p.ppid, "b": p.pid} for p in processes if p.ppid in pids and p.ppid != p.pid]
    return {
        "Process": _add(connection, _ADD_PROCESS, nodes),
        "PARENT_OF": _add(connection, _ADD_PARENT, edges),
    }
