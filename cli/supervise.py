"""`opsloom up`: broker, ClickHouse, packs and a worker as one thing that starts, is watched and stops."""

import asyncio
import contextlib
import importlib
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.front_door import open_front_door, with_a_way_in
from cli.packs import load_packs
from cli.parts import Part, environment_of
from registry.pack import Pack
from sinks.client import connect, insert
from sinks.embedded_clickhouse import EmbeddedClickHouse
from sinks.migrate import migrate
from streams.embedded_broker import EmbeddedBroker
from streams.secrets import resolve_secret
from streams.settings import ROLES, Settings
from streams.topic_admin import create_topics

WATCH_EVERY_S = 0.25
PART_STOP_S = 2.0
STORE_STOP_S = 2.0
RESTART_PAUSE_S = (0.1, 0.5, 2.0, 5.0)
"""Pauses before a part is started again; one that stays up for a minute begins anew."""
STEADY_S = 60.0
STATE_FILE = "up.json"


@dataclass
class Supervisor:
    """Everything that `up` started. `settings` name the broker and ClickHouse once they are known."""

    settings: Settings
    embedded_broker: bool
    embedded_clickhouse: bool
    say: Callable[[str], None]
    broker: EmbeddedBroker | None = None
    clickhouse: EmbeddedClickHouse | None = None
    worker: Part | None = None
    web: Part | None = None
    web_url: str | None = None
    http: str | None = None
    _web_token: str = ""
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
        await asyncio.gather(self._start_worker(), self._open_door())
        self._tasks += [asyncio.create_task(self._watch())]

    @property
    def state(self) -> dict[str, Any]:
        """The ready line: addresses and process ids by role."""
        worker_pid = self.worker.pid if self.worker else 0
        pids: dict[str, int] = {"up": os.getpid()}
        pids.update(dict.fromkeys(ROLES, worker_pid))
        if self.web is not None:
            pids["web"] = self.web.pid
        if self.broker is not None:
            pids["broker"] = self.broker.pid
        if self.clickhouse is not None:
            pids["clickhouse"] = self.clickhouse.pid
        return {
            "ready": True,
            "broker": self.settings.broker,
            "http": self.http,
            "web": self.web_url,
            "web_token": self._web_token,
            "clickhouse": self.settings.clickhouse_url,
            "topic_prefix": self.settings.topic_prefix,
            "packs": [str(Path(name).resolve()) if "/" in name else name for name in self.settings.packs],
            "pids": pids,
        }

    def gone(self) -> list[str]:
        """Which parts are not running at the moment."""
        found = {
            "broker": self.broker is not None and not self.broker.is_running,
            "clickhouse": self.clickhouse is not None and not self.clickhouse.is_running,
            "worker": self.worker is None or not self.worker.is_running,
            "web": self.web is not None and not self.web.is_running,
        }
        return [name for name, is_gone in found.items() if is_gone]

    def write_state(self) -> None:
        """Leave the ready line where other commands find it."""
        path = self.settings.data_dir / STATE_FILE
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(self.state) + "\n")
        fresh.replace(path)

    async def stop(self) -> None:
        """Stop who asks, then the worker, so that it can commit, then what both stand on."""
        for task in self._tasks:
            task.cancel()
        self._remove_state()
        for part in (self.web, self.worker):
            if part is not None:
                await part.stop(PART_STOP_S)
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
        log = self.settings.data_dir / "worker.log"
        self.worker = Part("worker", ["worker", "--json"], log, environment_of(self.settings))
        await self.worker.ready()

    async def _open_door(self) -> None:
        """Start the HTTP interface, where the settings let anybody in; the second time at the port it had."""
        settings = with_a_way_in(self.settings)
        if settings is None:
            self.say("no HTTP interface: this is production, and no key for tokens is set")
            return
        self._web_token = settings.web_dev_token
        port = None if self.web_url is None else urlsplit(self.web_url).port
        self.web, self.web_url = await open_front_door(settings, port)

    async def _watch(self) -> None:
        """Start again what died. A broker or ClickHouse comes back on the port it had."""
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            for name, again in (
                ("broker", self._broker_again),
                ("clickhouse", self._clickhouse_again),
                ("worker", self._start_worker),
                ("web", self._open_door),
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
