"""`opsloom up`: broker, ClickHouse, packs and a worker as one thing that starts, is watched and stops."""

import asyncio
import contextlib
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.packs import load_packs
from registry.pack import Pack
from sinks.client import connect, insert
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import migrate
from streams.bound_process import BoundProcess
from streams.embedded_broker import EmbeddedBroker
from streams.secrets import resolve_secret
from streams.settings import ROLES, Settings
from streams.topic_admin import create_topics

WATCH_EVERY_S = 0.25
WORKER_READY_S = 60.0
WORKER_STOP_S = 2.0
STORE_STOP_S = 2.0
RESTART_PAUSE_S = (0.1, 0.5, 2.0, 5.0)
"""Pauses before a part is started again; one that stays up for a minute begins anew."""
STEADY_S = 60.0
STATE_FILE = "up.json"


class WorkerNotReady(Exception):
    """The worker ended or stayed silent before it was ready."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@dataclass
class Supervisor:
    """Everything that `up` started. `settings` name the broker and ClickHouse once they are known."""

    settings: Settings
    embedded_broker: bool
    embedded_clickhouse: bool
    say: Callable[[str], None]
    broker: EmbeddedBroker | None = None
    clickhouse: EmbeddedClickHouse | None = None
    worker: BoundProcess | None = None
    http: str | None = None
    _packs: list[Pack] = field(default_factory=list)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _restarts: dict[str, list[float]] = field(default_factory=dict)

    async def start(self) -> None:
        """Start all parts; return when questions can be asked."""
        self.settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._packs = load_packs(self.settings)
        collected = asyncio.create_task(self._collect())
        await asyncio.gather(self._start_broker(), self._start_clickhouse())
        self._packs = load_packs(
            self.settings
        )  # again: sources may name the ClickHouse that now has an address
        await asyncio.gather(collected, create_topics(self.settings), asyncio.to_thread(self._migrate))
        self._tasks += [asyncio.create_task(self._keep_sampling())]
        self.say("starting the worker")
        await self._start_worker()
        self._tasks += [asyncio.create_task(self._watch())]

    @property
    def state(self) -> dict[str, Any]:
        """The ready line: addresses and process ids by role."""
        worker_pid = self.worker.pid if self.worker else 0
        pids: dict[str, int] = {"up": os.getpid()}
        pids.update(dict.fromkeys(ROLES, worker_pid))
        if self.broker is not None:
            pids["broker"] = self.broker.pid
        if self.clickhouse is not None:
            pids["clickhouse"] = self.clickhouse.pid
        return {
            "ready": True,
            "broker": self.settings.broker,
            "http": self.http,
            "clickhouse": self.settings.clickhouse_url,
            "topic_prefix": self.settings.topic_prefix,
            "pids": pids,
        }

    def gone(self) -> list[str]:
        """Which parts are not running at the moment."""
        found = {
            "broker": self.broker is not None and not self.broker.is_running,
            "clickhouse": self.clickhouse is not None and not self.clickhouse.is_running,
            "worker": self.worker is None or self.worker.exit_code is not None,
        }
        return [name for name, is_gone in found.items() if is_gone]

    def write_state(self) -> None:
        """Leave the ready line where other commands find it."""
        path = self.settings.data_dir / STATE_FILE
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(self.state) + "\n")
        fresh.replace(path)

    async def stop(self) -> None:
        """Stop the worker first, so that it can commit, then what it stands on."""
        for task in self._tasks:
            task.cancel()
        self._remove_state()
        if self.worker is not None:
            await asyncio.to_thread(self.worker.stop, WORKER_STOP_S)
        stores = [store for store in (self.broker, self.clickhouse) if store is not None]
        await asyncio.gather(*(asyncio.to_thread(store.stop, STORE_STOP_S) for store in stores))

    def _remove_state(self) -> None:
        """Take back the ready line, unless it is that of another `up` over the same folder."""
        path = self.settings.data_dir / STATE_FILE
        with contextlib.suppress(OSError, ValueError, KeyError):
            if json.loads(path.read_text())["pids"]["up"] == os.getpid():
                path.unlink()

    async def _start_broker(self) -> None:
        if not self.embedded_broker:
            return
        self.say("starting the broker")
        self.broker = EmbeddedBroker(self.settings.data_dir / "broker")
        address = await asyncio.to_thread(self.broker.start)
        self.settings = self.settings.model_copy(update={"broker": address})

    async def _start_clickhouse(self) -> None:
        if not self.embedded_clickhouse:
            return
        self.say("starting ClickHouse")
        self.clickhouse = EmbeddedClickHouse(self.settings.data_dir / "clickhouse")
        url = await asyncio.to_thread(self.clickhouse.start)
        self.settings = self.settings.model_copy(update={"clickhouse_url": url})

    def _connect(self) -> Any:
        assert self.settings.clickhouse_url is not None
        return connect(
            self.settings.clickhouse_url,
            self.settings.clickhouse_database,
            user=self.settings.clickhouse_user,
            password=resolve_secret(self.settings.clickhouse_password),
            wait_s=10.0,
        )

    def _migrate(self) -> None:
        if self.settings.clickhouse_url is None:
            return
        folders = [pack.folder / "clickhouse" for pack in self._packs]
        client = self._connect()
        try:
            present = [folder for folder in folders if folder.is_dir()]
            migrate(client, self.settings.clickhouse_database, folders=present)
        finally:
            client.close()

    def _collectors(self) -> list[Any]:
        return [importlib.import_module(pack.collectors) for pack in self._packs if pack.collectors]

    async def _collect(self) -> None:
        for collector in self._collectors():
            self.say(getattr(collector, "SAYS", "reading this machine"))
            report = await collector.prepare(self.settings.data_dir, time.time())
            for store in report.failed:
                self.say(f"{store.store}: {'; '.join(store.notes)}")

    async def _keep_sampling(self) -> None:
        """Sample for as long as `up` runs, one collector after the other's start."""
        if self.settings.clickhouse_url is None:
            return
        client = await asyncio.to_thread(self._connect)

        async def write(rows: Sequence[Any]) -> None:
            await asyncio.to_thread(insert, client, "host_samples", rows)

        await asyncio.gather(
            *(
                collector.keep_sampling(write, data_dir=self.settings.data_dir)
                for collector in self._collectors()
            )
        )

    async def _start_worker(self) -> None:
        """Start the worker process and wait for its ready line."""
        read_fd, write_fd = os.pipe()
        log = self.settings.data_dir / "worker.log"
        try:
            self.worker = BoundProcess(
                [sys.executable, "-m", "cli.main", "worker", "--json"],
                output_fd=write_fd,
                env={**os.environ, **_environment(self.settings)},
                grace_s=5.0,
            )
        finally:
            os.close(write_fd)
        ready = asyncio.get_running_loop().create_future()
        self._tasks.append(asyncio.create_task(_follow(read_fd, log, ready)))
        try:
            await asyncio.wait_for(asyncio.shield(ready), WORKER_READY_S)
        except TimeoutError:
            raise WorkerNotReady(
                f"The worker was not ready within {WORKER_READY_S:.0f} s.", f"Look into {log}."
            ) from None

    async def _watch(self) -> None:
        """Start again what died. A broker or ClickHouse comes back on the port it had."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            for name, again in (
                ("broker", self._broker_again),
                ("clickhouse", self._clickhouse_again),
                ("worker", self._start_worker),
            ):
                if name in self.gone():
                    await self._restart(name, again)

    async def _restart(self, name: str, again: Callable[[], Any]) -> None:
        now = time.monotonic()
        recent = [at for at in self._restarts.get(name, []) if now - at < STEADY_S]
        self._restarts[name] = [*recent, now]
        self.say(f"the {name} ended; starting it again")
        await asyncio.sleep(RESTART_PAUSE_S[min(len(recent), len(RESTART_PAUSE_S) - 1)])
        try:
            await again()
        except Exception as exc:  # noqa: BLE001  # border: whatever it was, it is tried again after a pause
            self.say(f"the {name} did not start: {exc}")
        else:
            self.write_state()

    async def _broker_again(self) -> None:
        assert self.broker is not None
        await asyncio.to_thread(self.broker.start)
        await create_topics(self.settings)

    async def _clickhouse_again(self) -> None:
        assert self.clickhouse is not None
        await asyncio.to_thread(self.clickhouse.start)


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as the environment of a worker."""
    found = {}
    for name, value in settings.model_dump(mode="json").items():
        if value is None:
            continue
        found[f"OPSLOOM_{name.upper()}"] = ",".join(value) if isinstance(value, list) else str(value)
    return found


async def _follow(read_fd: int, log: Path, ready: "asyncio.Future[None]") -> None:
    """Copy what the worker prints into its log; note its ready line, or its end."""
    reader = asyncio.StreamReader(limit=1024 * 1024)
    loop = asyncio.get_running_loop()
    pipe = os.fdopen(read_fd, "rb", buffering=0)
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    last = ""
    with contextlib.closing(transport), log.open("ab", buffering=0) as out:
        while line := await reader.readline():
            if line.startswith(b'{"ready": true') and not ready.done():
                ready.set_result(None)
                continue
            out.write(line)
            last = line.decode(errors="replace").strip() or last
    if not ready.done():
        ready.set_exception(
            WorkerNotReady(f"The worker ended: {last or 'it said nothing'}.", f"Look into {log}.")
        )
