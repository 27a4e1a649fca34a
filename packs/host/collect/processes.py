"""The running processes: names and figures only. Arguments and environments may hold secrets: never read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import psutil

_COMMAND_NAME_BYTES = 15
"""The kernel's own limit for a command name, and what `ps -o comm` shows."""


@dataclass(frozen=True, slots=True)
class RunningProcess:
    pid: int
    ppid: int
    name: str
    user: str
    status: str
    rss_bytes: int
    cpu_s: float
    threads: int
    started_at: float


def running_processes() -> Iterator[RunningProcess]:
    """Every process that may be seen; one that ends meanwhile is left out."""
    for process in psutil.process_iter():
        try:
            with process.oneshot():
                memory, times = process.memory_info(), process.cpu_times()
                yield RunningProcess(
                    pid=process.pid,
                    ppid=process.ppid() or 0,
                    name=command_name(process.name()),
                    user=_user_of(process),
                    status=str(process.status()),
                    rss_bytes=memory.rss,
                    cpu_s=round(times.user + times.system, 2),
                    threads=process.num_threads(),
                    started_at=process.create_time(),
                )
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue


def command_name(name: str) -> str:
    """The name as `ps -o comm` shows it; what is longer was read from the arguments, so it is cut."""
    return name.encode()[:_COMMAND_NAME_BYTES].decode(errors="ignore")


def _user_of(process: psutil.Process) -> str:
    try:
        return process.username()
    except (KeyError, psutil.AccessDenied):
        return "unknown"
