"""A part of `opsloom up` that is a command of its own: started, awaited, its words kept in a log."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from streams.bound_process import BoundProcess
from streams.settings import Settings

READY_S = 60.0
GRACE_S = 5.0
LINE_BYTES = 1024 * 1024


class PartNotReady(Exception):
    """A part ended or stayed silent before it was ready."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


class Part:
    """One `opsloom …` process. What it prints goes to `log`, but for its ready line."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._log = log
        read_fd, write_fd = os.pipe()
        try:
            self._process = BoundProcess(
                [sys.executable, "-m", "cli.main", *command],
                output_fd=write_fd,
                env={**os.environ, **environment},
                grace_s=GRACE_S,
            )
        finally:
            os.close(write_fd)
        self._ready: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._follow(read_fd))

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.exit_code is None

    async def ready(self) -> dict[str, Any]:
        """Its ready line. Raises PartNotReady."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._ready), READY_S)
        except TimeoutError:
            raise PartNotReady(
                f"The {self.name} was not ready within {READY_S:.0f} s.", f"Look into {self._log}."
            ) from None

    async def stop(self, timeout_s: float) -> None:
        """SIGTERM, and SIGKILL after `timeout_s`."""
        await asyncio.to_thread(self._process.stop, timeout_s)
        self._reading.cancel()

    async def _follow(self, read_fd: int) -> None:
        """Copy its lines into the log; note its ready line, or its end."""
        reader = asyncio.StreamReader(limit=LINE_BYTES)
        loop = asyncio.get_running_loop()
        pipe = os.fdopen(read_fd, "rb", buffering=0)
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
        last = ""
        with contextlib.closing(transport), self._log.open("ab", buffering=0) as out:
            while line := await reader.readline():
                if line.startswith(b'{"ready": true') and not self._ready.done():
                    self._ready.set_result(json.loads(line))
                    continue
                out.write(line)
                last = line.decode(errors="replace").strip() or last
        if not self._ready.done():
            self._ready.set_exception(
                PartNotReady(
                    f"The {self.name} ended: {last or 'it said nothing'}.", f"Look into {self._log}."
                )
            )


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as the environment of a part."""
    found = {}
    for name, value in settings.model_dump(mode="json").items():
        if value is None:
            continue
        found[f"OPSLOOM_{name.upper()}"] = ",".join(value) if isinstance(value, list) else str(value)
    return found
