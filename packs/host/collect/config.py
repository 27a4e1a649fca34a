"""`config.db`: what this machine is and what runs on it, as of one moment."""

from __future__ import annotations

import os
import platform
import resource
import socket
import sqlite3
import sys
from dataclasses import astuple, fields
from datetime import UTC, datetime
from pathlib import Path

import psutil

from packs.filling.stores import insert_rows, sqlite_being_built
from packs.host.collect.mounts import read_mounts
from packs.host.collect.processes import RunningProcess, running_processes

STORE = "config"

_TABLES = """
CREATE TABLE host (
    hostname TEXT, os_name TEXT, kernel TEXT, architecture TEXT, cpu_model TEXT, cpu_count INTEGER,
    core_count INTEGER, memory_total_bytes INTEGER, memory_used_bytes INTEGER, memory_free_bytes INTEGER,
    memory_available_bytes INTEGER, swap_total_bytes INTEGER, swap_used_bytes INTEGER, booted_at REAL,
    uptime_s REAL, python_version TEXT, python_implementation TEXT, time_zone TEXT, process_count INTEGER,
    read_at REAL
);
CREATE TABLE mounts (
    device TEXT, mountpoint TEXT, fstype TEXT, total_bytes INTEGER, used_bytes INTEGER, free_bytes INTEGER,
    used_percent INTEGER, read_at REAL
);
CREATE TABLE addresses (interface TEXT, family TEXT, address TEXT, netmask TEXT);
CREATE TABLE interfaces (interface TEXT, is_up INTEGER, mtu INTEGER, hardware_address TEXT);
CREATE TABLE limits (name TEXT, soft TEXT, hard TEXT);
CREATE TABLE environment_names (name TEXT);
CREATE TABLE listeners (protocol TEXT, address TEXT, port INTEGER, pid INTEGER, process TEXT);
CREATE TABLE processes (
    pid INTEGER PRIMARY KEY, ppid INTEGER, name TEXT, user TEXT, status TEXT, rss_bytes INTEGER, cpu_s REAL,
    threads INTEGER, started_at REAL, read_at REAL
);
"""

_MOUNT_COLUMNS = ("device", "mountpoint", "fstype", "total_bytes", "used_bytes", "free_bytes", "used_percent")
_PROCESS_COLUMNS = tuple(field.name for field in fields(RunningProcess))


def collect_config(db_path: Path, now: float) -> tuple[dict[str, int], list[str]]:
    """Write a new `config.db`; give its row counts and notes on what could not be read."""
    processes = list(running_processes())
    mounts, notes = read_mounts()
    listeners, refused = _listeners({process.pid: process.name for process in processes})
    notes += refused
    host = _host(now, len(processes))
    mount_rows = [
        (m.device, m.mountpoint, m.fstype, m.total_bytes, m.used_bytes, m.free_bytes, m.used_percent, now)
        for m in mounts
    ]
    with sqlite_being_built(db_path) as connection:
        _create_tables(connection)
        counts = {
            "host": insert_rows(connection, "host", tuple(host), [tuple(host.values())]),
            "mounts": insert_rows(connection, "mounts", (*_MOUNT_COLUMNS, "read_at"), mount_rows),
            "addresses": insert_rows(
                connection, "addresses", ("interface", "family", "address", "netmask"), _addresses()
            ),
            "interfaces": insert_rows(
                connection, "interfaces", ("interface", "is_up", "mtu", "hardware_address"), _interfaces()
            ),
            "limits": insert_rows(connection, "limits", ("name", "soft", "hard"), _limits()),
            # Names alone: values may be secrets.
            "environment_names": insert_rows(
                connection, "environment_names", ("name",), [(name,) for name in sorted(os.environ)]
            ),
            "listeners": insert_rows(
                connection, "listeners", ("protocol", "address", "port", "pid", "process"), listeners
            ),
            "processes": insert_rows(
                connection,
                "processes",
                (*_PROCESS_COLUMNS, "read_at"),
                [(*astuple(process), now) for process in processes],
            ),
        }
    return counts, notes


def _create_tables(connection: sqlite3.Connection) -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            connection.execute(statement)


def _host(now: float, process_count: int) -> dict[str, object]:
    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    booted_at = psutil.boot_time()
    return {
        "hostname": socket.gethostname(),
        "os_name": _os_name(),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "cpu_model": _cpu_model(),
        "cpu_count": psutil.cpu_count() or os.cpu_count() or 1,
        "core_count": psutil.cpu_count(logical=False),
        "memory_total_bytes": memory.total,
        "memory_used_bytes": memory.total - memory.available,
        "memory_free_bytes": memory.free,
        "memory_available_bytes": memory.available,
        "swap_total_bytes": swap.total,
        "swap_used_bytes": swap.used,
        "booted_at": booted_at,
        "uptime_s": round(now - booted_at, 1),
        "python_version": platform.python_version(),
        "python_implementation": platform.python_implementation(),
        "time_zone": _time_zone(now),
        "process_count": process_count,
        "read_at": now,
    }


def _os_name() -> str:
    if sys.platform == "darwin":
        return f"macOS {platform.mac_ver()[0]}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _time_zone(now: float) -> str:
    """The zone's name from the machine's setting where it is kept, else its abbreviation at `now`."""
    target = os.path.realpath("/etc/localtime")
    _, found, zone = target.partition("/zoneinfo/")
    if found and "TZ" not in os.environ:
        return zone
    return datetime.fromtimestamp(now, UTC).astimezone().tzname() or "UTC"


_FAMILIES = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}


def _addresses() -> list[tuple[str, str, str, str | None]]:
    return [
        # A link-local address comes as address%interface; `ip addr` shows it without.
        (interface, _FAMILIES[entry.family], entry.address.partition("%")[0], entry.netmask)
        for interface, entries in sorted(psutil.net_if_addrs().items())
        for entry in entries
        if entry.family in _FAMILIES
    ]


def _interfaces() -> list[tuple[str, int, int, str | None]]:
    hardware = {
        interface: entry.address
        for interface, entries in psutil.net_if_addrs().items()
        for entry in entries
        if entry.family == psutil.AF_LINK
    }
    return [
        (interface, int(state.isup), state.mtu, hardware.get(interface))
        for interface, state in sorted(psutil.net_if_stats().items())
    ]


_LIMITS = {
    "open files": "RLIMIT_NOFILE",
    "processes": "RLIMIT_NPROC",
    "stack bytes": "RLIMIT_STACK",
    "core file bytes": "RLIMIT_CORE",
    "address space bytes": "RLIMIT_AS",
    "locked memory bytes": "RLIMIT_MEMLOCK",
    "file size bytes": "RLIMIT_FSIZE",
}


def _limits() -> list[tuple[str, str, str]]:
    """This process's own limits, which those it starts inherit."""

    def worded(limit: int) -> str:
        return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)

    found = []
    for name, constant in _LIMITS.items():
        if hasattr(resource, constant):
            soft, hard = resource.getrlimit(getattr(resource, constant))
            found.append((name, worded(soft), worded(hard)))
    return found


def _listeners(names: dict[int, str]) -> tuple[list[tuple[str, str, int, int | None, str | None]], list[str]]:
    try:
        connections = psutil.net_connections(kind="inet")
    except psutil.AccessDenied:
        return [], ["listening sockets are not shown to this user; run as root to see them"]
    found = {
        (
            "tcp" if connection.type == socket.SOCK_STREAM else "udp",
            connection.laddr.ip,
            connection.laddr.port,
            connection.pid,
            names.get(connection.pid or -1),
        )
        for connection in connections
        if connection.laddr
        and (connection.status == psutil.CONN_LISTEN or connection.type == socket.SOCK_DGRAM)
        and not connection.raddr
    }
    return sorted(found, key=lambda row: (row[2], row[0], row[1])), []
