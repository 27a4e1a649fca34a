"""Engines by the name a source gives. Each brings its library only when it is first asked for."""

import importlib.util
import threading
from collections.abc import Callable, Iterable, Mapping

from agents.execution.tool import Invocation
from agents.execution.tools.engines.engine import Engine
from schemas.errors import ErrorCode, OpsError, ops_error

SQL_ENGINES = ("sqlite", "clickhouse", "postgres", "duckdb", "mysql")
GRAPH_ENGINES = ("ladybug", "neo4j")
EXTRAS: Mapping[str, tuple[str, str]] = {
    "postgres": ("asyncpg", "postgres"),
    "duckdb": ("duckdb", "duckdb"),
    "mysql": ("pymysql", "mysql"),
    "ladybug": ("ladybug", "graph"),
    "neo4j": ("neo4j", "neo4j"),
}
"""Engines whose library is an extra: what to look for, and the extra's name."""


def make_engine(
    name: str,
    clickhouse_database: str = "opsloom",
    clickhouse_user: str = "default",
    clickhouse_password: str = "",
) -> Engine:
    """The engine of that name. KeyError for one nobody knows, ImportError without its extra."""

    def clickhouse() -> Engine:
        from agents.execution.tools.engines.clickhouse import ClickHouseEngine

        return ClickHouseEngine(clickhouse_database, clickhouse_user, clickhouse_password)

    return clickhouse() if name == "clickhouse" else _MAKERS[name]()


class Engines:
    """Engines of some names, each made when it is first asked for: sources come and go while a worker runs."""

    def __init__(self, names: Iterable[str], make: Callable[[str], Engine] = make_engine) -> None:
        self._names = frozenset(names)
        self._make = make
        self._made: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def of(self, invocation: Invocation) -> Engine | OpsError:
        """The engine of a call's source. ASSET_LOAD_FAILED without a source, with one of another kind, or when the
        engine's extra is not installed; the detail says which."""
        source = invocation.source
        if source is None or source.engine not in self._names:
            known = ", ".join(sorted(self._names))
            return ops_error(
                ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} needs a source of one of: {known}"
            )
        with self._lock:
            engine = self._made.get(source.engine)
            if engine is None:
                library, extra = EXTRAS.get(source.engine, ("", ""))
                if extra and importlib.util.find_spec(library) is None:
                    hint = f'{source.engine} needs the extra {extra}: pip install "opsloom[{extra}]"'
                    return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=hint)
                engine = self._made[source.engine] = self._make(source.engine)
            return engine

    def close(self) -> None:
        """Close those that were made."""
        with self._lock:
            made, self._made = self._made, {}
        for engine in made.values():
            engine.close()


def _sqlite() -> Engine:
    from agents.execution.tools.engines.sqlite import SqliteEngine

    return SqliteEngine()


def _postgres() -> Engine:
    from agents.execution.tools.engines.postgres import PostgresEngine

    return PostgresEngine()


def _duckdb() -> Engine:
    from agents.execution.tools.engines.duckdb import DuckDbEngine

    return DuckDbEngine()


def _mysql() -> Engine:
    from agents.execution.tools.engines.mysql import MySqlEngine

    return MySqlEngine()


def _ladybug() -> Engine:
    from agents.execution.tools.engines.ladybug import LadybugEngine

    return LadybugEngine()


def _neo4j() -> Engine:
    from agents.execution.tools.engines.neo4j import Neo4jEngine

    return Neo4jEngine()


_MAKERS: Mapping[str, Callable[[], Engine]] = {
    "sqlite": _sqlite,
    "postgres": _postgres,
    "duckdb": _duckdb,
    "mysql": _mysql,
    "ladybug": _ladybug,
    "neo4j": _neo4j,
}
