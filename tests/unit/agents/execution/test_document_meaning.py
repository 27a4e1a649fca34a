"""Search by meaning and by both: over a store that the loader wrote, with the real model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.execution import Execution
from agents.execution.toolbox import build_tools
from agents.execution.tools.document_hits import fused
from agents.execution.tools.embedding import Embedder
from packs.filling.documents import Document, write_documents
from registry.assets import SourceAsset, ToolAsset
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode
from tests.support import execution_stores as stores

TEXTS = {
    "disk": "When a volume runs full, delete rotated log files first.",
    "failover": "Promote the replica if the primary database does not answer.",
    "handover": "The on-call week begins on Monday morning.",
    "refund": "Customers get their money back within five days.",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four documents of one tenant and one of another, with vectors."""
    path = tmp_path_factory.mktemp("library") / "library.db"
    documents = [
        Document(name, name, "guide", f"{name}.md", 1_000.0, (text,), stores.TENANT)
        for name, text in TEXTS.items()
    ]
    documents.append(
        Document(
            "secret", "secret", "guide", "s.md", 1_000.0, ("A volume without space.",), stores.OTHER_TENANT
        )
    )
    write_documents(path, documents, embed=Embedder().embed)
    return path


def source_over(path: Path, *tables: str) -> SourceAsset:
    columns = {
        "documents": ["document_id", "tenant_id"],
        "chunks": ["chunk_text", "document_id"],
        "vectors": ["chunk_rowid", "vector"],
    }
    return SourceAsset(
        id="library",
        engine="fts5",
        location=str(path),
        tables={name: columns[name] for name in tables},
        tenant_column="tenant_id",
    )


@pytest.fixture
async def search(library: Path) -> AsyncIterator[Any]:
    """search(query, mode, …) → the result of one guarded call."""
    made: list[Execution] = []

    async def run(query: str, mode: str, *tables: str, **params: Any) -> ToolSucceeded | ToolFailed:
        registry = Registry.of().register(
            source_over(library, *(tables or ("documents", "chunks", "vectors")))
        )
        registry = registry.register(
            ToolAsset(
                id="search", name="search", tool_type="document_search", kind="document", source="library"
            )
        )
        execution = Execution(registry, build_tools(registry), lambda: stores.NOW)
        made.append(execution)
        called: ToolCalled = stores.call("search", {"query": query, "mode": mode, **params}, now=stores.NOW)
        return await execution.run(called)

    yield run
    for execution in made:
        await execution.close()


def names(result: ToolSucceeded | ToolFailed) -> list[str]:
    assert isinstance(result, ToolSucceeded), result
    output: ToolOutput = result.output
    return [row[2] for row in output.rows]


async def test_meaning_finds_what_shares_no_word(search: Any) -> None:
    """`no space left on device` and `a volume runs full` have no word in common."""
    assert names(await search("no space left on device", "text", min_relevance=0.0)) == []
    assert names(await search("no space left on device", "vector", min_relevance=0.3))[0] == "disk"


async def test_another_tenants_pieces_take_no_part(search: Any) -> None:
    found = names(await search("volume without space", "hybrid", min_relevance=0.0, top_k=100))

    assert "secret" not in found
    assert set(found) == set(TEXTS)


async def test_both_together_put_first_what_both_find(search: Any) -> None:
    found = names(await search("promote a replica when the database is down", "hybrid", min_relevance=0.1))

    assert found[0] == "failover"


async def test_a_store_without_vectors_says_so(search: Any) -> None:
    result = await search("anything", "vector", "documents", "chunks")

    assert isinstance(result, ToolFailed)
    assert (result.error.code, result.error.suggestion) == (
        ErrorCode.INVALID_PARAMS,
        "Search with mode text.",
    )


@given(st.lists(st.permutations(range(6)).map(tuple), min_size=1, max_size=3))
def test_fusion_ranks_by_the_sum_of_reciprocal_ranks(rankings: list[tuple[int, ...]]) -> None:
    """Whatever the rankings, the order is that of the sum of 1 / (60 + rank)."""
    score = {each: sum(1 / (61 + ranking.index(each)) for ranking in rankings) for each in range(6)}

    order = list(fused(*[dict.fromkeys(ranking, 0.5) for ranking in rankings]))

    assert order == sorted(range(6), key=lambda each: (-score[each], each))
