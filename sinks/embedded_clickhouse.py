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
import fcntl
import importlib.util
import os
import re
import signal
import socket
import sys
import time
from pathlib import Path
from types import TracebackType

from streams.bound_process import BoundProcess

_READY_LINE = re.compile(r"^clickhouse ready at (?P<url>http://\S+)$", re.MULTILINE)
_POLL_S = 0.01
_ORPHAN_GRACE_S = 10.0
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


class EmbeddedClickHouseError(RuntimeError):
    """The embedded ClickHouse cannot run: `reason` says why, `hint` what to do about it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint


class EmbeddedClickHouse:
    """One engine process over one data directory; at most one may use a directory at a time.

    Blocking methods are meant for scripts and tests; `async with` runs them off the event loop.
    The process ends with its parent even if the parent is killed.
    """

    def __init__(self, data_dir: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0 takes a free one at the first start, which this object keeps; see `url` for which."""
        self.data_dir = data_dir
        self._host = host
        self._port = port
        self._process: BoundProcess | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """`http://HOST:PORT`; empty before the first start."""
        return self._url

    @property
    def address(self) -> str:
        """`HOST:PORT`; empty before the first start."""
        return self._url.removeprefix("http://")

    @property
    def pid(self) -> int:
        """Process id of the running engine; 0 when it does not run."""
        return self._process.pid if self._process is not None and self.is_running else 0

    @property
    def is_running(self) -> bool:
        """Whether the process is there (not whether it answers)."""
        return self._process is not None and self._process.exit_code is None

    @property
    def log_path(self) -> Path:
        """What the engine printed since its last start."""
        return self.data_dir / _LOG_NAME

    def start(self, timeout_s: float = 30.0) -> str:
        """Start and wait until it answers; the URL. Raises EmbeddedClickHouseError.

        A predecessor that is still ending is waited for up to 3 s of `timeout_s`.
        """
        if self.is_running:
            return self._url
        if importlib.util.find_spec("chdb") is None:
            raise EmbeddedClickHouseError(*_missing())
        give_up_at = time.monotonic() + timeout_s
        output_fd = self._take_directory(time.monotonic() + min(3.0, timeout_s))
        try:
            self._process = BoundProcess(
                self._command(),
                output_fd=output_fd,
                env={**os.environ, "PYTHONPATH": _import_path(), "PYTHONUNBUFFERED": "1"},
                grace_s=_ORPHAN_GRACE_S,
            )
        finally:
            os.close(output_fd)
        self._url = self._wait_until_ready(self._process, give_up_at)
        self._port = int(self._url.rpartition(":")[2])
        return self._url

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Finish what runs and end. True if it went by itself within `timeout_s`."""
        process, self._process = self._process, None
        return True if process is None else process.stop(timeout_s)

    def kill(self) -> None:
        """SIGKILL, as a crash would do it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def __enter__(self) -> EmbeddedClickHouse:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> EmbeddedClickHouse:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _command(self) -> list[str]:
        return [
            sys.executable, "-m", "sinks.embedded_clickhouse",
            "--path", str(self.data_dir.resolve()), "--host", self._host, "--port", str(self._port),
            "--locked",
        ]  # fmt: skip

    def _take_directory(self, give_up_at: float) -> int:
        """Open the log under an exclusive lock, which the engine's process inherits and keeps."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        output_fd = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while not _locked(output_fd):
            if time.monotonic() >= give_up_at:
                os.close(output_fd)
                raise EmbeddedClickHouseError(*_busy(self.data_dir))
            time.sleep(_POLL_S)
        os.ftruncate(output_fd, 0)
        return output_fd

    def _wait_until_ready(self, process: BoundProcess, give_up_at: float) -> str:
        """The URL, once it is printed; the process prints it when it listens."""
        while time.monotonic() < give_up_at:
            match = _READY_LINE.search(self.log_path.read_text(errors="replace"))
            if match:
                return match["url"]
            if process.exit_code is not None:
                code, printed = process.exit_code, self.log_path.read_text(errors="replace").strip()
                self.kill()
                raise EmbeddedClickHouseError(*_explain(code, printed, self.data_dir))
            time.sleep(_POLL_S)
        self.kill()
        raise EmbeddedClickHouseError(
            "the embedded ClickHouse was not ready in time", f"See {self.log_path}."
        )


def _import_path() -> str:
    """Where this package is, for the engine's process, which may start in any folder."""
    here = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _busy(data_dir: Path) -> tuple[str, str]:
    return f"another embedded ClickHouse is using {data_dir}", "Stop it, or choose another data directory."


def _missing() -> tuple[str, str]:
    return (
        "the embedded ClickHouse is not installed",
        "Install it with: pip install 'opsloom[embedded]', or name a ClickHouse server by its URL.",
    )


def _explain(code: int, printed: str, data_dir: Path) -> tuple[str, str]:
    """Reason and hint out of how the engine's process ended."""
    if code == _BUSY_EXIT:
        return _busy(data_dir)
    if code == _MISSING_EXIT:
        return _missing()
    last = printed.splitlines()[-1] if printed else f"exit code {code}"
    if code == _ADDRESS_EXIT:
        return last, "Choose another port, or 0 for any free one."
    return f"the embedded ClickHouse ended at once: {last}", f"See {data_dir / _LOG_NAME}."


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
            if not _locked(lock.fileno()):
                return _complain(_BUSY_EXIT, ". ".join(_busy(chosen.path)))
        try:
            listener = socket.create_server((chosen.host, chosen.port), backlog=128)
        except OSError as error:
            return _complain(_ADDRESS_EXIT, f"cannot listen on {chosen.host}:{chosen.port}: {error.strerror}")
        try:
            asyncio.run(_serve(chosen.path, listener))
        except EngineBusyError:
            return _complain(_BUSY_EXIT, ". ".join(_busy(chosen.path)))
    return 0


def _complain(code: int, sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
