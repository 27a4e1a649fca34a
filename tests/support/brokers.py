"""One way to hold a broker in tests, whichever it is."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from streams.embedded_broker import EmbeddedBroker
from tests.support.kafka import KafkaBroker


class _Process(Protocol):
    @property
    def address(self) -> str: ...
    @property
    def pid(self) -> int: ...
    def start(self) -> str: ...
    def stop(self) -> bool: ...
    def kill(self) -> None: ...


class BrokerUnderTest:
    """A running broker of one `kind` ("embedded" or "kafka"); its address survives restarts."""

    def __init__(self, kind: str, process: _Process) -> None:
        self.kind = kind
        self._process = process

    @property
    def address(self) -> str:
        """`HOST:PORT` for clients."""
        return self._process.address

    @property
    def pid(self) -> int:
        """Process id; 0 when it does not run."""
        return self._process.pid

    def start(self) -> None:
        """Start it again after stop or stop_hard."""
        self._process.start()

    def stop(self) -> None:
        """End it as an operator would."""
        self._process.stop()

    def stop_hard(self) -> None:
        """End it as a crash would. The embedded one may lose the last two seconds by this."""
        self._process.kill()

    def restart(self) -> None:
        """Stop and start; the same address, everything acknowledged is there again."""
        self.stop()
        self.start()


@contextmanager
def running_broker(kind: str) -> Iterator[BrokerUnderTest]:
    """A fresh broker in a folder of its own, gone afterwards. Raises KafkaMissing for "kafka"."""
    folder = Path(tempfile.mkdtemp(prefix=f"opsloom-{kind}-"))
    process: _Process = KafkaBroker(folder) if kind == "kafka" else EmbeddedBroker(folder)
    try:
        process.start()
        yield BrokerUnderTest(kind, process)
    finally:
        process.kill()
        shutil.rmtree(folder, ignore_errors=True)
