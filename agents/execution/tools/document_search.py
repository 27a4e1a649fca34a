"""`document_search`: full-text search in SQLite FTS5.

The store has a table `documents(document_id, document_name, document_type, path_hint, modified_at)` and an FTS5
table `chunks(chunk_text, document_id, chunk_id, page_number)`.
"""

import time
from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import Field

from agents.execution.guards.sql_tables import TENANT_PLACEHOLDER
from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.engines.engine import Engine, Found, Question
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.relevance import match_expression, relevance, weight, words_of
from agents.execution.tools.threads import Stop, Threads
from registry.assets import SourceAsset
from schemas.calls import Shape, ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error

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

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Hits by relevance, with `row_count` and `best_relevance`. None found is no error."""
        params, source = invocation.params, invocation.source
        if params["mode"] != "text":
            return ops_error(
                ErrorCode.INVALID_PARAMS,
                "Only the mode text is available.",
                suggestion="Search with mode text.",
            )
        if source is None or source.engine != "fts5":
            return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} has no documents")
        words = words_of(params["query"])
        if not words:
            return ops_error(ErrorCode.INVALID_PARAMS, "There is no word to search for.")
        search = _Search(invocation, source, words)
        hits = await self._threads.run(lambda stop: search.run(self._engine, stop))
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

    async def close(self) -> None:
        """End the threads."""
        await self._threads.close()
        self._engine.close()


class _Search:
    """One search, in a thread: how common each word is, then the hits."""

    def __init__(self, invocation: Invocation, source: SourceAsset, words: list[str]) -> None:
        self._invocation = invocation
        self._source = source
        self._words = words
        self._ends_at = time.monotonic() + invocation.timeout_s

    def run(self, engine: Engine, stop: Stop) -> list[list[Any]] | OpsError:
        counts: list[str] = ["(SELECT COUNT(*) FROM chunks)"]
        values: dict[str, Any] = {}
        for index, word in enumerate(self._words):
            counts.append(f"(SELECT COUNT(*) FROM chunks WHERE chunks MATCH :w{index})")
            values[f"w{index}"] = match_expression(word)
        counted = engine.ask(self._question(f"SELECT {', '.join(counts)}", values, 1), stop)
        if isinstance(counted, OpsError):
            return counted
        chunks, *matching = counted.rows[0]
        weights = {word: weight(number, chunks) for word, number in zip(self._words, matching, strict=True)}
        found = engine.ask(self._hits_question(), stop)
        if isinstance(found, OpsError):
            return found
        return self._relevant(found, weights)

    def _hits_question(self) -> Question:
        params = self._invocation.params
        filters: Filters = params["filters"]
        kinds = [filters.document_type] if isinstance(filters.document_type, str) else filters.document_type
        conditions = ["chunks MATCH :words"]
        values: dict[str, Any] = {"words": " OR ".join(match_expression(word) for word in self._words)}
        if kinds is not None:
            holes = ", ".join(f":kind{index}" for index in range(len(kinds)))
            conditions.append(f"d.document_type IN ({holes})")
            values.update({f"kind{index}": kind for index, kind in enumerate(kinds)})
        edges = (
            (">=", "after", filters.modified_from, params["from_"]),
            ("<", "before", filters.modified_to, params["to"]),
        )
        for sign, name, *moments in edges:
            for index, moment in enumerate(each for each in moments if each is not None):
                conditions.append(f"(d.modified_at IS NULL OR d.modified_at {sign} :{name}{index})")
                values[f"{name}{index}"] = moment
        if self._source.tenant_column is not None:
            conditions.append(f'd."{self._source.tenant_column}" = :{TENANT_PLACEHOLDER}')
        values["top"] = min(params["top_k"], self._invocation.row_cap + 1)
        statement = (
            "SELECT chunks.chunk_id, chunks.document_id, d.document_name, chunks.chunk_text, chunks.page_number, "
            "bm25(chunks) AS score, snippet(chunks, 0, '', '', ' … ', 24), d.document_type, d.modified_at "
            "FROM chunks JOIN documents d ON d.document_id = chunks.document_id "
            f"WHERE {' AND '.join(conditions)} ORDER BY score, chunks.rowid LIMIT :top"
        )
        return self._question(statement, values, values["top"])

    def _relevant(self, found: Found, weights: dict[str, float]) -> list[list[Any]]:
        hits = []
        for row in found.rows:
            score = round(relevance(row[5], weights), 4)
            if score >= self._invocation.params["min_relevance"]:
                hits.append([*row[:5], score, *row[6:]])
        return hits

    def _question(self, statement: str, values: dict[str, Any], max_rows: int) -> Question:
        left_s = max(0.001, self._ends_at - time.monotonic())
        return Question(self._source, self._invocation.tenant_id, statement, values, max_rows, left_s)
