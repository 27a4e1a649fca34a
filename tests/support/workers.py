"""Worker processes over a broker: started, stopped, killed and frozen from outside, as an operator would."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from streams.bound_process import BoundProcess

ROOT = Path(__file__).resolve().parents[2]
PROBE_PACK = ROOT / "tests" / "packs" / "probe"
READY_S = 60.0
COMMAND = (sys.executable, "-m", "cli.main", "worker", "--json")


class WorkerTrouble(AssertionError):
    """A worker did not do what the test asked of it; the text ends with what it printed."""


class WorkerProcess:
    """One `opsloom worker`, which never outlives the tests. Its output lies in `log`."""

    def __init__(
        self, worker_id: str, environment: Mapping[str, str], log: Path, command: Sequence[str] = COMMAND
    ) -> None:
        self.worker_id = worker_id
        self.log = log
        self.ready_line: dict[str, Any] = {}
        self._ready = threading.Event()
        self._started_at = time.monotonic()
        reads, writes = os.pipe()
        try:
            self._process = BoundProcess(
                command, output_fd=writes, env=environment, cwd=str(ROOT), grace_s=1.0
            )
        finally:
            os.close(writes)
        threading.Thread(target=self._follow, args=(reads,), daemon=True).start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.exit_code

    def _follow(self, reads: int) -> None:
        """Read until the process ends; the ready line is JSON, all else is for the log."""
        with os.fdopen(reads, "rb") as lines, self.log.open("ab", buffering=0) as log:
            for line in lines:
                if line.startswith(b'{"ready": true'):
                    self.ready_line = json.loads(line)
                    self._ready.set()
                else:
                    log.write(line)

    def wait_ready(self, timeout_s: float = READY_S) -> float:
        """Block until it has its partitions; the seconds since it was started."""
        give_up_at = time.monotonic() + timeout_s
        while not self._ready.wait(0.05):
            if self.exit_code is not None:
                raise WorkerTrouble(f"{self.worker_id} ended with {self.exit_code}:\n{self.printed()}")
            if time.monotonic() > give_up_at:
                raise WorkerTrouble(f"{self.worker_id} not ready in {timeout_s} s:\n{self.printed()}")
        return time.monotonic() - self._started_at

    def stop(self, timeout_s: float = 20.0) -> float:
        """SIGTERM, and wait; the seconds it took to end by itself."""
        began_at = time.monotonic()
        if not self._process.stop(timeout_s):
            raise WorkerTrouble(f"{self.worker_id} did not stop in {timeout_s} s:\n{self.printed()}")
        return time.monotonic() - began_at

    def wait_end(self, timeout_s: float) -> int:
        """Wait until it ends by itself; its exit code."""
        give_up_at = time.monotonic() + timeout_s
        while (code := self.exit_code) is None:
            if time.monotonic() > give_up_at:
                raise WorkerTrouble(f"{self.worker_id} still runs after {timeout_s} s:\n{self.printed()}")
            time.sleep(0.05)
        return code

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def freeze(self) -> None:
        """SIGSTOP: it keeps its connections and does nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def printed(self, characters: int = 6_000) -> str:
        """The end of what it printed."""
        return self.log.read_text(errors="replace")[-characters:] if self.log.exists() else ""


class Fleet:
    """The workers of one test installation: one topic prefix on one broker."""

    def __init__(self, broker: str, topic_prefix: str, folder: Path, **settings: object) -> None:
        """`settings` are those of `streams.settings.Settings`, as text or what `str` makes of them."""
        self.broker = broker
        self.topic_prefix = topic_prefix
        self.folder = folder
        self.workers: list[WorkerProcess] = []
        self._settings = {"packs": PROBE_PACK, "metrics_every_s": 1.0, "log_level": "info", **settings}

    def start(
        self,
        worker_id: str = "w0",
        *,
        roles: Iterable[str] = ("planning", "execution", "aggregation"),
        command: Sequence[str] = COMMAND,
        **settings: object,
    ) -> WorkerProcess:
        """Start a worker and do not wait for it."""
        wanted = {
            "broker": self.broker,
            "topic_prefix": self.topic_prefix,
            "data_dir": self.folder,
            "worker_id": worker_id,
            "roles": ",".join(roles),
            **self._settings,
            **settings,
        }
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPSLOOM_")}
        environment |= {f"OPSLOOM_{name.upper()}": str(value) for name, value in wanted.items()}
        environment["PYTHONUNBUFFERED"] = "1"
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / f"{worker_id}-{len(self.workers)}.log"
        worker = WorkerProcess(worker_id, environment, log, command)
        self.workers.append(worker)
        return worker

    def started(self, worker_id: str = "w0", **options: object) -> WorkerProcess:
        """Start a worker and wait until it is ready."""
        worker = self.start(worker_id, **options)  # type: ignore[arg-type]
        worker.wait_ready()
        return worker

    def end(self) -> None:
        """Kill what still runs."""
        for worker in self.workers:
            if worker.exit_code is None:
                worker.thaw()
                worker.kill()

    def logged(self) -> str:
        """All that all of them printed, from the beginning."""
        return "\n".join(worker.printed(1 << 30) for worker in self.workers)

    def printed(self) -> str:
        """What all of them printed in the end."""
        return "\n".join(f"--- {worker.log.name}\n{worker.printed()}" for worker in self.workers)


@contextmanager
def running_fleet(broker: str, topic_prefix: str, folder: Path, **settings: object) -> Iterator[Fleet]:
    """A fleet whose processes are gone afterwards."""
    fleet = Fleet(broker, topic_prefix, folder, **settings)
    try:
        yield fleet
    finally:
        fleet.end()
