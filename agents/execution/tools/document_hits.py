"""The two ways to find pieces of documents, by words and by meaning, and how their rankings become one."""

import base64
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from agents.execution.guards.sql.tables import TENANT_PLACEHOLDER
from agents.execution.tool import Invocation
from agents.execution.tools.embedding import Vectors
from agents.execution.tools.engines.engine import Engine, Found, Question
from agents.execution.tools.relevance import match_expression, relevance, weight
from agents.execution.tools.threads import Stop
from registry.assets import SourceAsset
from schemas.errors import ErrorCode, OpsError, ops_error

FUSION_K: Final = 60
"""Reciprocal rank fusion: a hit scores the sum of 1 / (60 + its rank) over the rankings (Cormack, Clarke and
Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", 2009)."""
MAX_VECTORS: Final = 50_000
"""Of a larger store only so many pieces are compared; then a search by meaning is refused rather than half done."""
_SURE_COSINE: Final = 0.6
"""The cosine from which a piece counts as wholly relevant; unrelated texts lie about 0."""
_KEPT_MATRICES: Final = 8

Ranked = dict[int, float]
"""Chunk row id → relevance from 0 to 1, best first."""


class Store:
    """One search's view of a store: its tenant and filters, and what is left of its time."""

    def __init__(self, invocation: Invocation, source: SourceAsset, engine: Engine, stop: Stop) -> None:
        self.source = source
        self.tenant_id = invocation.tenant_id
        self._engine = engine
        self._stop = stop
        self._ends_at = time.monotonic() + invocation.timeout_s
        self._conditions, self.values = _conditions(invocation.params, source)

    def ask(self, statement: str, values: Mapping[str, Any], max_rows: int) -> Found | OpsError:
        left_s = max(0.001, self._ends_at - time.monotonic())
        question = Question(self.source, self.tenant_id, statement, values, max_rows, left_s)
        return self._engine.ask(question, self._stop)

    def where(self, first: str) -> str:
        """The conditions of the search after a first one."""
        return " AND ".join([first, *self._conditions])


def by_words(store: Store, words: Sequence[str], most: int) -> Ranked | OpsError:
    """Pieces that hold words of the search, by BM25."""
    counts: list[str] = ["(SELECT COUNT(*) FROM chunks)"]
    values: dict[str, Any] = {}
    for index, word in enumerate(words):
        counts.append(f"(SELECT COUNT(*) FROM chunks WHERE chunks MATCH :w{index})")
        values[f"w{index}"] = match_expression(word)
    counted = store.ask(f"SELECT {', '.join(counts)}", values, 1)
    if isinstance(counted, OpsError):
        return counted
    chunks, *matching = counted.rows[0]
    weights = {word: weight(number, chunks) for word, number in zip(words, matching, strict=True)}
    found = store.ask(
        "SELECT chunks.rowid, bm25(chunks) AS score FROM chunks JOIN documents d "
        f"ON d.document_id = chunks.document_id WHERE {store.where('chunks MATCH :words')} "
        "ORDER BY score, chunks.rowid LIMIT :most",
        {**store.values, "words": " OR ".join(match_expression(word) for word in words), "most": most},
        most,
    )
    if isinstance(found, OpsError):
        return found
    return {rowid: relevance(score, weights) for rowid, score in found.rows}


class _Matrix(NamedTuple):
    rowids: Sequence[int]
    vectors: Vectors


class Meanings:
    """Vectors of stores, kept between searches until their file changes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Any, ...], _Matrix] = OrderedDict()

    def ranked(self, store: Store, vector: Vectors, most: int) -> Ranked | OpsError:
        """Pieces nearest in meaning, by the cosine of their vectors; every piece of the tenant is compared."""
        matrix = self._matrix(store)
        if isinstance(matrix, OpsError):
            return matrix
        cosines = matrix.vectors @ vector
        best = np.argsort(-cosines, kind="stable")[:most]
        return {
            matrix.rowids[index]: min(1.0, max(0.0, float(cosines[index]) / _SURE_COSINE)) for index in best
        }

    def _matrix(self, store: Store) -> _Matrix | OpsError:
        key = (_version(store.source), store.tenant_id, tuple(sorted(store.values.items())))
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        matrix = _read(store)
        if not isinstance(matrix, OpsError):
            with self._lock:
                self._kept[key] = matrix
                if len(self._kept) > _KEPT_MATRICES:
                    self._kept.popitem(last=False)
        return matrix


def fused(*rankings: Ranked) -> Ranked:
    """One ranking of several by reciprocal rank fusion. A hit keeps the best relevance that any gave it."""
    scores: dict[int, float] = {}
    best: dict[int, float] = {}
    for ranking in rankings:
        for rank, (rowid, relevant) in enumerate(ranking.items(), start=1):
            scores[rowid] = scores.get(rowid, 0.0) + 1 / (FUSION_K + rank)
            best[rowid] = max(best.get(rowid, 0.0), relevant)
    return {rowid: best[rowid] for rowid in sorted(scores, key=lambda each: (-scores[each], each))}


def _read(store: Store) -> _Matrix | OpsError:
    found = store.ask(
        "SELECT v.chunk_rowid, v.vector FROM vectors v JOIN documents d ON d.document_id = v.document_id "
        f"WHERE {store.where('1')} ORDER BY v.chunk_rowid LIMIT {MAX_VECTORS + 1}",
        store.values,
        MAX_VECTORS + 1,
    )
    if isinstance(found, OpsError):
        return found
    if len(found.rows) > MAX_VECTORS:
        return ops_error(
            ErrorCode.INVALID_PARAMS,
            f"There are more than {MAX_VECTORS:,} pieces to compare.",
            suggestion="Narrow the search by document type or date, or search with mode text.",
        )
    raw = [np.frombuffer(base64.b64decode(vector), dtype="<f2") for _, vector in found.rows]
    vectors = np.array(raw, dtype=np.float32).reshape(len(raw), -1 if raw else 1)
    return _Matrix([rowid for rowid, _ in found.rows], vectors)


def _version(source: SourceAsset) -> tuple[str, int, int]:
    try:
        stat = Path(source.location).stat()
    except OSError:
        return source.location, 0, 0
    return source.location, stat.st_mtime_ns, stat.st_size


def _conditions(params: Mapping[str, Any], source: SourceAsset) -> tuple[list[str], dict[str, Any]]:
    """The filters of a search over the documents `d`, and the values they bind."""
    filters = params["filters"]
    conditions: list[str] = []
    values: dict[str, Any] = {}
    kinds = [filters.document_type] if isinstance(filters.document_type, str) else filters.document_type
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
    if params["about"] is not None:
        conditions.append("instr(lower(d.document_name), lower(:about)) > 0")
        values["about"] = params["about"]
    if source.tenant_column is not None:
        conditions.append(f'd."{source.tenant_column}" = :{TENANT_PLACEHOLDER}')
    return conditions, values
