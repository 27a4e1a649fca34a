"""Engines that are asked in SQL, by the name a source gives. Each brings its library only when it is made."""

import threading
from collections.abc import Iterator, Mapping, ValuesView

from agents.execution.tools.engines.engine import Engine

SQL_ENGINES = ("sqlite", "clickhouse", "postgres", "duckdb", "mysql")


def make_engine(
    name: str,
    clickhouse_database: str = "opsloom",
    clickhouse_user: str = "default",
    clickhouse_password: str = "",
) -> Engine:
    """The engine of that name. KeyError for one that is not asked in SQL, ImportError without its extra."""
    if name == "sqlite":
        from agents.execution.tools.engines.sqlite import SqliteEngine

        return SqliteEngine()
    if name == "postgres":
        from agents.execution.tools.engines.postgres import PostgresEngine

        return PostgresEngine()
    if name == "duckdb":
        from agents.execution.tools.engines.duckdb import DuckDbEngine

        return DuckDbEngine()
    if name == "mysql":
        from agents.execution.tools.engines.mysql import MySqlEngine

        return MySqlEngine()
    if name == "clickhouse":
        from agents.execution.tools.engines.clickhouse import ClickHouseEngine

        return ClickHouseEngine(clickhouse_database, clickhouse_user, clickhouse_password)
    raise KeyError(name)


class SqlEngines(Mapping[str, Engine]):
    """The engines by name, each made when it is first asked for: sources come and go while a worker runs."""

    def __init__(self, clickhouse_database: str, clickhouse_user: str, clickhouse_password: str) -> None:
        self._clickhouse = (clickhouse_database, clickhouse_user, clickhouse_password)
        self._made: dict[str, Engine] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Engine:
        """KeyError for an engine that is not asked in SQL, or whose extra is not installed."""
        with self._lock:
            engine = self._made.get(name)
            if engine is None:
                try:
                    engine = self._made[name] = make_engine(name, *self._clickhouse)
                except ImportError as missing:
                    raise KeyError(name) from missing
            return engine

    def __iter__(self) -> Iterator[str]:
        return iter(SQL_ENGINES)

    def __len__(self) -> int:
        return len(SQL_ENGINES)

    def values(self) -> ValuesView[Engine]:
        """Those made so far, for closing."""
        with self._lock:
            return dict(self._made).values()
