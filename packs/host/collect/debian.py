"""Debian packages: what is installed, what each needs, and when it came, from dpkg's own files."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

STATUS = Path("var/lib/dpkg/status")
LISTS = Path("var/lib/dpkg/info")
LOGS = Path("var/log")

Action = Literal["installed", "upgraded", "removed"]
_ACTIONS: dict[str, Action] = {"install": "installed", "upgrade": "upgraded", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class DebianPackage:
    name: str
    version: str
    architecture: str
    summary: str
    description: str
    depends: tuple[tuple[str, ...], ...]
    """Each a choice of names, any of which will do; versions left out."""
    provides: tuple[str, ...]
    installed_at: float | None
    """When its list of files last changed (Unix seconds): its install or last upgrade."""


@dataclass(frozen=True, slots=True)
class DebianEvent:
    name: str
    version: str
    previous_version: str | None
    action: Action
    at: float


def debian_packages(root: Path) -> list[DebianPackage]:
    """Installed packages under this root directory, as `dpkg-query -W` lists them. Empty without dpkg."""
    try:
        text = (root / STATUS).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    found = []
    for paragraph in text.split("\n\n"):
        fields = _fields(paragraph)
        if fields.get("Status", "").endswith(" installed"):
            found.append(_package(fields, root))
    return found


def debian_events(root: Path) -> Iterator[DebianEvent]:
    """Installs, upgrades and removals that dpkg's logs still tell, rotated ones included, in no order."""
    folder = root / LOGS
    for path in sorted(folder.glob("dpkg.log*")):
        for line in _lines(path):
            event = _event(line)
            if event is not None:
                yield event


def dependencies(packages: list[DebianPackage]) -> list[tuple[str, str]]:
    """Pairs (name, needed name) among installed packages; of a choice, every installed one counts."""
    installed = {package.name for package in packages}
    providers: dict[str, set[str]] = {}
    for package in packages:
        for virtual in package.provides:
            providers.setdefault(virtual, set()).add(package.name)
    pairs = set()
    for package in packages:
        for choice in package.depends:
            for name in choice:
                needed = {name} if name in installed else providers.get(name, set())
                pairs |= {(package.name, other) for other in needed if other != package.name}
    return sorted(pairs)


def fingerprint_of(root: Path) -> str:
    """Changes whenever a package or a log does."""
    seen = []
    for path in [root / STATUS, *sorted((root / LOGS).glob("dpkg.log*"))]:
        try:
            state = path.stat()
        except OSError:
            continue
        seen.append(f"{path}:{state.st_size}:{state.st_mtime_ns}")
    return "|".join(seen)


def _lines(path: Path) -> list[str]:
    """A log's lines; none if it is not ours to read or was rotated away meanwhile."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            return opened.read().decode("utf-8", errors="replace").splitlines()
    except (OSError, EOFError):
        return []


def _fields(paragraph: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    name = ""
    for line in paragraph.splitlines():
        if line.startswith((" ", "\t")):
            fields[name] = fields.get(name, "") + "\n" + line.strip()
        else:
            name, _, text = line.partition(":")
            fields[name] = text.strip()
    return fields


def _package(fields: dict[str, str], root: Path) -> DebianPackage:
    name, architecture = fields["Package"], fields.get("Architecture", "")
    summary, _, rest = fields.get("Description", "").partition("\n")
    needed = ", ".join(filter(None, (fields.get("Pre-Depends"), fields.get("Depends"))))
    return DebianPackage(
        name=name,
        version=fields.get("Version", ""),
        architecture=architecture,
        summary=summary,
        description="\n".join("" if line == "." else line for line in rest.splitlines()),
        depends=tuple(
            tuple(_bare(part) for part in choice.split("|")) for choice in needed.split(",") if choice.strip()
        ),
        provides=tuple(_bare(part) for part in fields.get("Provides", "").split(",") if part.strip()),
        installed_at=_installed_at(root / LISTS, name, architecture),
    )


def _bare(dependency: str) -> str:
    """The name alone, without version and architecture: `libc6:any (>= 2.36)` is `libc6`."""
    return re.split(r"[\s(:]", dependency.strip(), maxsplit=1)[0]


def _installed_at(lists: Path, name: str, architecture: str) -> float | None:
    for candidate in (f"{name}.list", f"{name}:{architecture}.list"):
        try:
            return (lists / candidate).stat().st_mtime
        except OSError:
            continue
    return None


def _event(line: str) -> DebianEvent | None:
    """A line such as `2026-06-24 14:36:25 upgrade name:arch old new`; None for any other."""
    parts = line.split()
    if len(parts) != 6 or parts[2] not in _ACTIONS:
        return None
    try:
        # dpkg writes local time without a zone.
        at = datetime.fromisoformat(f"{parts[0]} {parts[1]}").astimezone().timestamp()
    except ValueError:
        return None
    action = _ACTIONS[parts[2]]
    old, new = (None if version == "<none>" else version for version in parts[4:6])
    return DebianEvent(
        name=parts[3].partition(":")[0],
        version=(old if action == "removed" else new) or "",
        previous_version=None if action == "removed" else old,
        action=action,
        at=at,
    )
