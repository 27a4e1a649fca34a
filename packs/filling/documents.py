"""A store of documents for `document_search`: one SQLite file with full text, and vectors if somebody makes them."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from packs.filling.chunks import chunks_of
from packs.filling.stores import insert_rows, sqlite_being_built

Embed = Callable[[Sequence[str]], Iterable[Any]]
"""Texts to vectors, each of the same length; numpy arrays that have `astype` and `tobytes`."""

_BATCH = 256

_DOCUMENTS = """CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, document_name TEXT, document_type TEXT, path_hint TEXT, modified_at REAL,
    tenant_id TEXT
)"""
_CHUNKS = """CREATE VIRTUAL TABLE chunks USING fts5(
    chunk_text, document_id UNINDEXED, chunk_id UNINDEXED, page_number UNINDEXED,
    tokenize = 'porter unicode61 remove_diacritics 2'
)"""
_VECTORS = "CREATE TABLE vectors (chunk_rowid INTEGER PRIMARY KEY, document_id TEXT, vector TEXT)"

_DOCUMENT_COLUMNS = ("document_id", "document_name", "document_type", "path_hint", "modified_at", "tenant_id")
_CHUNK_COLUMNS = ("rowid", "chunk_text", "document_id", "chunk_id", "page_number")


@dataclass(frozen=True, slots=True)
class Document:
    """`path_hint` says where a reader finds it, without the folders of this machine above it. `pages` are texts;
    a document without pages of its own has one, and its pieces are then counted as pages. Without a tenant it
    belongs to everyone whom the source's tools serve."""

    document_id: str
    document_name: str
    document_type: str
    path_hint: str
    modified_at: float | None
    pages: tuple[str, ...]
    tenant_id: str | None = None


def write_documents(
    db_path: Path, documents: Iterable[Document], *, embed: Embed | None = None
) -> dict[str, int]:
    """Write a new store in the place of the old one, if there is one; give its row counts by table. A document
    without text is left out."""
    with sqlite_being_built(db_path) as connection:
        for table in (_DOCUMENTS, _CHUNKS, _VECTORS):
            connection.execute(table)
        counts = {"documents": 0, "chunks": 0}
        for document in documents:
            pieces = list(_pieces(document))
            if pieces:
                _insert(connection, document, pieces, first_rowid=counts["chunks"] + 1)
                counts["documents"] += 1
                counts["chunks"] += len(pieces)
        if embed is not None:
            counts["vectors"] = _embed_all(connection, embed)
    return counts


def _pieces(document: Document) -> Iterator[tuple[str, int]]:
    """Texts and page numbers."""
    for number, page in enumerate(document.pages, start=1):
        for piece in chunks_of(document.document_name, page):
            yield piece.text, number if len(document.pages) > 1 else piece.page_number


def _insert(
    connection: sqlite3.Connection, document: Document, pieces: Sequence[tuple[str, int]], first_rowid: int
) -> None:
    insert_rows(
        connection, "documents", _DOCUMENT_COLUMNS, [[getattr(document, c) for c in _DOCUMENT_COLUMNS]]
    )
    rows = [
        (first_rowid + index, text, document.document_id, f"{document.document_id}#{index + 1}", page)
        for index, (text, page) in enumerate(pieces)
    ]
    insert_rows(connection, "chunks", _CHUNK_COLUMNS, rows)


def _embed_all(connection: sqlite3.Connection, embed: Embed) -> int:
    """A vector for each chunk, as base64 of 16-bit floats: half the size, and no difference in the ranking."""
    chunks = connection.execute("SELECT rowid, document_id, chunk_text FROM chunks ORDER BY rowid").fetchall()
    rest, count = iter(chunks), 0
    while batch := list(islice(rest, _BATCH)):
        vectors = embed([text for _, _, text in batch])
        rows = [
            (rowid, document_id, base64.b64encode(vector.astype("<f2").tobytes()).decode())
            for (rowid, document_id, _), vector in zip(batch, vectors, strict=True)
        ]
        count += insert_rows(connection, "vectors", ("chunk_rowid", "document_id", "vector"), rows)
    return count
