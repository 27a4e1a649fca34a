"""Every figure of the host pack is what the machine's own commands say."""

from __future__ import annotations

import getpass
import importlib.metadata
import json
import math
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from packs.host.collect.config import collect_config
from packs.host.collect.debian import debian_packages
from packs.host.collect.distributions import dependencies, installed_distributions
from packs.host.collect.history import collect_history
from packs.host.collect.processes import running_processes

MEMORY_SLACK_BYTES = 512 * 1024 * 1024
"""Memory and disks move between two readings; this much at most, on a machine that runs other tests too."""


def said_by(*command: str) -> str:
    """What a command prints; skips the test where there is no such command."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment).stdout


@pytest.fixture
def config(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "config.db"
    collect_config(path, time.time())
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


def test_memory_is_what_free_says(config: sqlite3.Connection) -> None:
    """Total and swap to the byte; used and available within what moved meanwhile."""
    printed = said_by("free", "-b").splitlines()
    memory = dict(zip(printed[0].split(), map(int, printed[1].split()[1:]), strict=False))
    swap = dict(zip(printed[0].split(), map(int, printed[2].split()[1:]), strict=False))

    host = config.execute("SELECT * FROM host").fetchone()

    assert host["memory_total_bytes"] == memory["total"]
    assert host["swap_total_bytes"] == swap["total"]
    assert host["memory_available_bytes"] == pytest.approx(memory["available"], abs=MEMORY_SLACK_BYTES)
    assert host["memory_used_bytes"] + host["memory_available_bytes"] == host["memory_total_bytes"]


def test_mounts_are_what_df_says(config: sqlite3.Connection) -> None:
    """The same mount points with the same sizes, and the percentage rounded up as df does."""
    printed = [line.split() for line in said_by("df", "-B1", "--local").splitlines()[1:]]
    by_mountpoint = {words[-1]: words for words in printed}

    mounts = {row["mountpoint"]: row for row in config.execute("SELECT * FROM mounts")}

    assert set(mounts) == set(by_mountpoint)
    for mountpoint, words in by_mountpoint.items():
        total, used, free = map(int, words[-5:-2])
        mount = mounts[mountpoint]
        assert mount["total_bytes"] == total
        assert mount["used_bytes"] == pytest.approx(used, abs=MEMORY_SLACK_BYTES)
        assert mount["free_bytes"] == pytest.approx(free, abs=MEMORY_SLACK_BYTES)
        assert abs(mount["used_percent"] - int(words[-2].rstrip("%"))) <= 1
        expected = math.ceil(100 * mount["used_bytes"] / (mount["used_bytes"] + mount["free_bytes"]))
        assert mount["used_percent"] == expected


def test_addresses_are_what_ip_says(config: sqlite3.Connection) -> None:
    """Each address with its interface."""
    listed = json.loads(said_by("ip", "-json", "addr") or "[]")
    families = {"inet": "IPv4", "inet6": "IPv6"}
    expected = {
        (entry["ifname"], families[address["family"]], address["local"])
        for entry in listed
        for address in entry["addr_info"]
        if address["family"] in families
    }

    found = {tuple(row) for row in config.execute("SELECT interface, family, address FROM addresses")}

    assert found == expected


def test_host_facts_are_what_the_system_says(config: sqlite3.Connection) -> None:
    """Name, kernel, processors, start and interpreter, each from another reading."""
    host = config.execute("SELECT * FROM host").fetchone()

    assert host["hostname"] == socket.gethostname()
    assert host["kernel"] == f"{os.uname().sysname} {os.uname().release}"
    assert host["architecture"] == os.uname().machine
    assert host["cpu_count"] == os.cpu_count()
    assert host["python_version"] == ".".join(map(str, sys.version_info[:3]))
    assert host["uptime_s"] == pytest.approx(host["read_at"] - host["booted_at"], abs=0.1)
    if sys.platform == "linux":
        running_s = float(Path("/proc/uptime").read_text().split()[0])
        assert host["uptime_s"] == pytest.approx(running_s, abs=5)
        said = [line.split() for line in Path("/proc/stat").read_text().splitlines()]
        assert host["booted_at"] == next(float(words[1]) for words in said if words[0] == "btime")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_processes_are_what_proc_says(config: sqlite3.Connection) -> None:
    """This process with the name, parent, owner and memory that the kernel tells."""
    row = config.execute("SELECT * FROM processes WHERE pid = ?", (os.getpid(),)).fetchone()
    status = dict(
        line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )

    assert row["name"] == Path("/proc/self/comm").read_text().strip()
    assert row["ppid"] == os.getppid()
    assert row["user"] == getpass.getuser()
    assert row["rss_bytes"] == pytest.approx(int(status["VmRSS"].split()[0]) * 1024, abs=MEMORY_SLACK_BYTES)
    assert row["started_at"] == pytest.approx(psutil.Process().create_time(), abs=1)


def test_processes_are_those_ps_lists() -> None:
    """All that ps lists before and after are there."""
    before = set(map(int, said_by("ps", "-eo", "pid=").split()))
    found = {process.pid for process in running_processes()}
    after = set(map(int, said_by("ps", "-eo", "pid=").split()))

    assert before & after <= found


def test_python_packages_are_what_pip_lists() -> None:
    """The same names and versions as pip, or as importlib where pip is not installed."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
    )
    if listing.returncode == 0:
        expected = {(entry["name"], entry["version"]) for entry in json.loads(listing.stdout)}
    else:
        expected = {(d.metadata["Name"], d.version) for d in importlib.metadata.distributions()}

    found = {(d.name, d.version) for d in installed_distributions()}

    assert expected <= found
    # A checkout on the path may carry metadata of its own that pip, run elsewhere, does not see.
    assert {name for name, _ in found - expected} <= {"opsloom"}


def test_dependencies_are_what_the_metadata_asks_for() -> None:
    """Each binding that importlib tells without an extra is there, by its installed name."""
    installed = installed_distributions()
    pairs = {(name, needed) for name, needed, _ in dependencies(installed)}

    assert ("aiokafka", "packaging") in pairs
    assert ("aiohttp", "yarl") in pairs
    assert all(name != needed for name, needed in pairs)
    names = {distribution.name for distribution in installed}
    assert all({name, needed} <= names for name, needed in pairs)


def test_debian_packages_are_what_dpkg_lists() -> None:
    """The same names, versions and architectures as dpkg-query."""
    printed = said_by(
        "dpkg-query", "-W", "-f", "${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n"
    )
    lines = [line.split("\t") for line in printed.splitlines()]
    expected = {tuple(words[1:]) for words in lines if words[0] == "installed"}

    found = {(p.name, p.version, p.architecture) for p in debian_packages(Path("/"))}

    assert found == expected


def test_history_holds_each_installed_package_once(tmp_path: Path) -> None:
    """Counts by kind are those of the two package managers; each distribution has its day of install."""
    distributions, packages = installed_distributions(), debian_packages(Path("/"))
    path = tmp_path / "history.db"

    collect_history(path, distributions, packages, Path("/"))

    connection = sqlite3.connect(path)
    counts = dict(connection.execute("SELECT kind, COUNT(*) FROM packages GROUP BY kind"))
    assert counts.get("python") == len(distributions)
    assert counts.get("debian", 0) == len(packages)
    for distribution in distributions[:5]:
        [(at,)] = connection.execute(
            "SELECT at FROM events WHERE kind = 'python' AND name = ?", (distribution.name,)
        )
        assert at == distribution.installed_at
    [(booted_at,)] = connection.execute("SELECT MAX(at) FROM events WHERE kind = 'boot'")
    assert booted_at == pytest.approx(psutil.boot_time(), abs=2)
    connection.close()
