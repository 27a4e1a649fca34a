"""Files as documents: Markdown, text, HTML and PDF. What cannot be read is said, and the rest goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

from packs.filling.documents import Document

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_TEXT_CHARACTERS = 8 * 1024 * 1024
"""Of one document; what is longer is left out, and the report says so."""
MAX_PDF_PAGES = 5_000

_SPACES = re.compile(r"[ \t\r\f\v]+")
_HEADING = re.compile(r"h([1-6])")


class Unreadable(ValueError):
    """Why a file could not be read, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that did not become a document."""

    path: Path
    reason: str


def documents_in(folder: Path, *, tenant_id: str | None = None) -> Iterator[Document | Skipped]:
    """Every file below a folder (or the file itself) that has a reader, ordered by path."""
    paths = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
    base = folder.parent if folder.is_file() else folder
    for path in paths:
        if path.suffix.lower() not in READERS or path.is_symlink():
            continue
        try:
            yield read_document(path, base, tenant_id=tenant_id)
        except Unreadable as fault:
            yield Skipped(path.relative_to(base), str(fault))


def read_document(path: Path, base: Path, *, tenant_id: str | None = None) -> Document:
    """One file as a document, its id the path below `base` (and the tenant). Raises Unreadable."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise Unreadable(
                f"it has {size / 1e6:.0f} MB, at most {MAX_FILE_BYTES // 1_000_000} are read; split it"
            )
        pages = READERS[path.suffix.lower()](path)
    except OSError as error:
        raise Unreadable(f"it cannot be opened ({error.strerror})") from error
    if sum(map(len, pages)) > MAX_TEXT_CHARACTERS:
        raise Unreadable(f"its text has more than {MAX_TEXT_CHARACTERS:,} characters; split it")
    if not any(page.strip() for page in pages):
        raise Unreadable("there is no text in it; a scanned PDF needs text recognition first")
    hint = path.relative_to(base).as_posix()
    return Document(
        document_id=hint if tenant_id is None else f"{tenant_id}/{hint}",
        document_name=path.stem.replace("-", " ").replace("_", " "),
        document_type=path.parent.name if path.parent != base else path.suffix.lstrip(".").lower(),
        path_hint=hint,
        modified_at=path.stat().st_mtime,
        pages=pages,
        tenant_id=tenant_id,
    )


def _plain(path: Path) -> tuple[str, ...]:
    raw = path.read_bytes()
    if b"\x00" in raw:
        raise Unreadable("it is no text: it holds NUL bytes")
    return (raw.decode("utf-8", errors="replace"),)


def _html(path: Path) -> tuple[str, ...]:
    reader = _HtmlText()
    reader.feed(_plain(path)[0])
    reader.close()
    return (reader.text(),)


def _pdf(path: Path) -> tuple[str, ...]:
    try:
        from pypdf import PdfReader
        from pypdf.errors import PyPdfError
    except ImportError as error:
        raise Unreadable('PDF needs the extra pdf. Install it: pip install "opsloom[pdf]"') from error
    try:
        reader = PdfReader(path)
        if reader.is_encrypted:
            raise Unreadable("it is encrypted; save it without a password")
        if len(reader.pages) > MAX_PDF_PAGES:
            raise Unreadable(f"it has {len(reader.pages)} pages, at most {MAX_PDF_PAGES} are read")
        return tuple(page.extract_text() for page in reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # The library raises what its parsing stumbles over; a broken file is no bug of ours.
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"it is no PDF that can be read ({type(error).__name__})") from error


class _HtmlText(HTMLParser):
    """What a reader of a page sees: headings as Markdown's, so that pieces keep their place; no scripts, no menus."""

    _UNSEEN = frozenset({"script", "style", "template", "noscript", "nav", "head"})
    _BREAKS = frozenset(
        {"p", "div", "li", "tr", "br", "section", "article", "pre", "table", "ul", "ol", "blockquote"}
    )

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._UNSEEN:
            self._unseen.append(tag)
        elif found := _HEADING.fullmatch(tag):
            self._parts.append(f"\n\n{'#' * int(found[1])} ")
        elif tag in self._BREAKS:
            self._parts.append("\n\n")
        elif tag in ("td", "th"):
            self._parts.append(" | ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unseen:
            # An unclosed element ends with the one around it.
            while self._unseen.pop() != tag:
                pass
        elif tag in self._BREAKS or _HEADING.fullmatch(tag):
            self._parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self._parts.append(data)

    def text(self) -> str:
        lines = (_SPACES.sub(" ", line).strip() for line in "".join(self._parts).split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


READERS: Mapping[str, Callable[[Path], tuple[str, ...]]] = {
    ".md": _plain,
    ".markdown": _plain,
    ".txt": _plain,
    ".rst": _plain,
    ".log": _plain,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
}
