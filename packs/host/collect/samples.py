"""Figures about this machine over time: load, processor, memory, disks, network, the largest processes."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import NamedTuple

import psutil

from packs.host.collect.mounts import read_mounts
from packs.host.collect.processes import running_processes

TENANT_ID = "local"
TABLE = "host_samples"
COLUMNS = ("tenant_id", "at", "series", "metric", "value")
HOST_SERIES = "host"
TOP_PROCESSES = 10
_LOOPBACK = frozenset({"lo", "lo0"})

SampleRow = dict[str, str | float]
"""Column to value; `at` in Unix seconds."""


class Sample(NamedTuple):
    """One figure. `series` is `host`, a mount point, or `name[pid]` of a process."""

    at: float
    series: str
    metric: str
    value: float

    def row(self, tenant_id: str = TENANT_ID) -> SampleRow:
        """As a row of `host_samples`."""
        values = (tenant_id, round(self.at, 3), self.series, self.metric, self.value)
        return dict(zip(COLUMNS, values, strict=True))


class _Counters(NamedTuple):
    at: float
    cpu_busy_s: float
    cpu_total_s: float
    disk_read_bytes: int
    disk_written_bytes: int
    net_sent_bytes: int
    net_received_bytes: int


@dataclass(slots=True)
class Sampler:
    """Reads the machine. Rates come from the difference to the reading before, so the first has none.

    Processes and mounts are read once in `slow_every_s` seconds, for they cost most.
    """

    slow_every_s: float = 5.0
    _before: _Counters | None = None
    _slow_at: float = float("-inf")
    _process_cpu_s: dict[tuple[int, float], tuple[float, float]] = field(default_factory=dict)

    def sample(self, now: float) -> list[Sample]:
        """All figures at `now` (Unix seconds). Blocks for some milliseconds."""
        samples = [Sample(now, HOST_SERIES, metric, value) for metric, value in _gauges().items()]
        counters = _read_counters(now)
        if self._before is not None and counters.at > self._before.at:
            samples += [Sample(now, HOST_SERIES, *rate) for rate in _rates(self._before, counters).items()]
        self._before = counters
        if now - self._slow_at >= self.slow_every_s:
            self._slow_at = now
            samples += _mount_samples(now)
            samples += self._process_samples(now)
        return samples

    def _process_samples(self, now: float) -> list[Sample]:
        processes = list(running_processes())
        samples = [Sample(now, HOST_SERIES, "process_count", float(len(processes)))]
        largest = sorted(processes, key=lambda process: -process.rss_bytes)[:TOP_PROCESSES]
        samples += [
            Sample(now, f"{process.name}[{process.pid}]", "process_rss_bytes", float(process.rss_bytes))
            for process in largest
        ]
        seen = {(process.pid, process.started_at): (now, process.cpu_s) for process in processes}
        busiest = []
        for process in processes:
            before = self._process_cpu_s.get((process.pid, process.started_at))
            if before is not None and now > before[0]:
                percent = max(0.0, 100.0 * (process.cpu_s - before[1]) / (now - before[0]))
                busiest.append((percent, f"{process.name}[{process.pid}]"))
        busiest.sort(reverse=True)
        self._process_cpu_s = seen
        samples += [
            Sample(now, series, "process_cpu_percent", round(percent, 2))
            for percent, series in busiest[:TOP_PROCESSES]
        ]
        return samples


def _gauges() -> dict[str, float]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    load1, load5, load15 = os.getloadavg()
    used = memory.total - memory.available
    return {
        "load1": round(load1, 2),
        "load5": round(load5, 2),
        "load15": round(load15, 2),
        "memory_used_bytes": float(used),
        "memory_available_bytes": float(memory.available),
        "memory_used_percent": round(100.0 * used / memory.total, 2),
        "memory_available_percent": round(100.0 * memory.available / memory.total, 2),
        "swap_used_bytes": float(swap.used),
        "swap_used_percent": round(100.0 * swap.used / swap.total, 2) if swap.total else 0.0,
    }


def _read_counters(now: float) -> _Counters:
    times = psutil.cpu_times()
    # Linux counts a guest's time in the host's as well; without this it would count twice.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    idle = times.idle + getattr(times, "iowait", 0.0)
    # Some containers show no disks at all: then there is nothing to count.
    disk = psutil.disk_io_counters(nowrap=False)
    # What a machine says to itself never leaves it.
    cards = psutil.net_io_counters(pernic=True, nowrap=False)
    traffic = [counted for card, counted in cards.items() if card not in _LOOPBACK]
    return _Counters(
        at=now,
        cpu_busy_s=total - idle,
        cpu_total_s=total,
        disk_read_bytes=disk.read_bytes if disk else 0,
        disk_written_bytes=disk.write_bytes if disk else 0,
        net_sent_bytes=sum(counted.bytes_sent for counted in traffic),
        net_received_bytes=sum(counted.bytes_recv for counted in traffic),
    )


def _rates(before: _Counters, after: _Counters) -> dict[str, float]:
    """Per second, between two readings; a counter that was set back counts as nothing moved."""
    elapsed_s = after.at - before.at

    def per_s(earlier: int, later: int) -> float:
        return round(max(0, later - earlier) / elapsed_s, 1)

    rates = {
        "disk_read_bytes_per_s": per_s(before.disk_read_bytes, after.disk_read_bytes),
        "disk_write_bytes_per_s": per_s(before.disk_written_bytes, after.disk_written_bytes),
        "net_sent_bytes_per_s": per_s(before.net_sent_bytes, after.net_sent_bytes),
        "net_received_bytes_per_s": per_s(before.net_received_bytes, after.net_received_bytes),
    }
    total_s = after.cpu_total_s - before.cpu_total_s
    if total_s > 0:
        busy = (after.cpu_busy_s - before.cpu_busy_s) / total_s
        rates["cpu_percent"] = round(100.0 * min(1.0, max(0.0, busy)), 2)
    return rates


def _mount_samples(now: float) -> list[Sample]:
    mounts, _ = read_mounts()
    samples = []
    for mount in mounts:
        samples.append(Sample(now, mount.mountpoint, "mount_used_percent", mount.exact_used_percent))
        samples.append(Sample(now, mount.mountpoint, "mount_free_bytes", float(mount.free_bytes)))
    return samples
