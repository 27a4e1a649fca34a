"""The processes that are measured: opsloom workers and the rival, each ready before the clock starts."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from benchmarks.driver import PARTITIONS, create_rival_topics

HERE = Path(__file__).parent
OPSLOOM = [sys.executable, "-m", "cli.main"]


class OpsloomWorker:
    """`opsloom worker` with the benchmark's pack: planning, execution and aggregation, in one process or in several."""

    def __init__(self, broker: str, codec: str = "json", processes: int = 1) -> None:
        self.prefix = f"bench-{uuid.uuid4().hex[:8]}."
        self._folder = Path(tempfile.mkdtemp(prefix="opsloom-bench-"))
        self._environment = {
            **os.environ,
            "OPSLOOM_BROKER": broker,
            "OPSLOOM_TOPIC_PREFIX": self.prefix,
            "OPSLOOM_CODEC": codec,
            "OPSLOOM_PARTITIONS": str(PARTITIONS),
            "OPSLOOM_DATA_DIR": str(self._folder),
            "OPSLOOM_PACKS": str(HERE / "pack"),
            "OPSLOOM_PROCESSES": str(processes),
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start and wait for the ready line."""
        self.launch()
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line or not json.loads(line).get("ready"):
            raise RuntimeError(
                "the worker did not start: " + (self._folder / "worker.log").read_text()[-2_000:]
            )

    def launch(self) -> None:
        """Start without waiting."""
        with (self._folder / "worker.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*OPSLOOM, "worker", "--roles", "planning,execution,aggregation", "--json"],
                env=self._environment,
                cwd=HERE.parent,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    @property
    def rss_mb(self) -> float:
        return sum(float(each.memory_info().rss) for each in self.interpreters) / 2**20

    @property
    def cpu_s(self) -> list[float]:
        """CPU time of each interpreter so far, user and system."""
        return [sum(each.cpu_times()[:2]) for each in self.interpreters]

    @property
    def interpreters(self) -> list[psutil.Process]:
        """The worker's own process, and those that it dealt its roles to."""
        assert self._process is not None
        first = psutil.Process(self._process.pid)
        return [first, *(each for each in first.children(recursive=True) if "python" in each.name())]

    @property
    def questions(self) -> str:
        return f"{self.prefix}ops.questions"

    @property
    def answers(self) -> str:
        return f"{self.prefix}ops.answers"

    def kill(self) -> None:
        """SIGKILL."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM; what is left of it is removed."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)


@contextmanager
def opsloom_worker(broker: str, codec: str = "json", processes: int = 1) -> Iterator[OpsloomWorker]:
    """A ready worker that is stopped at the end."""
    worker = OpsloomWorker(broker, codec, processes)
    try:
        worker.start()
        yield worker
    finally:
        worker.stop()


@contextmanager
def rival(broker: str) -> Iterator[tuple[str, psutil.Process]]:
    """The pipeline by hand; gives its topic prefix and its process."""
    prefix = f"rival-{uuid.uuid4().hex[:8]}-"
    create_rival_topics(broker, prefix)
    process = subprocess.Popen([sys.executable, str(HERE / "rival.py"), broker, prefix], cwd=HERE.parent)
    try:
        yield prefix, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)
