"""The embedded graph store, read-only. Its library is an extra: imported when the first question comes."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.graph_values import Listed, entity, listed_of
from agents.execution.tools.engines.scalars import scalar
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error

_BUFFER_BYTES = 64 * 1024 * 1024
_THREADS_PER_QUERY = 1


@dataclass(slots=True)
class _Open:
    """A database as it was when it was opened, and how many questions read it now."""

    version: tuple[int, int, int]
    database: Any
    readers: int = 0
    replaced: bool = False


class LadybugEngine:
    """Keeps each store open between questions, and opens it again when it was replaced."""

    def __init__(self) -> None:
        self._open: dict[str, _Open] = {}
        self._lock = threading.Lock()

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped or too slow, UPSTREAM_UNAVAILABLE when the store is not
        there, else TOOL_BAD_REQUEST."""
        import ladybug

        try:
            store = self._taken(question.source.location, ladybug)
        except (OSError, RuntimeError) as error:
            return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=f"{type(error).__name__}: {error}")
        connection = None
        try:
            connection = ladybug.Connection(store.database, num_threads=_THREADS_PER_QUERY)
            connection.set_query_timeout(max(1, int(question.timeout_s * 1_000)))
            stop.calls(connection.interrupt)
            if stop:
                return ops_error(ErrorCode.TOOL_TIMEOUT)
            return _fetched(connection, question, stop)
        except RuntimeError as error:
            return _as_error(error)
        finally:
            stop.calls(None)
            if connection is not None:
                connection.close()
            self._given_back(store)

    def close(self) -> None:
        """Close every store nobody reads any more; the others close with their last reader."""
        with self._lock:
            for store in self._open.values():
                store.replaced = True
                if not store.readers:
                    store.database.close()
            self._open.clear()

    def _taken(self, location: str, ladybug: Any) -> _Open:
        found = Path(location).stat()
        version = (found.st_ino, found.st_mtime_ns, found.st_size)
        with self._lock:
            store = self._open.get(location)
            if store is None or store.version != version:
                database = ladybug.Database(location, read_only=True, buffer_pool_size=_BUFFER_BYTES)
                if store is not None:
                    store.replaced = True
                    if not store.readers:
                        store.database.close()
                store = self._open[location] = _Open(version, database)
            store.readers += 1
            return store

    def _given_back(self, store: _Open) -> None:
        with self._lock:
            store.readers -= 1
            if store.replaced and not store.readers:
                store.database.close()


def _fetched(connection: Any, question: Question, stop: Stop) -> Found:
    values = dict(question.values)
    if TENANT_PLACEHOLDER in question.statement:
        values[TENANT_PLACEHOLDER] = question.tenant_id
    result = connection.execute(question.statement, parameters=values)
    try:
        columns = tuple(result.get_column_names())
        listed = listed_of(question.source.tables)
        rows: list[list[Any]] = []
        while result.has_next() and len(rows) < question.max_rows and not stop:
            rows.append([scalar(_shown(value, listed)) for value in result.get_next()])
        return Found(columns, rows)
    finally:
        result.close()


def _shown(value: Any, listed: Listed) -> Any:
    """Nodes and relations, and lists and paths of them, as they may be shown."""
    if isinstance(value, list):
        return [_shown(each, listed) for each in value]
    if not isinstance(value, dict):
        return value
    label = value.get("_LABEL") or value.get("_label")
    if label is None:
        return {name: _shown(each, listed) for name, each in value.items()}
    return entity(str(label), value, listed)


def _as_error(error: RuntimeError) -> OpsError:
    text = str(error)
    if "nterrupted" in text or "timed out" in text.lower():
        return ops_error(ErrorCode.TOOL_TIMEOUT, detail=text)
    if "read-only" in text:
        return ops_error(ErrorCode.SQL_BLOCKED, detail=text)
    if text.startswith(("IO exception", "Buffer manager exception", "Storage")):
        return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=text)
    return ops_error(ErrorCode.TOOL_BAD_REQUEST, detail=text)
