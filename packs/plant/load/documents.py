"""The plant's documents: an FTS5 index to search, and the Markdown files to read."""

from collections.abc import Sequence
from pathlib import Path

from packs.filling.chunks import chunks_of
from packs.filling.stores import insert_rows, sqlite_being_built
from packs.plant.world.papers import Paper

_DOCUMENTS = """CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, document_name TEXT, document_type TEXT, path_hint TEXT, modified_at REAL,
    tenant_id TEXT, language TEXT
)"""
_CHUNKS = """CREATE VIRTUAL TABLE chunks USING fts5(
    chunk_text, document_id UNINDEXED, chunk_id UNINDEXED, page_number UNINDEXED,
    tokenize = 'porter unicode61 remove_diacritics 2'
)"""
_DOCUMENT_COLUMNS = (
    "document_id", "document_name", "document_type", "path_hint", "modified_at", "tenant_id", "language",
)  # fmt: skip
_CHUNK_COLUMNS = ("chunk_text", "document_id", "chunk_id", "page_number")


def write_documents(path: Path, papers: Sequence[Paper]) -> dict[str, int]:
    """Write a new index in the place of `path`; rows by table."""
    documents = [
        (each.document_id, each.name, each.kind, path_of(each), float(each.modified_at), each.tenant, each.language)
        for each in papers
    ]  # fmt: skip
    chunks = [
        (piece.text, each.document_id, f"{each.document_id}#{piece.page_number}", piece.page_number)
        for each in papers
        for piece in chunks_of(each.name, each.text)
    ]
    with sqlite_being_built(path) as connection:
        connection.execute(_DOCUMENTS)
        connection.execute(_CHUNKS)
        return {
            "documents": insert_rows(connection, "documents", _DOCUMENT_COLUMNS, documents),
            "chunks": insert_rows(connection, "chunks", _CHUNK_COLUMNS, chunks),
        }


def write_files(folder: Path, papers: Sequence[Paper]) -> int:
    """Write each document as a Markdown file of its tenant's folder; how many."""
    for each in papers:
        path = folder / path_of(each)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(each.text, encoding="utf-8")
    return len(papers)


def path_of(paper: Paper) -> str:
    """Where a document lies below the folder of all documents."""
    stem = paper.document_id.removeprefix(f"{paper.tenant}/").removeprefix(f"{paper.tenant}-")
    folder = {"runbook": "runbooks", "postmortem": "postmortems"}.get(paper.kind, "guides")
    return f"{paper.tenant}/{folder}/{stem.rpartition('/')[2]}.md"
