"""Python distributions of this interpreter, as `pip list` sees them, and what each needs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from email.message import Message
from functools import cached_property
from importlib import metadata
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_METADATA = (".dist-info", ".egg-info")


@dataclass(frozen=True)
class InstalledDistribution:
    """One installed distribution. `installed_at` is the last change of its metadata folder (Unix seconds)."""

    name: str
    version: str
    summary: str
    description: str
    installer: str
    installed_at: float
    requires: tuple[str, ...]

    @cached_property
    def canonical_name(self) -> str:
        return canonicalize_name(self.name)


def metadata_folders() -> list[Path]:
    """Where distributions keep their metadata, first found first; a later double is hidden by the first."""
    folders: list[Path] = []
    for entry in dict.fromkeys(sys.path):
        try:
            found = [path for path in Path(entry or ".").iterdir() if path.name.endswith(_METADATA)]
        except OSError:
            # Not there, an archive, or not ours to look into.
            continue
        folders += sorted(found)
    return folders


def installed_distributions() -> list[InstalledDistribution]:
    """Every distribution once, by name."""
    found: dict[str, InstalledDistribution] = {}
    for folder in metadata_folders():
        read = _read(folder)
        if read is not None:
            found.setdefault(read.canonical_name, read)
    return sorted(found.values(), key=lambda distribution: distribution.canonical_name)


def dependencies(distributions: list[InstalledDistribution]) -> list[tuple[str, str, str]]:
    """Pairs of installed distributions with the requirement that binds them: (name, needed name, specifier).

    Markers are evaluated for this interpreter. What an extra needs counts only if somebody asks for that
    extra; so extras are followed until nothing new comes.
    """
    by_name = {distribution.canonical_name: distribution for distribution in distributions}
    waiting = [(name, "") for name in by_name]
    done = set(waiting)
    edges: dict[tuple[str, str], str] = {}
    while waiting:
        name, extra = waiting.pop()
        for requirement in _requirements(by_name[name]):
            needed = canonicalize_name(requirement.name)
            if needed not in by_name or not _applies(requirement, extra):
                continue
            edges.setdefault((name, needed), str(requirement.specifier))
            asked = {(needed, canonicalize_name(wanted)) for wanted in requirement.extras} - done
            done |= asked
            waiting += sorted(asked)
    return [
        (by_name[name].name, by_name[needed].name, specifier)
        for (name, needed), specifier in sorted(edges.items())
        # An extra may ask for the distribution itself with other extras: no dependency of its own.
        if name != needed
    ]


def _applies(requirement: Requirement, extra: str) -> bool:
    """Whether it counts for this extra: without one, what needs no extra; with one, what only it brings."""
    if requirement.marker is None:
        return extra == ""
    if extra == "":
        return requirement.marker.evaluate({"extra": ""})
    return requirement.marker.evaluate({"extra": extra}) and not requirement.marker.evaluate({"extra": ""})


def _requirements(distribution: InstalledDistribution) -> list[Requirement]:
    parsed = []
    for line in distribution.requires:
        try:
            parsed.append(Requirement(line))
        except InvalidRequirement:
            # Old metadata may hold what no tool can read any more; pip passes over it too.
            continue
    return parsed


def _read(folder: Path) -> InstalledDistribution | None:
    """None for a folder without a readable name and version, such as one half removed."""
    try:
        distribution = metadata.Distribution.at(folder)
        fields, requires = distribution.metadata, distribution.requires
        name, version = _field(fields, "Name"), _field(fields, "Version")
        installed_at = folder.stat().st_mtime
    except (OSError, UnicodeDecodeError, metadata.PackageNotFoundError):
        return None
    if not name or not version:
        return None
    # Since metadata 2.1 the description stands in the body, before that in a field.
    payload = fields.get_payload() if isinstance(fields, Message) else ""
    description = payload if isinstance(payload, str) and payload.strip() else _field(fields, "Description")
    return InstalledDistribution(
        name=name,
        version=version,
        summary=_field(fields, "Summary"),
        description=description,
        installer=(distribution.read_text("INSTALLER") or "").strip(),
        installed_at=installed_at,
        requires=tuple(requires or ()),
    )


def _field(fields: metadata.PackageMetadata, name: str) -> str:
    return str(fields[name]) if name in fields else ""
