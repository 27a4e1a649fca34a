"""The process behind `DuckDbEngine`: one line of JSON in, one out. It never holds more than one tenant's rows."""

import json
import os
import resource
import sys
import threading
import time
from typing import Any

import duckdb

from agents.execution.tools.engines.scalars import rows_of
from schemas.errors import ErrorCode

_ADDRESS_SPACE_PER_MEMORY = 6
"""The engine reserves more addresses than it uses; beyond this the system refuses."""


def main() -> None:
    """Open as the first line says, then answer the statements of the others."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    connection: Any = None
    for line in sys.stdin.buffer:
        message = json.loads(line)
        try:
            if connection is None:
                connection = _opened(message)
                reply: dict[str, Any] = {"ready": True}
            else:
                reply = _found(connection, message)
        except duckdb.IOException as error:
            reply = _failed(ErrorCode.UPSTREAM_UNAVAILABLE, error)
        except duckdb.PermissionException as error:
            reply = _failed(ErrorCode.SQL_BLOCKED, error)
        except (duckdb.Error, MemoryError, ValueError) as error:
            reply = _failed(ErrorCode.TOOL_BAD_REQUEST, error)
        sys.stdout.buffer.write(json.dumps(reply).encode() + b"\n")
        sys.stdout.buffer.flush()


def _opened(message: dict[str, Any]) -> Any:
    most = message["memory_mb"] * 1024 * 1024 * _ADDRESS_SPACE_PER_MEMORY
    connection = duckdb.connect(
        ":memory:",
        config={
            "memory_limit": f"{message['memory_mb']}MB",
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        },
    )
    path = message["path"].replace("'", "''")
    connection.execute(f"ATTACH '{path}' AS source (READ_ONLY)")
    for table, columns in message["tables"].items():
        listed = ", ".join(map(_quoted, columns)) or "*"
        origin = f"source.main.{_quoted(table)}"
        if message["tenant_column"] is None:
            connection.execute(f"CREATE TABLE {_quoted(table)} AS SELECT {listed} FROM {origin}")
        else:
            rows = f"{_quoted(message['tenant_column'])} = ?"
            connection.execute(
                f"CREATE TABLE {_quoted(table)} AS SELECT {listed} FROM {origin} WHERE {rows}",
                [message["tenant"]],
            )
    connection.execute("DETACH source")
    for setting in ("temp_directory = ''", "enable_external_access = false", "lock_configuration = true"):
        connection.execute(f"SET {setting}")
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    return connection


def _found(connection: Any, message: dict[str, Any]) -> dict[str, Any]:
    statements = connection.extract_statements(message["sql"])
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        return _failed(ErrorCode.SQL_BLOCKED, ValueError("not one SELECT"))
    asked = connection.execute(statements[0], message["values"])
    columns = [column[0] for column in asked.description]
    return {"columns": columns, "rows": rows_of(asked.fetchmany(message["max_rows"]))}


def _failed(code: ErrorCode, error: BaseException) -> dict[str, Any]:
    return {"code": code.value, "error": f"{type(error).__name__}: {error}"[:2_000]}


def _end_with(parent: int) -> None:
    """A statement that runs long must not outlive the worker that asked it."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


if __name__ == "__main__":
    main()
