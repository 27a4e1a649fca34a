"""The embedded broker: Kafka's protocol from one small process, for trying out and for tests.

This is the only module that knows which program that is (noida-db). The program keeps its state in
memory and writes all of it to `DATA_DIR/kafka.json` once a second, through a temporary file. So what
was acknowledged is there again after `stop()`, and after the death of the process that started it;
a SIGKILL of the *broker itself* may cost what was acknowledged in the second or two before. It does
not compact topics, and gives a restarted member its partitions back only with static membership
(`group_instance_id`). For production there is Apache Kafka.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import re
import socket
import time
from pathlib import Path
from types import TracebackType

from streams.bound_process import BoundProcess

_READY_LINE = re.compile(r"^\s*kafka\s+(?P<host>\S+):(?P<port>\d+)\s*$", re.MULTILINE)
_POLL_S = 0.01
# Long enough to write a large state once more when the parent was killed.
_ORPHAN_GRACE_S = 30.0
_LOG_NAME = "broker.log"


class EmbeddedBrokerError(RuntimeError):
    """The embedded broker cannot run: `reason` says why, `hint` what to do about it."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(f"{reason}. {hint}")
        self.reason = reason
        self.hint = hint


class EmbeddedBroker:
    """One broker process over one data directory; at most one may use a directory at a time.

    Blocking methods are meant for scripts and tests; `async with` runs them off the event loop.
    The process ends with its parent even if the parent is killed, after saving what it holds.
    """

    def __init__(self, data_dir: Path, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0 takes a free one at the first start and keeps it; see `address` for which."""
        self.data_dir = data_dir
        self._host = host
        self._port = port
        self._process: BoundProcess | None = None
        self._address = ""

    @property
    def address(self) -> str:
        """`HOST:PORT` for Kafka clients; empty before the first start."""
        return self._address

    @property
    def pid(self) -> int:
        """Process id of the running broker; 0 when it does not run."""
        return self._process.pid if self._process is not None and self.is_running else 0

    @property
    def is_running(self) -> bool:
        """Whether the process is there (not whether it answers)."""
        return self._process is not None and self._process.exit_code is None

    @property
    def log_path(self) -> Path:
        """What the broker printed since its last start."""
        return self.data_dir / _LOG_NAME

    def start(self, timeout_s: float = 20.0) -> str:
        """Start and wait until clients can connect; the address. Raises EmbeddedBrokerError.

        A predecessor that is still saving its state is waited for within the same `timeout_s`.
        """
        if self.is_running:
            return self._address
        give_up_at = time.monotonic() + timeout_s
        program = find_broker_program()
        output_fd = self._take_directory(give_up_at)
        try:
            self._process = BoundProcess(
                self._command(program),
                output_fd=output_fd,
                grace_s=_ORPHAN_GRACE_S,
            )
        finally:
            os.close(output_fd)
        self._address = self._wait_until_ready(self._process, give_up_at)
        return self._address

    def stop(self, timeout_s: float = 10.0) -> bool:
        """Save and end: milliseconds for a small state, about 5 s for 100,000 events.

        True if it saved in time; False if it had to be killed, which costs the last second or two.
        """
        process, self._process = self._process, None
        return True if process is None else process.stop(timeout_s)

    def kill(self) -> None:
        """SIGKILL, as a crash would do it; `start()` then comes back with the last saved state."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def __enter__(self) -> EmbeddedBroker:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> EmbeddedBroker:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _command(self, program: Path) -> list[str]:
        """Kafka alone, in the foreground."""
        return [
            str(program), "start", "--only", "kafka",
            "--data-dir", str(self.data_dir.resolve()),
            "--host", self._host, "--kafka-port", str(self._port),
        ]  # fmt: skip

    def _take_directory(self, give_up_at: float) -> int:
        """Open the log under an exclusive lock that the broker inherits and holds for its lifetime."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        output_fd = os.open(self.log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        while True:
            try:
                fcntl.flock(output_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= give_up_at:
                    os.close(output_fd)
                    raise EmbeddedBrokerError(
                        f"another embedded broker is using {self.data_dir}",
                        "Stop it, or choose another data directory.",
                    ) from None
                time.sleep(_POLL_S)
            else:
                os.ftruncate(output_fd, 0)
                return output_fd

    def _wait_until_ready(self, process: BoundProcess, give_up_at: float) -> str:
        """The address, once it is printed and accepts a connection."""
        while time.monotonic() < give_up_at:
            printed = self.log_path.read_text(errors="replace")
            match = _READY_LINE.search(printed)
            if match and _accepts(match["host"], int(match["port"])):
                self._port = int(match["port"])
                return f"{match['host']}:{match['port']}"
            if process.exit_code is not None:
                self.kill()
                raise EmbeddedBrokerError(*_explain(printed, self.data_dir))
            time.sleep(_POLL_S)
        self.kill()
        raise EmbeddedBrokerError("the embedded broker was not ready in time", f"See {self.log_path}.")


def find_broker_program() -> Path:
    """Path of the installed program; raises EmbeddedBrokerError that names the missing extra."""
    package = importlib.util.find_spec("noida_db")
    folders = list(package.submodule_search_locations or ()) if package is not None else []
    program = Path(folders[0]) / "noida-db" if folders else None
    if program is None or not program.is_file():
        raise EmbeddedBrokerError(
            "the embedded broker is not installed",
            "Install it with: pip install 'opsloom[embedded]', or name a Kafka broker by HOST:PORT.",
        )
    if not os.access(program, os.X_OK):
        try:
            program.chmod(0o755)
        except OSError as error:
            raise EmbeddedBrokerError(
                f"the embedded broker may not be executed ({error.strerror})", f"Run: chmod +x {program}"
            ) from error
    return program


def _accepts(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1.0):
            return True
    except OSError:
        return False


def _explain(printed: str, data_dir: Path) -> tuple[str, str]:
    """Reason and hint out of what a broker printed before it gave up."""
    complaints = [line for line in printed.splitlines() if line.startswith("error:")]
    reason = (
        complaints[0].removeprefix("error:").strip() if complaints else "the embedded broker ended at once"
    )
    if "already in use" in reason:
        return reason, "Choose another port, or 0 for any free one."
    if "failed to parse" in reason:
        return reason, f"The saved state is damaged: move {data_dir / 'kafka.json'} away and start again."
    if not complaints and printed.strip():
        reason = f"{reason}: {printed.strip().splitlines()[-1]}"
    return reason, f"See {data_dir / _LOG_NAME}."
