"""`document_search`: pieces of documents by their words (SQLite FTS5), by their meaning (vectors), or by both.

The store has a table `documents(document_id, document_name, document_type, path_hint, modified_at)`, an FTS5 table
`chunks(chunk_text, document_id, chunk_id, page_number)` and, for the modes vector and hybrid, a table
`vectors(chunk_rowid, document_id, vector)`; `opsloom documents load` makes one.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.document_hits import Meanings, Ranked, Store, by_words, fused
from agents.execution.tools.embedding import EXTRA, Embedder
from agents.execution.tools.engines.engine import Engine
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.relevance import match_expression, words_of
from agents.execution.tools.threads import Threads
from registry.assets import SourceAsset
from schemas.calls import Shape, ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error

_CANDIDATES = 50
"""So many of each ranking, or twice as many as are wanted, take part in a fusion."""

COLUMNS = (
    "chunk_id",
    "document_id",
    "document_name",
    "chunk_text",
    "page_number",
    "relevance_score",
    "snippet",
    "document_type",
    "modified_at",
)
_UNITS = {"page_number": Unit.NUMBER, "relevance_score": Unit.NUMBER, "modified_at": Unit.TIMESTAMP}


class Filters(Parameters):
    """Which documents to look at. Times are Unix seconds; a document without a time is not left out."""

    document_type: str | list[str] | None = None
    modified_from: float | None = None
    modified_to: float | None = None


class DocumentSearchParameters(Parameters):
    query: Annotated[str, Field(min_length=1, max_length=8_000)]
    mode: Literal["text", "vector", "hybrid"] = "text"
    top_k: Annotated[int, Field(ge=1, le=100)] = 10
    min_relevance: Annotated[float, Field(ge=0, le=1)] = 0.5
    filters: Filters = Filters()
    about: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    """Only documents whose name holds this; its words are searched for as well."""
    from_: Annotated[float | None, Field(alias="from")] = None
    """A template's time range, which bounds `modified_at`."""
    to: float | None = None


class DocumentSearch:
    """The most relevant chunks first. The words of a search are looked for as words; nothing in it is syntax."""

    tool_type = "document_search"
    parameters = DocumentSearchParameters
    statement_field = None

    def __init__(self, engine: Engine, *, threads: int = 4, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._threads = Threads(threads, "document-search")
        self._clock = clock
        self._embedder = Embedder()
        self._meanings = Meanings()

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Hits by relevance, with `row_count` and `best_relevance`. None found is no error."""
        params, source = invocation.params, invocation.source
        if source is None or source.engine != "fts5":
            return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} has no documents")
        refused = self._refused(params["mode"], source)
        if refused is not None:
            return refused
        words = words_of(f"{params['query']} {params['about'] or ''}")
        if not words and params["mode"] == "text":
            return ops_error(ErrorCode.INVALID_PARAMS, "There is no word to search for.")
        search = _Search(invocation, words, self._embedder, self._meanings)
        hits = await self._threads.run(lambda stop: search.run(Store(invocation, source, self._engine, stop)))
        if isinstance(hits, OpsError):
            return hits
        return rows_output(
            invocation,
            COLUMNS,
            hits,
            self._clock(),
            shape=Shape.DOCUMENTS,
            units=_UNITS,
            facts={"best_relevance": hits[0][5]} if hits else {},
            fact_units={"best_relevance": Unit.NUMBER} if hits else {},
        )

    def _refused(self, mode: str, source: SourceAsset) -> OpsError | None:
        """Why this store can't be searched by meaning, if it is asked to be and can't."""
        if mode == "text":
            return None
        if "vectors" not in source.tables:
            return ops_error(
                ErrorCode.INVALID_PARAMS,
                "These documents can be searched by their words only.",
                detail=f"{source.id} lists no table vectors",
                suggestion="Search with mode text.",
            )
        if not Embedder.is_installed():
            return ops_error(
                ErrorCode.ASSET_LOAD_FAILED, detail=f'search by meaning needs: pip install "opsloom[{EXTRA}]"'
            )
        return None

    async def close(self) -> None:
        """End the threads."""
        await self._threads.close()
        self._engine.close()


class _Search:
    """One search, in a thread: which pieces, then what stands in them."""

    def __init__(
        self, invocation: Invocation, words: list[str], embedder: Embedder, meanings: Meanings
    ) -> None:
        self._params = invocation.params
        self._words = words
        self._embedder = embedder
        self._meanings = meanings
        self._top = min(invocation.params["top_k"], invocation.row_cap + 1)

    def run(self, store: Store) -> list[list[Any]] | OpsError:
        ranked = self._ranked(store)
        if isinstance(ranked, OpsError):
            return ranked
        least = self._params["min_relevance"]
        chosen = [rowid for rowid, relevant in ranked.items() if relevant >= least][: self._top]
        if not chosen:
            return []
        found = store.ask(_texts_of(chosen), {**store.values, "words": self._expression()}, len(chosen))
        if isinstance(found, OpsError):
            return found
        rows = {row[0]: row[1:] for row in found.rows}
        return [
            [*rows[rowid][:5], round(ranked[rowid], 4), *rows[rowid][5:]] for rowid in chosen if rowid in rows
        ]

    def _ranked(self, store: Store) -> Ranked | OpsError:
        mode = self._params["mode"]
        if mode == "text":
            return by_words(store, self._words, self._top)
        most = max(_CANDIDATES, 2 * self._top)
        vector = self._embedder.embed([self._params["query"]])[0]
        near = self._meanings.ranked(store, vector, most)
        if isinstance(near, OpsError) or mode == "vector":
            return near
        worded = by_words(store, self._words, most) if self._words else {}
        return worded if isinstance(worded, OpsError) else fused(worded, near)

    def _expression(self) -> str:
        return " OR ".join(match_expression(word) for word in self._words) or '""'


def _texts_of(rowids: list[int]) -> str:
    """What stands in these pieces. Row ids are whole numbers of the store's own."""
    listed = ", ".join(str(int(rowid)) for rowid in rowids)
    return (
        "SELECT chunks.rowid, chunks.chunk_id, chunks.document_id, d.document_name, chunks.chunk_text, "
        "chunks.page_number, coalesce(s.snippet, substr(chunks.chunk_text, 1, 200)), d.document_type, "
        "d.modified_at FROM chunks JOIN documents d ON d.document_id = chunks.document_id "
        "LEFT JOIN (SELECT rowid AS id, snippet(chunks, 0, '', '', ' … ', 24) AS snippet FROM chunks "
        f"WHERE chunks MATCH :words AND rowid IN ({listed})) s ON s.id = chunks.rowid "
        f"WHERE chunks.rowid IN ({listed})"
    )
