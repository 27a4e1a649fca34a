"""`history.db`: what was installed, upgraded or removed when, and when the machine started."""

from __future__ import annotations

import struct
from pathlib import Path

import psutil

from packs.filling.stores import insert_rows, sqlite_being_built
from packs.host.collect.debian import DebianPackage, debian_events
from packs.host.collect.distributions import InstalledDistribution

STORE = "history"

_PACKAGES = """CREATE TABLE packages (
    kind TEXT, name TEXT, version TEXT, architecture TEXT, installer TEXT, summary TEXT, installed_at REAL
)"""
_EVENTS = """CREATE TABLE events (
    kind TEXT, name TEXT, version TEXT, previous_version TEXT, action TEXT, at REAL
)"""

EventRow = tuple[str, str, str, str | None, str, float]

_UTMP = struct.Struct("<h2xi32s4s32s256shhiii16x20x")
"""A record of wtmp on Linux with 32-bit times in it (glibc on x86 and arm64)."""
_BOOT_TIME = 2
_SAME_BOOT_S = 120.0


def collect_history(
    db_path: Path,
    distributions: list[InstalledDistribution],
    packages: list[DebianPackage],
    root: Path,
) -> tuple[dict[str, int], list[str]]:
    """Write a new `history.db`; give its row counts and notes on what could not be read."""
    notes = [] if packages else ["no dpkg here: Debian packages are left out"]
    events = _python_events(distributions) + _debian_event_rows(packages, root) + _boots(root)
    events.sort(key=lambda event: (event[5], event[1]))
    installed: list[tuple[object, ...]] = [
        ("python", d.name, d.version, None, d.installer, d.summary, d.installed_at) for d in distributions
    ]
    installed += [
        ("debian", p.name, p.version, p.architecture, "dpkg", p.summary, p.installed_at) for p in packages
    ]
    with sqlite_being_built(db_path) as connection:
        connection.execute(_PACKAGES)
        connection.execute(_EVENTS)
        counts = {
            "packages": insert_rows(
                connection,
                "packages",
                ("kind", "name", "version", "architecture", "installer", "summary", "installed_at"),
                installed,
            ),
            "events": insert_rows(
                connection, "events", ("kind", "name", "version", "previous_version", "action", "at"), events
            ),
        }
        connection.execute("CREATE INDEX events_at ON events (at)")
    return counts, notes


def _python_events(distributions: list[InstalledDistribution]) -> list[EventRow]:
    return [("python", d.name, d.version, None, "installed", d.installed_at) for d in distributions]


def _debian_event_rows(packages: list[DebianPackage], root: Path) -> list[EventRow]:
    """What the logs tell; a package no log knows (it came with the image) counts from its list of files."""
    logged = list(debian_events(root))
    known = {event.name for event in logged}
    rows: list[EventRow] = [
        ("debian", event.name, event.version, event.previous_version, event.action, event.at)
        for event in logged
    ]
    rows += [
        ("debian", package.name, package.version, None, "installed", package.installed_at)
        for package in packages
        if package.name not in known and package.installed_at is not None
    ]
    return rows


def _boots(root: Path) -> list[EventRow]:
    """This start of the machine, and the earlier ones that the login records still tell."""
    booted_at = psutil.boot_time()
    moments = [at for at in _recorded_boots(root / "var/log/wtmp") if abs(at - booted_at) > _SAME_BOOT_S]
    return [("boot", "machine", "", None, "started", at) for at in [*moments, booted_at]]


def _recorded_boots(path: Path) -> list[float]:
    try:
        raw = path.read_bytes()
    except OSError:
        return []
    if len(raw) % _UTMP.size:
        return []
    return [float(record[9]) for record in _UTMP.iter_unpack(raw) if record[0] == _BOOT_TIME]
