"""The embedded broker: Kafka's protocol from one small process, for trying out and for tests.

This is the only module that knows which program that is (noida-db). The program keeps its state in
memory and writes all of it to `DATA_DIR/kafka.json` once a second, through a temporary file. So what
was acknowledged is there again after `stop()`, and after the death of the process that started it;
a SIGKILL of the *broker itself* may cost what was acknowledged in the second or two before. It does
not compact topics, and gives a restarted member its partitions back only with static membership
(`group_instance_id`). For production there is Apache Kafka.
"""

from __future__ import annotations

import importlib.util
import os
import re
import socket
import time
from pathlib import Path

from streams.embedded_process import EmbeddedProcess, EmbeddedProcessError


class EmbeddedBrokerError(EmbeddedProcessError):
    """The embedded broker cannot run."""


class EmbeddedBroker(EmbeddedProcess):
    """One broker process over one data directory; it saves what it holds before it ends.

    `stop()` takes milliseconds for a small state and about 5 s for 100,000 events; a False from it says
    that the broker had to be killed, which costs the last second or two. After `kill()`, `start()` comes
    back with the last saved state.
    """

    _title = "broker"
    _log_name = "broker.log"
    _ready_line = re.compile(r"^\s*kafka\s+(?P<host>\S+):(?P<port>\d+)\s*$", re.MULTILINE)
    _orphan_grace_s = 30.0
    """Long enough to write a large state once more when the parent was killed."""
    _error = EmbeddedBrokerError

    def start(self, timeout_s: float = 20.0) -> str:
        """Start and wait until clients can connect; the address. Raises EmbeddedBrokerError.

        A predecessor that is still saving its state is waited for within the same `timeout_s`.
        """
        if not self.is_running:
            give_up_at = time.monotonic() + timeout_s
            self._launch(self._command(find_broker_program()), locked_by=give_up_at, ready_by=give_up_at)
        return self.address

    def _command(self, program: Path) -> list[str]:
        """Kafka alone, in the foreground."""
        return [
            str(program), "start", "--only", "kafka",
            "--data-dir", str(self.data_dir.resolve()),
            "--host", self._host, "--kafka-port", str(self._port),
        ]  # fmt: skip

    def _answers(self, host: str, port: int) -> bool:
        try:
            with socket.create_connection((host, port), timeout=1.0):
                return True
        except OSError:
            return False

    def _explain(self, exit_code: int, printed: str) -> tuple[str, str]:
        """Its complaint, or else the last line it printed."""
        complaints = [line for line in printed.splitlines() if line.startswith("error:")]
        reason = (
            complaints[0].removeprefix("error:").strip()
            if complaints
            else "the embedded broker ended at once"
        )
        if "already in use" in reason:
            return reason, "Choose another port, or 0 for any free one."
        if "failed to parse" in reason:
            saved = self.data_dir / "kafka.json"
            return reason, f"The saved state is damaged: move {saved} away and start again."
        if not complaints and printed.strip():
            reason = f"{reason}: {printed.strip().splitlines()[-1]}"
        return reason, f"See {self.log_path}."


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
