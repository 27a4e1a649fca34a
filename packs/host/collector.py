"""The pack's collector: fills every store before the first question, then keeps sampling this machine."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from packs.host.collect import config, debian, distributions, documents, graph, history
from packs.host.collect.fingerprints import Fingerprints, fingerprints_now
from packs.host.collect.processes import running_processes
from packs.host.collect.samples import Sampler, SampleRow
from packs.host.collect.stores import StoreReport, remove_leftovers

FOLDER = "host"
ROOT = Path("/")
MAX_WAITING_ROWS = 20_000
"""Samples kept while the writer fails, some minutes' worth; then the oldest go."""

Write = Callable[[Sequence[SampleRow]], Awaitable[None]]
"""Takes rows of the table `samples.TABLE`; returns once they are stored, else raises."""

_Build = Callable[[], tuple[dict[str, int], list[str]]]
_FINGERPRINTED = (history.STORE, documents.STORE, graph.STORE)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What `prepare` did, store by store."""

    stores: tuple[StoreReport, ...]
    took_s: float

    @property
    def failed(self) -> tuple[StoreReport, ...]:
        return tuple(report for report in self.stores if report.status == "failed")

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read here, in words, each once."""
        return tuple(dict.fromkeys(note for report in self.stores for note in report.notes))


async def prepare(data_dir: Path, now: float) -> CollectReport:
    """Bring every store in `data_dir/host` up to date; `now` is the moment the figures are as of.

    A store that could not be made is reported as failed, with the reason in its notes, and stops none of
    the others; where an older one exists, it stays. What has not changed is not made again.
    """
    began = time.perf_counter()
    folder = data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    noted = Fingerprints.of(folder)
    current = await asyncio.to_thread(fingerprints_now, ROOT)
    stale = {store for store in _FINGERPRINTED if not noted.holds(store, current[store])}
    builds = await asyncio.to_thread(_builds, folder, stale, now)
    reports = await asyncio.gather(
        *(asyncio.to_thread(_built, store, build) for store, build in builds.items())
    )
    made = {report.store for report in reports if report.status == "built"}
    noted.note({store: current[store] for store in stale & made})
    unchanged = [StoreReport(store, "unchanged", 0.0, {}) for store in _FINGERPRINTED if store not in builds]
    return CollectReport((*reports, *unchanged), round(time.perf_counter() - began, 3))


async def renew(data_dir: Path, now: float) -> CollectReport:
    """Read again what changes while the machine runs: memory, mounts, addresses, processes. Some 40 ms."""
    began = time.perf_counter()
    path = data_dir / FOLDER / "config.db"
    report = await asyncio.to_thread(_built, config.STORE, lambda: config.collect_config(path, now))
    return CollectReport((report,), round(time.perf_counter() - began, 3))


async def keep_sampling(
    write: Write,
    every_s: float = 1.0,
    clock: Callable[[], float] = time.time,
    *,
    data_dir: Path | None = None,
    renew_every_s: float = 10.0,
) -> None:
    """Sample this machine until cancelled, the first time at once.

    Rows that could not be written are kept and offered again with the next ones. With `data_dir` the
    configuration store is renewed every `renew_every_s` seconds too, so that its figures stay true.
    """
    sampler = Sampler()
    waiting: deque[SampleRow] = deque(maxlen=MAX_WAITING_ROWS)
    renewed_at = clock()
    failing = False
    while True:
        began = clock()
        samples = await asyncio.to_thread(sampler.sample, began)
        waiting.extend(sample.row() for sample in samples)
        try:
            await write(tuple(waiting))
        except Exception as error:  # noqa: BLE001  # border: the store may fail in any way
            if not failing:
                _log.warning("samples could not be stored (%s); they are kept and tried again", error)
            failing = True
        else:
            waiting.clear()
            failing = False
        if data_dir is not None and began - renewed_at >= renew_every_s:
            renewed_at = began
            for report in (await renew(data_dir, began)).failed:
                _log.warning("%s was not renewed: %s", report.store, "; ".join(report.notes))
        await asyncio.sleep(max(0.0, began + every_s - clock()))


def _builds(folder: Path, stale: set[str], now: float) -> dict[str, _Build]:
    """What has to be made, by store. Packages and processes are read once for all of them."""
    builds: dict[str, _Build] = {config.STORE: lambda: config.collect_config(folder / "config.db", now)}
    python = distributions.installed_distributions() if stale else []
    packages = debian.debian_packages(ROOT) if stale else []
    processes = list(running_processes())
    if history.STORE in stale:
        builds[history.STORE] = lambda: history.collect_history(folder / "history.db", python, packages, ROOT)
    if documents.STORE in stale:
        builds[documents.STORE] = lambda: documents.collect_documents(
            folder / "documents.db", python, packages, ROOT
        )
    if graph.STORE in stale:
        builds[graph.STORE] = lambda: graph.collect_graph(folder / "graph", python, packages, processes, now)
    else:
        builds[graph.STORE] = lambda: (graph.renew_processes(folder / "graph", processes, now), [])
    return builds


def _built(store: str, build: _Build) -> StoreReport:
    began = time.perf_counter()
    try:
        rows, notes = build()
    except ModuleNotFoundError as error:
        return _failure(store, f"{error.name} is not installed; install opsloom with its extras", began)
    except Exception as error:  # noqa: BLE001  # border: one failure must not stop the others
        _log.debug("the %s store could not be made", store, exc_info=True)
        return _failure(store, f"the {store} store could not be made: {error}", began)
    return StoreReport(store, "built", round(time.perf_counter() - began, 3), rows, tuple(notes))


def _failure(store: str, reason: str, began: float) -> StoreReport:
    return StoreReport(store, "failed", round(time.perf_counter() - began, 3), {}, (reason,))
