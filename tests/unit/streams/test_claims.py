"""The claim store: whole results by tenant and digest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agents.execution.claiming import PREVIEW_BYTES, Claiming
from schemas.calls import ClaimCheck, Column, Shape, ToolOutput
from schemas.errors import ErrorCode
from streams.claims import ClaimError, FileClaims, open_claim

NOW = 1_790_000_000.0


def table(rows: int, characters: int = 1_000) -> ToolOutput:
    columns = (Column(name="n"), Column(name="body"))
    return ToolOutput(
        shape=Shape.TABLE,
        columns=columns,
        rows=[[n, "x" * characters] for n in range(rows)],
        facts={"row_count": rows},
    )


@pytest.fixture
def store(tmp_path: Path) -> FileClaims:
    return FileClaims(tmp_path / "claims", kept_s=100.0)


def refused(store: FileClaims, reference: str, tenant_id: str = "acme") -> ErrorCode:
    with pytest.raises(ClaimError) as caught:
        open_claim(store, reference, tenant_id)
    assert str(store.folder) not in str(caught.value)
    return caught.value.code


def test_what_is_put_comes_back_whole(store: FileClaims) -> None:
    """Also when it is put twice: then it is one claim."""
    claim = store.put(table(50), "acme")

    assert open_claim(store, claim, "acme") == table(50)
    assert store.put(table(50), "acme") == claim
    assert claim.row_count == 50


def test_a_claim_is_its_tenants_alone(store: FileClaims) -> None:
    """Not by its reference, nor by one with another tenant's folder in it."""
    claim = store.put(table(5), "acme")
    theirs = store.put(table(5), "globex")

    assert refused(store, claim.reference, "globex") is ErrorCode.TENANT_MISMATCH
    assert claim.reference != theirs.reference
    assert claim.digest == theirs.digest


@pytest.mark.parametrize(
    "reference",
    ["", "claim:../../etc/passwd", "file:/etc/passwd", "claim:" + "a" * 32 + "/" + "b" * 63 + "/"],
)
def test_what_is_no_reference_opens_nothing(store: FileClaims, reference: str) -> None:
    """A reference cannot lead anywhere else."""
    assert refused(store, reference) is ErrorCode.INVALID_PARAMS


def test_changed_bytes_are_noticed(store: FileClaims) -> None:
    """The digest is checked when it is opened."""
    claim = store.put(table(5), "acme")
    path = next(store.folder.glob("*/*"))
    path.write_bytes(path.read_bytes() + b" ")

    assert refused(store, claim.reference) is ErrorCode.INTERNAL_ERROR


def test_old_claims_go_and_the_oldest_where_there_are_too_many(store: FileClaims) -> None:
    """By age first, then by what all of them weigh."""
    claims = [store.put(table(5 + n), "acme") for n in range(3)]
    for path in store.folder.glob("*/*"):
        age_s = {claims[0].digest: 101, claims[1].digest: 50, claims[2].digest: 1}[path.name]
        os.utime(path, (NOW - age_s, NOW - age_s))

    assert store.sweep(NOW) == 1
    assert refused(store, claims[0].reference) is ErrorCode.DATA_NOT_FOUND
    small = FileClaims(store.folder, kept_s=100.0, max_total_bytes=claims[2].size_bytes)
    assert small.sweep(NOW) == 1
    assert open_claim(store, claims[2], "acme") == table(7)


async def test_only_large_results_are_checked_in(store: FileClaims) -> None:
    """A preview of whole rows travels, with the facts of the whole."""
    claiming = Claiming(store, over_bytes=100_000, travels_bytes=1_000_000)

    small = await claiming.bounded(table(50), 10_000, 50_000_000, "acme")
    large = await claiming.bounded(table(500), 10_000, 50_000_000, "acme")

    assert small == table(50)
    assert isinstance(large, ToolOutput)
    assert isinstance(large.claim, ClaimCheck)
    assert 0 < len(large.rows) * 1_000 < PREVIEW_BYTES
    assert (large.facts, large.truncated) == ({"row_count": 500}, False)
    assert open_claim(store, large.claim, "acme") == table(500)


async def test_a_tool_over_its_own_cap_is_cut_before_it_is_kept(store: FileClaims) -> None:
    """The cap of the tool is the cap of the claim."""
    kept = await Claiming(store, over_bytes=100_000, travels_bytes=1_000_000).bounded(
        table(500), 10_000, 200_000, "acme"
    )

    assert isinstance(kept, ToolOutput)
    assert kept.truncated
    assert kept.claim is not None
    assert kept.claim.size_bytes <= 200_000


async def test_a_store_that_fails_costs_the_rows_that_do_not_travel(tmp_path: Path) -> None:
    """The result is cut to what travels, as it is where there is no store."""
    (tmp_path / "claims").write_text("a file in the way")
    kept = await Claiming(FileClaims(tmp_path / "claims"), over_bytes=100_000, travels_bytes=200_000).bounded(
        table(500), 10_000, 50_000_000, "acme"
    )

    assert isinstance(kept, ToolOutput)
    assert kept.truncated
    assert kept.claim is None
