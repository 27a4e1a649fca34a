"""The embedded ClickHouse: the real engine in a process of its own, asked over ClickHouse's HTTP interface.

For trying out, for tests and for one machine. What an insert acknowledged is there again after the
process, or the machine's user, killed it. One path belongs to one process at a time; every other
process asks that one over HTTP, with the same client code as a ClickHouse server.

`python -m sinks.embedded_clickhouse --path DIR [--port N]` serves in the foreground.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path

from streams.embedded_process import EmbeddedProcess, EmbeddedProcessError, directory_in_use, try_lock

_TITLE = "ClickHouse"
_PREDECESSOR_S = 3.0
"""How long a start waits for a predecessor over the same directory that is still ending."""
_LAST_WORDS_S = 1.0
"""How long statements that run may go on when the process is asked to end."""
_LOG_NAME = "clickhouse.log"
_STORE_NAME = "store"
_BUSY_EXIT, _MISSING_EXIT, _ADDRESS_EXIT = 3, 4, 5

# A desk's machine, not a server: caches and pools that fit beside a broker and some workers.
_ENGINE_OPTIONS = {
    "mark_cache_size": "67108864",
    "uncompressed_cache_size": "0",
    "background_pool_size": "2",
    "background_schedule_pool_size": "4",
    "background_common_pool_size": "2",
    "max_server_memory_usage_to_ram_ratio": "0.5",
}


class EmbeddedClickHouseError(EmbeddedProcessError):
    """The embedded ClickHouse cannot run."""


class EmbeddedClickHouse(EmbeddedProcess):
    """One engine process over one data directory; what it acknowledged is there after `stop` and `kill`."""

    _title = _TITLE
    _log_name = _LOG_NAME
    _ready_line = re.compile(r"^clickhouse ready at http://(?P<host>\S+):(?P<port>\d+)$", re.MULTILINE)
    _orphan_grace_s = 10.0
    _error = EmbeddedClickHouseError

    @property
    def url(self) -> str:
        """`http://HOST:PORT`; empty before the first start."""
        return f"http://{self.address}" if self.address else ""

    def start(self, timeout_s: float = 30.0) -> str:
        """Start and wait until it answers; the URL. Raises EmbeddedClickHouseError.

        A predecessor that is still ending is waited for up to 3 s of `timeout_s`.
        """
        if not self.is_running:
            if importlib.util.find_spec("chdb") is None:
                raise EmbeddedClickHouseError(*_missing())
            now = time.monotonic()
            self._launch(
                self._command(),
                locked_by=now + min(_PREDECESSOR_S, timeout_s),
                ready_by=now + timeout_s,
                env={**os.environ, "PYTHONPATH": _import_path(), "PYTHONUNBUFFERED": "1"},
            )
        return self.url

    def _command(self) -> list[str]:
        return [
            sys.executable, "-m", "sinks.embedded_clickhouse",
            "--path", str(self.data_dir.resolve()), "--host", self._host, "--port", str(self._port),
            "--locked",
        ]  # fmt: skip

    def _explain(self, exit_code: int, printed: str) -> tuple[str, str]:
        if exit_code == _BUSY_EXIT:
            return directory_in_use(_TITLE, self.data_dir)
        if exit_code == _MISSING_EXIT:
            return _missing()
        lines = printed.strip().splitlines()
        last = lines[-1] if lines else f"exit code {exit_code}"
        if exit_code == _ADDRESS_EXIT:
            return last, "Choose another port, or 0 for any free one."
        return f"the embedded ClickHouse ended at once: {last}", f"See {self.log_path}."


def _import_path() -> str:
    """Where this package is, for the engine's process, which may start in any folder."""
    here = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def _missing() -> tuple[str, str]:
    return (
        "the embedded ClickHouse is not installed",
        "Install it with: pip install 'opsloom[embedded]', or name a ClickHouse server by its URL.",
    )


async def _serve(path: Path, listener: socket.socket) -> None:
    """Open the engine, say so, serve until SIGTERM or SIGINT, and end the process.

    The engine's threads are not joined: everything acknowledged is in its files by then.
    """
    from aiohttp import web

    from sinks.front.engine import Engine
    from sinks.front.http import Front

    engine = Engine(path / _STORE_NAME, _ENGINE_OPTIONS)
    front = Front(engine)
    runner = web.AppRunner(
        front.application(), handler_cancellation=True, access_log=None, auto_decompress=False
    )
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await runner.setup()
    await web.SockSite(runner, listener, shutdown_timeout=_LAST_WORDS_S).start()
    host, port = listener.getsockname()[:2]
    sys.stdout.write(f"clickhouse ready at http://{host}:{port}\n")
    sys.stdout.flush()
    await ended.wait()
    await runner.cleanup()
    # A statement that would not end in time is left to the end of the process: it was never acknowledged.
    if not front.running:
        engine.close()
    sys.stdout.flush()
    os._exit(0)


def main(arguments: list[str] | None = None) -> int:
    """Serve one path in the foreground; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sinks.embedded_clickhouse", description=__doc__)
    parser.add_argument("--path", type=Path, required=True, help="data directory, of one process at a time")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8123, help="0 takes a free one and prints it")
    parser.add_argument("--locked", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    if importlib.util.find_spec("chdb") is None:
        return _complain(_MISSING_EXIT, ". ".join(_missing()))
    chosen.path.mkdir(parents=True, exist_ok=True)
    from sinks.front.engine import EngineBusyError

    with contextlib.ExitStack() as stack:
        if not chosen.locked:
            lock = stack.enter_context((chosen.path / _LOG_NAME).open("a"))
            if not try_lock(lock.fileno()):
                return _complain(_BUSY_EXIT, ". ".join(directory_in_use(_TITLE, chosen.path)))
        try:
            listener = socket.create_server((chosen.host, chosen.port), backlog=128)
        except OSError as error:
            return _complain(_ADDRESS_EXIT, f"cannot listen on {chosen.host}:{chosen.port}: {error.strerror}")
        try:
            asyncio.run(_serve(chosen.path, listener))
        except EngineBusyError:
            return _complain(_BUSY_EXIT, ". ".join(directory_in_use(_TITLE, chosen.path)))
    return 0


def _complain(code: int, sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
