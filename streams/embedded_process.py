"""What the embedded broker and the embedded ClickHouse have in common: one program over one data directory.

The program inherits a lock on its log, so that the lock is held exactly as long as the program lives,
whoever started it.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from streams.bound_process import BoundProcess

_POLL_S = 0.01


class EmbeddedProcessError(RuntimeError):
    """The embedded program cannot run: `reason` says why, `hint` what to do about it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint


class EmbeddedProcess(ABC):
    """One process over one data directory; at most one may use a directory at a time.

    Blocking methods are meant for scripts and tests; `async with` runs them off the event loop.
    The process ends with its parent even if the parent is killed.
    """

    _title: ClassVar[str]
    """How errors call it, as in "the embedded broker"."""
    _log_name: ClassVar[str]
    _ready_line: ClassVar[re.Pattern[str]]
    """What it prints when it listens, with the groups `host` and `port`."""
    _orphan_grace_s: ClassVar[float]
    """How long it may take to end once its parent is gone."""
    _error: ClassVar[type[EmbeddedProcessError]]

    def __init__(self, data_dir: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0 takes a free one at the first start, which this object keeps; see `address` for which."""
        self.data_dir = data_dir
        self._host = host
        self._port = port
        self._process: BoundProcess | None = None
        self._address = ""

    @property
    def address(self) -> str:
        """`HOST:PORT` for clients; empty before the first start."""
        return self._address

    @property
    def pid(self) -> int:
        """Process id of the running program; 0 when it does not run."""
        return self._process.pid if self._process is not None and self.is_running else 0

    @property
    def is_running(self) -> bool:
        """Whether the process is there (not whether it answers)."""
        return self._process is not None and self._process.exit_code is None

    @property
    def log_path(self) -> Path:
        """What the program printed since its last start."""
        return self.data_dir / self._log_name

    @abstractmethod
    def start(self) -> str:
        """Start and wait until it answers; where it does. Raises EmbeddedProcessError."""

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Finish what runs and end. True if it went by itself within `timeout_s`, False if it was killed."""
        process, self._process = self._process, None
        return True if process is None else process.stop(timeout_s)

    def kill(self) -> None:
        """SIGKILL, as a crash would do it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    @abstractmethod
    def _explain(self, exit_code: int, printed: str) -> tuple[str, str]:
        """Reason and hint, from how the program ended before it was ready."""

    def _launch(
        self, argv: Sequence[str], *, locked_by: float, ready_by: float, env: Mapping[str, str] | None = None
    ) -> None:
        """Run the program until it is ready and note its address; both moments are on the monotonic clock."""
        output_fd = self._take_directory(locked_by)
        try:
            self._process = BoundProcess(argv, output_fd=output_fd, env=env, grace_s=self._orphan_grace_s)
        finally:
            os.close(output_fd)
        host, self._port = self._wait_until_ready(self._process, ready_by)
        self._address = f"{host}:{self._port}"

    def _take_directory(self, give_up_at: float) -> int:
        """Open the log under an exclusive lock, which the program inherits and keeps."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        output_fd = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while not try_lock(output_fd):
            if time.monotonic() >= give_up_at:
                os.close(output_fd)
                raise self._error(*directory_in_use(self._title, self.data_dir))
            time.sleep(_POLL_S)
        os.ftruncate(output_fd, 0)
        return output_fd

    def _wait_until_ready(self, process: BoundProcess, give_up_at: float) -> tuple[str, int]:
        """Host and port, once they are printed and lead to the program."""
        while time.monotonic() < give_up_at:
            match = self._ready_line.search(self._printed())
            if match and self._answers(match["host"], int(match["port"])):
                return match["host"], int(match["port"])
            if process.exit_code is not None:
                # Read again: the last words may have come between the reading and the end.
                code, printed = process.exit_code, self._printed()
                self.kill()
                raise self._error(*self._explain(code, printed))
            time.sleep(_POLL_S)
        self.kill()
        raise self._error(f"the embedded {self._title} was not ready in time", f"See {self.log_path}.")

    def _answers(self, host: str, port: int) -> bool:
        """Whether a program that printed its ready line can be reached; most print it when they can."""
        return True

    def _printed(self) -> str:
        return self.log_path.read_text(errors="replace")


def try_lock(descriptor: int) -> bool:
    """Take the exclusive lock on an open file. False if another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def directory_in_use(title: str, data_dir: Path) -> tuple[str, str]:
    """Reason and hint for a directory that another embedded program of this kind holds."""
    return f"another embedded {title} is using {data_dir}", "Stop it, or choose another data directory."
