"""The stage: `opsloom up` as a child process that never outlives the demo."""

import json
import os
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streams.bound_process import BoundProcess

READY_S = 90.0
STOP_S = 8.0
PACKS = ("host", "demo")


class StageError(Exception):
    """`opsloom up` did not come up: `reason` says why, `hint` what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Stage:
    """Broker, ClickHouse and worker over one folder."""

    def __init__(
        self, data_dir: Path, on_progress: Callable[[str], None], packs: tuple[str, ...] = PACKS
    ) -> None:
        self.data_dir = data_dir
        self.packs = packs
        self.ready: dict[str, Any] = {}
        self._on_progress = on_progress
        self._said: list[str] = []

    def start(self) -> None:
        """Start, and return when questions can be asked. Raises StageError."""
        read_fd, write_fd = os.pipe()
        command = [sys.executable, "-m", "cli.main", "up", "--data", str(self.data_dir), "--json"]
        command += [part for pack in self.packs for part in ("--pack", pack)]
        try:
            self._process = BoundProcess(command, output_fd=write_fd, env=_environment(), grace_s=STOP_S)
        finally:
            os.close(write_fd)
        lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(read_fd, lines), daemon=True).start()
        try:
            self._await_ready(lines)
        except BaseException:
            self._process.stop(STOP_S)
            raise

    def stop(self) -> None:
        """Stop all of it, as Ctrl-C would."""
        self._process.stop(STOP_S)

    def _await_ready(self, lines: "queue.SimpleQueue[str | None]") -> None:
        give_up_at = time.monotonic() + READY_S
        while time.monotonic() < give_up_at:
            try:
                line = lines.get(timeout=max(0.0, give_up_at - time.monotonic()))
            except queue.Empty:
                break
            if line is None:
                raise StageError(*self._why())
            if line.startswith('{"ready"'):
                self.ready = json.loads(line)
                return
            self._said.append(line)
            self._on_progress(line.removeprefix("opsloom: "))
        raise StageError(
            f"`opsloom up` was not ready within {READY_S:.0f} s.", f"Look into {self.data_dir}/worker.log."
        )

    def _why(self) -> tuple[str, str]:
        """Reason and hint out of the last words of `up`."""
        reason, hint = "`opsloom up` ended before it was ready.", f"Try `opsloom up --data {self.data_dir}`."
        for line in self._said:
            if line.startswith("error: "):
                reason = line.removeprefix("error: ")
            elif line.startswith("hint: "):
                hint = line.removeprefix("hint: ")
        return reason, hint


def _environment() -> dict[str, str]:
    """The demo is a world of its own: what OPSLOOM_… says about others does not count here."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OPSLOOM_")}


def _read(fd: int, lines: "queue.SimpleQueue[str | None]") -> None:
    with os.fdopen(fd, "r", errors="replace") as stream:
        for line in stream:
            lines.put(line.rstrip("\n"))
    lines.put(None)
