"""A real Apache Kafka for tests: fetched by Maven once, one KRaft node, started as a child process."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

from streams.bound_process import BoundProcess
from tests.support.readiness import answers_kafka_requests

KAFKA_VERSION = "4.1.0"
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>opsloom.tests</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies><dependency>
    <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA_VERSION}</version>
  </dependency></dependencies>
</project>
"""
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
log.dirs={log_dir}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
"""
_FORMAT_TIMEOUT_S = 60
_FETCH_TIMEOUT_S = 600


class KafkaMissing(Exception):
    """Kafka cannot run here; the message is one line that says what is missing."""


class KafkaBroker:
    """One Kafka node on free ports of 127.0.0.1, with its log in `directory`."""

    def __init__(self, directory: Path, *, java_options: tuple[str, ...] = ("-Xmx512m",)) -> None:
        self._directory = directory
        self._java_options = java_options
        self._properties = directory / "server.properties"
        self._port, self._controller_port = _two_free_ports()
        self._process: BoundProcess | None = None

    @property
    def address(self) -> str:
        """`HOST:PORT` for clients; stays the same across restarts."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Process id of the JVM; 0 when it does not run."""
        return self._process.pid if self._process is not None and self._process.exit_code is None else 0

    def start(self, timeout_s: float = 60.0) -> str:
        """Format the log directory if it is new, start, wait until requests are answered."""
        libraries = fetch_kafka()
        if not self._properties.exists():
            self._format(libraries)
        with (self._directory / "kafka.log").open("ab") as log:
            self._process = BoundProcess(
                _java(libraries, *self._java_options, "kafka.Kafka", str(self._properties)),
                output_fd=log.fileno(),
                cwd=str(self._directory),
            )
        give_up_at = time.monotonic() + timeout_s
        while not answers_kafka_requests("127.0.0.1", self._port):
            if self._process.exit_code is not None or time.monotonic() > give_up_at:
                self.kill()
                raise RuntimeError(
                    f"Kafka did not start: {(self._directory / 'kafka.log').read_text()[-2000:]}"
                )
            time.sleep(0.05)
        return self.address

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Controlled shutdown; True if it went by itself in time."""
        process, self._process = self._process, None
        return True if process is None else process.stop(timeout_s)

    def kill(self) -> None:
        """SIGKILL."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _format(self, libraries: Path) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._properties.write_text(
            _PROPERTIES.format(
                port=self._port, controller_port=self._controller_port, log_dir=self._directory / "log"
            )
        )
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode().replace("-", "A")
        arguments = ("kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._properties))
        subprocess.run(
            _java(libraries, "-Xmx128m", "-XX:TieredStopAtLevel=1", *arguments),
            check=True,
            capture_output=True,
            timeout=_FORMAT_TIMEOUT_S,
        )


def fetch_kafka() -> Path:
    """Folder with Kafka's jars, downloaded on first use; raises KafkaMissing."""
    if shutil.which("java") is None:
        raise KafkaMissing("real Kafka needs Java 17 or newer on the path (Debian: openjdk-17-jre-headless)")
    libraries = _cache_folder() / f"kafka-{KAFKA_VERSION}"
    if libraries.is_dir():
        return libraries
    if shutil.which("mvn") is None:
        raise KafkaMissing("real Kafka is fetched by Maven, and mvn is not on the path (Debian: maven)")
    libraries.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=libraries.parent) as scratch:
        (Path(scratch) / "pom.xml").write_text(_POM)
        _run_maven(Path(scratch))
        try:
            # One rename, so that an interrupted download never looks like a whole one.
            (Path(scratch) / "jars").rename(libraries)
        except OSError:
            if not libraries.is_dir():
                raise
    return libraries


def _run_maven(folder: Path) -> None:
    command = ["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"]
    done = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=_FETCH_TIMEOUT_S,
    )
    if done.returncode != 0:
        complaint = next((line for line in done.stdout.splitlines() if "ERROR" in line), done.stderr.strip())
        raise KafkaMissing(f"Maven could not fetch Kafka {KAFKA_VERSION}: {complaint[:300]}")


def _cache_folder() -> Path:
    named = os.environ.get("OPSLOOM_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "opsloom"


def _java(libraries: Path, *arguments: str) -> list[str]:
    options = [argument for argument in arguments if argument.startswith("-X")]
    rest = [argument for argument in arguments if not argument.startswith("-X")]
    return [shutil.which("java") or "java", *options, "-cp", f"{libraries}/*", *rest]


def _two_free_ports() -> tuple[int, int]:
    """Two ports nobody uses now; both sockets are open while choosing, so they differ."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
