"""A real Prometheus over samples of the test's own, on a free port of the loopback."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

READY_S = 30.0
SAMPLES_AT = 1_760_000_000
"""First sample, Unix seconds; one each minute for an hour."""
MINUTES = 60


def need_prometheus() -> None:
    """Skip on a machine without Prometheus, fail where everything must be there."""
    if shutil.which("prometheus") and shutil.which("promtool"):
        return
    if os.environ.get("CI"):
        pytest.fail("prometheus and promtool are missing (Debian: apt install prometheus)")
    pytest.skip("needs prometheus and promtool (Debian: apt install prometheus)")


def open_metrics() -> str:
    """Requests of two tenants and two services: acme's checkout grows by 60 a minute, globex's by 600."""
    lines = ["# TYPE http_requests counter", "# TYPE temperature gauge"]
    for tenant, factor in (("acme", 1), ("globex", 10)):
        for service, share in (("checkout", 60), ("search", 30)):
            labels = f'tenant_id="{tenant}",service="{service}",code="200"'
            lines += [
                f"http_requests_total{{{labels}}} {factor * share * minute} {SAMPLES_AT + 60 * minute}"
                for minute in range(MINUTES)
            ]
        lines += [
            f'temperature{{tenant_id="{tenant}"}} {20 * factor + minute % 3} {SAMPLES_AT + 60 * minute}'
            for minute in range(MINUTES)
        ]
    grouped = sorted(lines[2:], key=lambda line: line.partition("{")[0])
    counters = [line for line in grouped if line.startswith("http_requests")]
    gauges = [line for line in grouped if line.startswith("temperature")]
    return "\n".join([lines[0], *counters, lines[1], *gauges, "# EOF", ""])


@contextmanager
def running_prometheus(folder: Path) -> Iterator[str]:
    """Its address, over blocks made from `open_metrics`."""
    need_prometheus()
    written, blocks = folder / "samples.om", folder / "blocks"
    written.write_text(open_metrics())
    making = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(written), str(blocks)]
    subprocess.run(making, check=True, capture_output=True, timeout=60)
    (folder / "prometheus.yml").write_text("global: {}\n")
    port = _free_port()
    log = (folder / "prometheus.log").open("wb")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={blocks}",
            "--storage.tsdb.retention.time=20y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ],
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        _wait_ready(f"http://127.0.0.1:{port}", process, folder / "prometheus.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        log.close()


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    ends_at = time.monotonic() + READY_S
    while time.monotonic() < ends_at:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1):  # fixed scheme, own port
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"prometheus did not start:\n{log.read_text(errors='replace')}")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
