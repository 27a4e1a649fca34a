"""Web processes over a broker, and tokens to call them with."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jwt

from streams.bound_process import BoundProcess

ROOT = Path(__file__).resolve().parents[2]
SECRET = "a secret for tests alone, long enough"
READY_S = 60.0
LIFE_S = 600


def token(tenant_id: str = "acme", *, key: Any = SECRET, alg: str = "HS256", **claims: Any) -> str:
    """A token as an issuer makes it; `claims` in place of the defaults, None takes one away."""
    made = {"sub": "dana", "tenant_id": tenant_id, "roles": ["viewer"], "exp": int(time.time()) + LIFE_S}
    made |= claims
    return jwt.encode({name: value for name, value in made.items() if value is not None}, key, algorithm=alg)


def bearer(tenant_id: str = "acme", **claims: Any) -> dict[str, str]:
    """The header of a caller."""
    return {"Authorization": f"Bearer {token(tenant_id, **claims)}"}


class WebProcess:
    """One `opsloom web` on a free port; `url` is where it answers."""

    def __init__(self, broker: str, topic_prefix: str, folder: Path, **settings: object) -> None:
        self.log = folder / f"web-{time.monotonic_ns()}.log"
        self.url = ""
        self._ready = threading.Event()
        wanted = {"broker": broker, "topic_prefix": topic_prefix, "data_dir": folder, **settings}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("OPSLOOM_")}
        environment |= {f"OPSLOOM_{name.upper()}": str(value) for name, value in wanted.items()}
        environment |= {"OPSLOOM_WEB_JWT_SECRET": "env:TEST_SECRET", "TEST_SECRET": SECRET}
        reads, writes = os.pipe()
        try:
            command = [sys.executable, "-m", "cli.main", "web", "--port", "0", "--json"]
            self._process = BoundProcess(
                command, output_fd=writes, env=environment, cwd=str(ROOT), grace_s=1.0
            )
        finally:
            os.close(writes)
        threading.Thread(target=self._follow, args=(reads,), daemon=True).start()

    def _follow(self, reads: int) -> None:
        with os.fdopen(reads, "rb") as lines, self.log.open("ab", buffering=0) as log:
            for line in lines:
                if line.startswith(b'{"ready": true'):
                    self.url = json.loads(line)["url"]
                    self._ready.set()
                else:
                    log.write(line)
        self._ready.set()

    def wait_ready(self) -> WebProcess:
        """Block until it takes requests."""
        self._ready.wait(READY_S)
        assert self.url, f"the web process did not start:\n{self.printed()}"
        return self

    @property
    def exit_code(self) -> int | None:
        return self._process.exit_code

    def stop(self, timeout_s: float = 10.0) -> bool:
        """SIGTERM; True if it went by itself."""
        return self._process.stop(timeout_s)

    def printed(self) -> str:
        """What it printed."""
        return self.log.read_text(errors="replace")[-4_000:] if self.log.exists() else ""


@contextmanager
def running_web(
    broker: str, topic_prefix: str, folder: Path, count: int = 1, **settings: object
) -> Iterator[list[WebProcess]]:
    """So many web processes, gone afterwards."""
    started = [WebProcess(broker, topic_prefix, folder, **settings) for _ in range(count)]
    try:
        yield [process.wait_ready() for process in started]
    finally:
        for process in started:
            process.stop(5.0)
