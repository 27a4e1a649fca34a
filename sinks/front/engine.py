"""The embedded engine: one request, one connection, so that no setting outlives the request that made it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sinks.front.statement import (
    insert_with_rows,
    kill_by_comment,
    names_a_file_of_the_server,
    reads_outside,
    trailing_format,
)

_CODE = re.compile(r"Code: (\d+)\.")
_SETTING_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFAULT_DATABASE = "default"
_READONLY = "Code: 164. DB::Exception: Cannot execute query in readonly mode. (READONLY)"


class EngineError(Exception):
    """The engine's own exception: `code` as ClickHouse numbers it, `text` as its server would send it."""

    def __init__(self, text: str, code: int | None = None) -> None:
        start = text.find("Code: ")
        self.text = text[start:].strip() if start >= 0 else text.strip()
        found = _CODE.match(self.text)
        self.code = code if code is not None else int(found[1]) if found else 1002
        super().__init__(self.text)


class EngineBusyError(RuntimeError):
    """Another process has the path open; one path is one process."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one HTTP request asks of the engine. `text` is the statement, then an insert's rows."""

    text: bytes
    query_id: str
    database: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    default_format: str = "TabSeparated"
    readonly: bool = False
    """At least readonly=2, as the server treats every GET."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came back; `format` is None for a statement that has no result set."""

    body: bytes
    format: str | None
    rows_read: int
    bytes_read: int
    rows_written: int
    bytes_written: int
    elapsed_s: float


class Engine:
    """chDB over one path. Calls block, may come from many threads, and each has its own connection."""

    def __init__(self, path: Path, options: Mapping[str, str]) -> None:
        """Open the path. Raises EngineBusyError if another process has it, ImportError without chDB."""
        # 0.5 s and 250 MB: only the process that is the engine pays for it.
        from chdb import _chdb

        engine: Any = _chdb
        self._connect = engine.connect
        self._read_only = engine.query_class.READ_ONLY
        self._path = str(path.resolve())
        tail = "&".join(f"{name}={value}" for name, value in options.items())
        try:
            self._root: Any = self._connect(f"{self._path}?{tail}" if tail else self._path)
        except RuntimeError as error:
            if "lock" in str(error).lower():
                raise EngineBusyError(f"another process is using {path}") from error
            raise
        facts = self._root.query("SELECT version(), timezone()", "TabSeparated").bytes().decode().split()
        self.version: str = facts[0]
        self.timezone: str = facts[1]

    def close(self) -> None:
        """Let go of the path."""
        self._root.close()

    def run(self, request: Request) -> Result:
        """Run one statement. Raises EngineError, whose text a client may read."""
        connection = self._connect(self._path)
        try:
            insert = insert_with_rows(request.text)
            readonly = self._readonly(request)
            if insert is not None:
                if readonly != "0":
                    raise EngineError(_READONLY)
                self._prepare(connection, request, readonly)
                return _insert(connection, insert.head, insert.settings, insert.format, insert.rows)
            sql = request.text.decode()
            self._refuse(connection, request, sql, readonly)
            self._prepare(connection, request, readonly)
            returns_rows = self._reads(connection, sql)
            return _select(connection, kill_by_comment(sql) or sql, request, returns_rows)
        except UnicodeDecodeError as error:
            raise EngineError("Code: 62. DB::Exception: Syntax error: not UTF-8. (SYNTAX_ERROR)") from error
        except RuntimeError as error:
            raise EngineError(str(error)) from error
        finally:
            connection.close()

    def is_read_only(self, request: Request) -> bool:
        """Whether stopping this request half way can lose nothing."""
        sql = request.text[:65_536].decode(errors="replace")
        return bool(self._root.classify_query(sql)["query_class"] == self._read_only)

    def kill(self, query_id: str) -> None:
        """Stop what runs under this id; nothing happens if nothing does."""
        connection = self._connect(self._path)
        try:
            literal = _literal(query_id)
            with contextlib.suppress(RuntimeError):
                connection.query(f"KILL QUERY WHERE Settings['log_comment'] = {literal} ASYNC", "Null")
        finally:
            connection.close()

    @staticmethod
    def _readonly(request: Request) -> str:
        asked = request.settings.get("readonly", "0")
        return "2" if request.readonly and asked == "0" else asked

    def _refuse(self, connection: Any, request: Request, sql: str, readonly: str) -> None:
        """What the server's HTTP interface refuses, and what `readonly` should."""
        known = connection.classify_query(sql)
        if known["statement_count"] > 1:
            raise EngineError(
                "Code: 62. DB::Exception: Syntax error (Multi-statements are not allowed). (SYNTAX_ERROR)"
            )
        if names_a_file_of_the_server(sql):
            raise EngineError(
                "Code: 48. DB::Exception: Files of the server's side are not allowed here. (NOT_IMPLEMENTED)"
            )
        if readonly == "0" or known["statement_count"] == 0:
            return
        if known["query_class"] != self._read_only:
            raise EngineError(_READONLY)
        if reads_outside(sql, default_database=(request.database or _DEFAULT_DATABASE) == _DEFAULT_DATABASE):
            raise EngineError(
                "Code: 497. DB::Exception: Not enough privileges: a readonly query may not read files, other "
                "servers or programs. (ACCESS_DENIED)"
            )

    @staticmethod
    def _prepare(connection: Any, request: Request, readonly: str) -> None:
        """Database and settings of this request alone; readonly last, for nothing can be set after it."""
        if request.database:
            name = request.database.replace("\\", "\\\\").replace("`", "\\`")
            connection.query(f"USE `{name}`", "Null")
        chosen = {"log_comment": request.query_id, **request.settings}
        chosen.pop("readonly", None)
        if readonly != "0":
            chosen["readonly"] = readonly
        for name in chosen:
            if not _SETTING_NAME.fullmatch(name):
                raise EngineError(f"Code: 115. DB::Exception: Unknown setting '{name}'. (UNKNOWN_SETTING)")
        pairs = ", ".join(f"{name} = {_literal(value)}" for name, value in chosen.items())
        connection.query(f"SET {pairs}", "Null")

    def _reads(self, connection: Any, sql: str) -> bool:
        return bool(connection.classify_query(sql)["query_class"] == self._read_only)


def _literal(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _select(connection: Any, sql: str, request: Request, returns_rows: bool) -> Result:
    found = connection.query(sql, request.default_format, params=dict(request.parameters))
    body = found.bytes() or b""
    shape = trailing_format(sql) or request.default_format
    return Result(
        body=body,
        format=shape if returns_rows or body else None,
        rows_read=found.storage_rows_read(),
        bytes_read=found.storage_bytes_read(),
        rows_written=found.rows_written(),
        bytes_written=found.bytes_written(),
        elapsed_s=found.elapsed(),
    )


def _insert(connection: Any, head: str, settings: str, form: str, rows: bytes) -> Result:
    if settings:
        connection.query(f"SET {settings}", "Null")
    stream = connection.send_insert(head, form)
    try:
        if rows:
            connection.insert_append(stream, rows)
        done = connection.insert_done(stream)
    except RuntimeError:
        # The engine's first word is the one that counts; a stream that failed may refuse to be cancelled.
        with contextlib.suppress(RuntimeError):
            connection.insert_cancel(stream)
        raise
    return Result(
        body=b"",
        format=None,
        rows_read=done.rows_written(),
        bytes_read=len(rows),
        rows_written=done.rows_written(),
        bytes_written=done.bytes_written(),
        elapsed_s=done.elapsed(),
    )
