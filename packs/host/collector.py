"""The pack's collector: fills every store before the first question, then keeps sampling this machine."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from packs.filling.stores import StoreReport, remove_leftovers
from packs.host.collect import config, debian, distributions, documents, graph, history
from packs.host.collect.fingerprints import Fingerprints, fingerprints_now
from packs.host.collect.processes import running_processes
from packs.host.collect.samples import Sampler, SampleRow

FOLDER = "host"
ROOT = Path("/")
MAX_WAITING_ROWS = 20_000
"""Samples kept while the writer fails, some minutes' worth; then the oldest go."""

Write = Callable[[Sequence[SampleRow]], Awaitable[None]]
"""Takes rows of the table `samples.TABLE`; returns once they are stored, else raises."""

_Build = Callable[[], tuple[dict[str, int], list[str]]]
_FINGERPRINTED = (history.STORE, documents.STORE, graph.STORE)
_T = TypeVar("_T")
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
    builds = _builds(folder, stale, now)
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
    prepare_every_s: float = 60.0,
) -> None:
    """Sample this machine until cancelled, the first time at once.

    Rows that could not be written are kept and offered again with the next ones. With `data_dir` the stores
    are kept true as well: the configuration every `renew_every_s` seconds, all of them, as far as they
    changed, every `prepare_every_s`.
    """
    sampler = Sampler()
    waiting: deque[SampleRow] = deque(maxlen=MAX_WAITING_ROWS)
    renewed_at = prepared_at = clock()
    failing = False
    while True:
        began = clock()
        try:
            waiting.extend(sample.row() for sample in await asyncio.to_thread(sampler.sample, began))
            await write(tuple(waiting))
        except Exception as error:  # noqa: BLE001  # border: reading or storing may fail in any way
            if not failing:
                _log.warning("samples could not be taken or stored (%s); trying again", error)
            failing = True
        else:
            waiting.clear()
            failing = False
        if data_dir is not None and began - prepared_at >= prepare_every_s:
            renewed_at = prepared_at = began
            _warn_of_failures(await prepare(data_dir, began))
        elif data_dir is not None and began - renewed_at >= renew_every_s:
            renewed_at = began
            _warn_of_failures(await renew(data_dir, began))
        await asyncio.sleep(max(0.0, began + every_s - clock()))


def _warn_of_failures(report: CollectReport) -> None:
    for failed in report.failed:
        _log.warning("%s is as old as it was: %s", failed.store, "; ".join(failed.notes))


class _Once(Generic[_T]):
    """Reads on first use, for all who ask. A reading that failed is tried again by the next, and fails for him."""

    def __init__(self, read: Callable[[], _T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._found: list[_T] = []

    def __call__(self) -> _T:
        with self._lock:
            if not self._found:
                self._found.append(self._read())
            return self._found[0]


def _builds(folder: Path, stale: set[str], now: float) -> dict[str, _Build]:
    """What has to be made, by store. Packages and processes are read once for all of them."""
    python = _Once(distributions.installed_distributions)
    packages = _Once(lambda: debian.debian_packages(ROOT))
    processes = _Once(lambda: list(running_processes()))
    at = {"history": folder / "history.db", "documents": folder / "documents.db", "graph": folder / "graph"}
    builds: dict[str, _Build] = {
        config.STORE: lambda: config.collect_config(folder / "config.db", now),
        history.STORE: lambda: history.collect_history(at["history"], python(), packages(), ROOT),
        documents.STORE: lambda: documents.collect_documents(at["documents"], python(), packages(), ROOT),
        graph.STORE: lambda: graph.collect_graph(at["graph"], python(), packages(), processes(), now),
    }
    for store in set(_FINGERPRINTED) - stale:
        del builds[store]
    if graph.STORE not in stale:
        # Packages are as they were, but processes come and go.
        builds[graph.STORE] = lambda: (graph.renew_processes(at["graph"], processes(), now), [])
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
