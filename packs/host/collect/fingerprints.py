"""What a store was made from, in short: while that is the same, the store need not be made again."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from packs.host.collect import debian, documents, graph, history
from packs.host.collect.distributions import metadata_folders

_FILE = "fingerprints.json"
_STORE_FILES = {history.STORE: "history.db", documents.STORE: "documents.db", graph.STORE: "graph"}


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """The fingerprints noted beside the stores when they were made."""

    folder: Path
    noted: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path) -> Fingerprints:
        """Nothing is noted where the file is missing or cannot be read: then all is made again."""
        try:
            noted = json.loads((folder / _FILE).read_text())
        except (OSError, ValueError):
            noted = {}
        return cls(folder, noted if isinstance(noted, dict) else {})

    def holds(self, store: str, fingerprint: str) -> bool:
        """Whether the store is there and was made from just this."""
        return self.noted.get(store) == fingerprint and (self.folder / _STORE_FILES[store]).is_file()

    def note(self, made: Mapping[str, str]) -> None:
        """Keep these, written as a whole. To be called only when the stores are in place."""
        building = self.folder / f".{_FILE}.{os.getpid()}.{secrets.token_hex(4)}.building"
        building.write_text(json.dumps({**self.noted, **made}, indent=1))
        os.replace(building, self.folder / _FILE)


def fingerprints_now(root: Path) -> dict[str, str]:
    """By store: what it would be made from now. Reads times and sizes only, no contents."""
    # A newer collector reads differently: its own files count as well.
    common = [sys.version, *_states(Path(__file__).parent.glob("*.py"))]
    python = _states(metadata_folders())
    dpkg = debian.fingerprint_of(root)
    texts = _states([*documents.own_document_files(), *documents.package_readmes(root)])
    return {
        history.STORE: _digest([*common, *python, dpkg, _boot()]),
        documents.STORE: _digest([*common, *python, dpkg, *texts]),
        graph.STORE: _digest([*common, *python, dpkg]),
    }


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        return str(int(psutil.boot_time()) // 60)


def _states(paths: Iterable[Path]) -> list[str]:
    found = []
    for path in paths:
        try:
            state = path.stat()
        except OSError:
            continue
        found.append(f"{path}:{state.st_size}:{state.st_mtime_ns}")
    return sorted(found)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
