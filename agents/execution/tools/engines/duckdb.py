"""DuckDB in a process of its own: memory and time are bounded from outside, and what hangs is killed.

The process holds a copy of the tenant's rows of the tables a statement names and has let go of the file before the
statement comes; external access is off and the configuration locked. It is kept for the next question of the same
tenant over the same tables, until the file changes.
"""

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from pathlib import Path
from typing import IO, Any

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.engines.placeholders import rewritten
from agents.execution.tools.threads import Stop
from schemas.errors import ErrorCode, OpsError, ops_error

_MEMORY_MB = 512
_KEPT = 4
_LOADING_S = 30.0
_LOOK_S = 0.05

_Key = tuple[str, int, int, str, tuple[str, ...]]


class DuckDbEngine:
    """One process per tenant and set of tables, the least recently asked is ended first."""

    def __init__(self, memory_mb: int = _MEMORY_MB) -> None:
        self._memory_mb = memory_mb
        self._idle: OrderedDict[_Key, _Child] = OrderedDict()
        self._lock = threading.Lock()

    def ask(self, question: Question, stop: Stop) -> Found | OpsError:
        """Run the statement. TOOL_TIMEOUT when stopped or too slow, UPSTREAM_UNAVAILABLE when the file is not there
        or broken, else TOOL_BAD_REQUEST."""
        ends_at = time.monotonic() + question.timeout_s
        path = Path(question.source.location.replace("{tenant}", question.tenant_id))
        asked = question.statement.lower()
        tables = tuple(name for name in question.source.tables if name.lower() in asked)
        try:
            state = path.stat()
        except OSError as error:
            return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, detail=f"{type(error).__name__}: {error}")
        key = (str(path), state.st_mtime_ns, state.st_size, question.tenant_id, tables)
        with self._lock:
            child = self._idle.pop(key, None)
        if child is None or not child.alive:
            child = _Child()
            opened = child.told(_opening(question, str(path), tables, self._memory_mb), ends_at, stop)
            if isinstance(opened, OpsError):
                child.kill()
                return opened
        values = {**question.values, TENANT_PLACEHOLDER: question.tenant_id}
        wanted: dict[str, Any] = {}

        def write(name: str) -> str:
            wanted[name] = values[name]
            return f"${name}"

        text = rewritten(question.statement, "duckdb", write)
        reply = child.told({"sql": text, "values": wanted, "max_rows": question.max_rows}, ends_at, stop)
        if isinstance(reply, OpsError) and reply.code is ErrorCode.TOOL_TIMEOUT:
            child.kill()
            return reply
        self._keep(key, child)
        if isinstance(reply, OpsError):
            return reply
        return Found(tuple(reply["columns"]), reply["rows"])

    def close(self) -> None:
        """End the processes."""
        with self._lock:
            children = [*self._idle.values()]
            self._idle.clear()
        for child in children:
            child.kill()

    def _keep(self, key: _Key, child: "_Child") -> None:
        with self._lock:
            ended = [self._idle.pop(key)] if key in self._idle else []
            self._idle[key] = child
            while len(self._idle) > _KEPT:
                ended.append(self._idle.popitem(last=False)[1])
        for each in ended:
            each.kill()


def _opening(question: Question, path: str, tables: tuple[str, ...], memory_mb: int) -> dict[str, Any]:
    source = question.source
    return {
        "path": path,
        "tables": {name: source.tables[name] for name in tables},
        "tenant_column": source.tenant_column,
        "tenant": question.tenant_id,
        "memory_mb": memory_mb,
    }


class _Child:
    """The process, spoken to in lines of JSON."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "agents.execution.tools.engines.duckdb_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._unread = b""

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def told(self, message: dict[str, Any], ends_at: float, stop: Stop) -> dict[str, Any] | OpsError:
        """Say something and wait for the reply, until the time is over or the work shall stop."""
        try:
            _pipe(self._process.stdin).write(json.dumps(message).encode() + b"\n")
            _pipe(self._process.stdin).flush()
        except OSError as error:
            return ops_error(ErrorCode.TOOL_BAD_REQUEST, detail=f"the process ended: {error}")
        while b"\n" not in self._unread:
            if stop or time.monotonic() >= ends_at:
                return ops_error(ErrorCode.TOOL_TIMEOUT, detail="the process was killed")
            ready, _, _ = select.select([_pipe(self._process.stdout)], [], [], _LOOK_S)
            if ready:
                read = os.read(_pipe(self._process.stdout).fileno(), 1 << 20)
                if not read:
                    return ops_error(ErrorCode.TOOL_BAD_REQUEST, detail="the process ended: out of memory?")
                self._unread += read
        line, _, self._unread = self._unread.partition(b"\n")
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            return ops_error(ErrorCode(reply["code"]), detail=reply["error"])
        return reply

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
