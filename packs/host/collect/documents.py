"""`documents.db`: the texts found here, in pieces, ready for full-text search."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from packs.filling.documents import Document, write_documents
from packs.host.collect.debian import DebianPackage
from packs.host.collect.distributions import InstalledDistribution

STORE = "documents"
MAX_FILE_BYTES = 256 * 1024
_MAX_PACKAGE_READMES = 400

_OWN_TYPES = {"runbook": "runbook", "README": "readme"}


def collect_documents(
    db_path: Path,
    distributions: list[InstalledDistribution],
    packages: list[DebianPackage],
    root: Path,
) -> tuple[dict[str, int], list[str]]:
    """Write a new `documents.db`; give its row counts and notes on what was not found."""
    own = list(own_documents())
    notes = [] if own else ["opsloom's own documents were not found beside this installation"]
    counts = write_documents(db_path, _all(own, distributions, packages, root))
    return counts, notes


def own_document_files() -> list[Path]:
    """opsloom's own documents: beside the packages in a checkout, else where an installation puts them."""
    base = _home_of_own_documents()
    if base is None:
        return []
    beside = (base / "README.md", base / "CONTRIBUTING.md")
    return [path for path in beside if path.is_file()] + sorted((base / "docs").rglob("*.md"))


def own_documents() -> Iterator[Document]:
    """Runbook, guides and decisions of opsloom, each under its file's name."""
    base = _home_of_own_documents()
    for path in own_document_files():
        hint = path.relative_to(base).as_posix() if base is not None else path.name
        kind = "decision" if path.parent.name == "adr" else _OWN_TYPES.get(path.stem, "guide")
        yield Document(
            document_id=f"opsloom/{hint}",
            document_name=f"opsloom {path.stem}",
            document_type=kind,
            path_hint=hint,
            modified_at=path.stat().st_mtime,
            pages=(_text_of(path),),
        )


def _home_of_own_documents() -> Path | None:
    for base in (Path(__file__).parents[3], Path(sys.prefix) / "share/doc/opsloom"):
        # Other distributions too leave a folder `docs` behind; ours has the runbook.
        if (base / "docs" / "runbook.md").is_file():
            return base
    return None


def package_readmes(root: Path) -> list[Path]:
    """README files that Debian packages brought along, at most 400."""
    return sorted((root / "usr/share/doc").glob("*/README*"))[:_MAX_PACKAGE_READMES]


def _all(
    own: list[Document],
    distributions: Iterable[InstalledDistribution],
    packages: Iterable[DebianPackage],
    root: Path,
) -> Iterator[Document]:
    yield from own
    for distribution in distributions:
        summary = f"{distribution.name} {distribution.version}: {distribution.summary}"
        # opsloom's README is there already, as a file.
        description = "" if distribution.canonical_name == "opsloom" else distribution.description
        yield Document(
            document_id=f"python/{distribution.canonical_name}",
            document_name=f"{distribution.name} README",
            document_type="package",
            path_hint=f"{distribution.name}-{distribution.version}.dist-info/METADATA",
            modified_at=distribution.installed_at,
            pages=(f"{summary}\n\n{description}",),
        )
    for package in packages:
        yield Document(
            document_id=f"debian/{package.name}",
            document_name=f"{package.name} (Debian package)",
            document_type="package",
            path_hint=f"dpkg -s {package.name}",
            modified_at=package.installed_at,
            pages=(f"{package.name} {package.version}: {package.summary}\n\n{package.description}",),
        )
    for path in package_readmes(root):
        name = f"{path.parent.name} {path.name.removesuffix('.gz')}"
        yield Document(
            document_id=f"doc/{path.parent.name}/{path.name}",
            document_name=name,
            document_type="readme",
            path_hint=f"doc/{path.parent.name}/{path.name}",
            modified_at=path.stat().st_mtime if path.exists() else None,
            pages=(_text_of(path),),
        )


def _text_of(path: Path) -> str:
    """The start of a text file, up to 256 KiB; nothing if it cannot be read."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES)
    except (OSError, EOFError):
        return ""
    return "" if b"\x00" in raw else raw.decode("utf-8", errors="replace")
