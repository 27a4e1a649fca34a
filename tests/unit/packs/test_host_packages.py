"""What is installed, what it needs and when it came, read from files made for the test."""

from __future__ import annotations

import gzip
import os
import struct
from datetime import datetime
from pathlib import Path

import pytest

from packs.host.collect import debian, distributions
from packs.host.collect.distributions import InstalledDistribution
from packs.host.collect.history import _recorded_boots

STATUS = """\
Package: app
Status: install ok installed
Architecture: amd64
Version: 2.0-1
Pre-Depends: base (>= 1) | other
Depends: mail-transport-agent, missing | base:any
Description: an app
 It does things.
 .
 And more.

Package: base
Status: install ok installed
Architecture: amd64
Version: 1:1.5
Description: the base

Package: exim
Status: install ok installed
Architecture: all
Version: 4
Provides: mail-transport-agent (= 4), mailer
Description: mail

Package: gone
Status: deinstall ok config-files
Version: 1
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/dpkg/info").mkdir(parents=True)
    (tmp_path / "var/log").mkdir()
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    listing = tmp_path / "var/lib/dpkg/info/base:amd64.list"
    listing.write_text("")
    os.utime(listing, (1_000, 1_000))
    return tmp_path


def test_only_installed_packages_count(root: Path) -> None:
    """A package of which only settings are left is not installed."""
    found = {package.name: package for package in debian.debian_packages(root)}

    assert set(found) == {"app", "base", "exim"}
    assert found["app"].summary == "an app"
    assert found["app"].description == "It does things.\n\nAnd more."
    assert found["base"].installed_at == 1_000


def test_a_choice_counts_by_what_is_installed_and_virtual_names_by_their_provider(root: Path) -> None:
    """`a | b`, versions, architectures and provided names are resolved."""
    assert debian.dependencies(debian.debian_packages(root)) == [("app", "base"), ("app", "exim")]


def test_logs_tell_installs_upgrades_and_removals(root: Path) -> None:
    """Rotated and packed logs are read too; other lines are passed over."""
    (root / "var/log/dpkg.log").write_text(
        "2026-01-02 03:04:05 startup archives unpack\n"
        "2026-01-02 03:04:06 upgrade app:amd64 1.0-1 2.0-1\n"
        "2026-01-02 03:04:07 remove old:all 3 <none>\n"
    )
    with gzip.open(root / "var/log/dpkg.log.2.gz", "wt") as packed:
        packed.write("2025-01-02 03:04:06 install app:amd64 <none> 1.0-1\n")

    events = sorted(debian.debian_events(root), key=lambda event: event.at)

    assert [(e.name, e.action, e.version, e.previous_version) for e in events] == [
        ("app", "installed", "1.0-1", None),
        ("app", "upgraded", "2.0-1", "1.0-1"),
        ("old", "removed", "3", None),
    ]
    assert events[1].at == datetime(2026, 1, 2, 3, 4, 6).astimezone().timestamp()


def test_without_dpkg_there_are_no_packages(tmp_path: Path) -> None:
    """Another system is not an error."""
    assert debian.debian_packages(tmp_path) == []
    assert list(debian.debian_events(tmp_path)) == []


def distribution(name: str, *requires: str) -> InstalledDistribution:
    return InstalledDistribution(name, "1", "", "", "pip", 0.0, requires)


def test_requirements_count_by_their_markers() -> None:
    """What another system or an extra nobody asks for would need is no dependency."""
    installed = [
        distribution(
            "app", "Lib_One>=1", 'win-only; sys_platform == "nowhere"', 'extra-thing; extra == "big"'
        ),
        distribution("lib.one"),
        distribution("win-only"),
        distribution("extra-thing"),
    ]

    assert distributions.dependencies(installed) == [("app", "lib.one", ">=1")]


def test_an_extra_counts_when_somebody_asks_for_it() -> None:
    """Extras are followed from package to package."""
    installed = [
        distribution("app", "lib[fast]"),
        distribution("lib", 'speedups; extra == "fast"', 'lib[fast]; extra == "all"'),
        distribution("speedups"),
    ]

    assert distributions.dependencies(installed) == [("app", "lib", ""), ("lib", "speedups", "")]


def test_boots_are_read_from_login_records(tmp_path: Path) -> None:
    """Records of a start of the machine, and no others."""
    path = tmp_path / "wtmp"

    def record(kind: int, at: int) -> bytes:
        return struct.pack("<h2xi32s4s32s256shhiii16x20x", kind, 0, b"", b"", b"", b"", 0, 0, 0, at, 0)

    path.write_bytes(record(2, 1_700_000_000) + record(7, 1_700_000_100))

    assert _recorded_boots(path) == [1_700_000_000.0]
    assert _recorded_boots(tmp_path / "none") == []
