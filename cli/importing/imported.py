"""What an import comes to, and how it is written into a pack."""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from registry.packs import MANIFEST, load_pack

_LONGEST_DESCRIPTION = 300


class ImportFailed(Exception):
    """An import that cannot be made: why, and what to do."""

    def __init__(self, reason: str, hint: str, exit_code: int = 1) -> None:
        super().__init__(f"{reason} {hint}")
        self.reason = reason
        self.hint = hint
        self.exit_code = exit_code


@dataclass(slots=True)
class Imported:
    """Assets as they will be written, and what is worth saying."""

    source: dict[str, Any]
    tools: list[dict[str, Any]] = field(default_factory=list)
    templates: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    """What was left out, and why."""
    notes: list[str] = field(default_factory=list)
    """What is still to be done by hand."""


def slug(text: str) -> str:
    """A name fit for an asset's id."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    plain = re.sub(r"[^a-z0-9_]+", "_", spaced.lower()).strip("_")
    return (plain or "x")[:60]


def one_line(text: object) -> str:
    """A foreign description as one line of plain characters, cut: it is data, whatever it says."""
    plain = "".join(char if unicodedata.category(char)[0] != "C" else " " for char in str(text or ""))
    joined = " ".join(plain.split())
    return joined if len(joined) <= _LONGEST_DESCRIPTION else joined[:_LONGEST_DESCRIPTION] + "…"


def write(imported: Imported, folder: Path, *, replace: bool) -> list[Path]:
    """Write the assets into the pack's folder and read the pack, so that what was written is known to load.

    A manifest is written if there is none. Raises `ImportFailed` and PackError; then nothing of it stays.
    """
    name = imported.source["id"]
    contents = {
        folder / "sources" / f"{slug(name)}.yaml": [imported.source],
        folder / "tools" / f"{slug(name)}.yaml": imported.tools,
        folder / "templates" / f"{slug(name)}.yaml": imported.templates,
    }
    contents = {path: assets for path, assets in contents.items() if assets}
    taken = [path for path in contents if path.exists()]
    if taken and not replace:
        raise ImportFailed(f"{taken[0]} is there already.", "Give --replace to write it anew.")
    before = {path: path.read_bytes() if path.exists() else None for path in contents}
    manifest = folder / MANIFEST
    if not manifest.exists():
        before[manifest] = None
        folder.mkdir(parents=True, exist_ok=True)
        manifest.write_text(_yaml({"id": slug(folder.resolve().name), "title": folder.resolve().name}))
    try:
        for path, assets in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_yaml(assets), encoding="utf-8")
        load_pack(folder, {"data": "/", "clickhouse": "", "home": "/"})
    except BaseException:
        for path, content in before.items():
            if content is None:
                path.unlink(missing_ok=True)
            else:
                path.write_bytes(content)
        raise
    return list(contents)


class _Plain(yaml.SafeDumper):
    """Without aliases, which packs do not allow."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _yaml(content: Any) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=110)
