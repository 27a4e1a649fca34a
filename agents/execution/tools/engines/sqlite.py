"""SQLite, read-only: opened for each question, so that a store that was replaced is seen at once."""

import contextlib
import sqlite3
import time
from pathlib import Path
from typing import Any

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.quantile import Quantile
from agents.execution.tools.engines.scalars import rows_of
from agents.execution.tools.engines.sqlite_functions import register_aggregates
from agents.execution.tools.engines.sqlite_walls import build_views
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error

_STEPS_BETWEEN_LOOKS = 2_000
_BUSY_S = 1.0
_LONGEST_VALUE = 1_000_000
_CACHE_KIB = 8_192

_LONGEST_PATTERN = 1_000
_UNAVAILABLE = frozenset(
    {"SQLITE_CANTOPEN", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_NOTADB", "SQLITE_CORRUPT"}
)


class SqliteEngine:
    """Connections are read-only twice over, and see the tenant's rows of the source's tables only
    (the second wall behind the guard)."""

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped, UPSTREAM_UNAVAILABLE when the file is not there, busy or
        broken, SQL_BLOCKED when the statement reaches further, else TOOL_BAD_REQUEST."""
        try:
            with contextlib.closing(_opened(question)) as connection:
                _guarded(connection, question, stop)
                stop.calls(connection.interrupt)
                try:
                    return _fetched(connection, question)
                finally:
                    stop.calls(None)
        except sqlite3.Error as error:
            return _as_error(error)

    def close(self) -> None:
        """Nothing stays open between questions."""


def _opened(question: Question) -> sqlite3.Connection:
    address = f"{Path(question.source.location).absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(
        address,
        uri=True,
        timeout=min(_BUSY_S, question.timeout_s),
        isolation_level=None,
        check_same_thread=False,
    )
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LONGEST_VALUE)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, _LONGEST_PATTERN)
    connection.create_aggregate("quantile", 2, Quantile)  # type: ignore[arg-type]  # typeshed wants int results
    return connection


def _guarded(connection: sqlite3.Connection, question: Question, stop: Stop) -> None:
    ends_at = time.monotonic() + question.timeout_s

    def over() -> int:
        return bool(stop) or time.monotonic() >= ends_at

    connection.set_progress_handler(over, _STEPS_BETWEEN_LOOKS)
    if question.source.engine == "sqlite":
        # A full-text index writes its own declaration when it is opened, and only fixed statements ask it.
        register_aggregates(connection)
        allowed = build_views(connection, question.source, question.tenant_id, question.statement)
        connection.execute("PRAGMA query_only = ON")
        connection.set_authorizer(allowed)
    else:
        connection.execute("PRAGMA query_only = ON")


def _fetched(connection: sqlite3.Connection, question: Question) -> Found:
    values: dict[str, Any] = {**question.values, TENANT_PLACEHOLDER: question.tenant_id}
    cursor = connection.execute(question.statement, values)
    rows = cursor.fetchmany(question.max_rows)
    columns = tuple(column[0] for column in cursor.description or ())
    cursor.close()
    return Found(columns, rows_of(rows))


def _as_error(error: sqlite3.Error) -> OpsError:
    name = getattr(error, "sqlite_errorname", "") or ""
    detail = f"{name}: {error}"
    if name == "SQLITE_INTERRUPT":
        return ops_error(ErrorCode.TOOL_TIMEOUT, detail=detail)
    if any(name.startswith(each) for each in _UNAVAILABLE):
        return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=detail)
    if name == "SQLITE_AUTH" or "prohibited" in str(error) or "not authorized" in str(error):
        return ops_error(ErrorCode.SQL_BLOCKED, detail=detail)
    return ops_error(ErrorCode.TOOL_BAD_REQUEST, detail=detail)
