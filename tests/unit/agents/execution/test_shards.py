"""A tool in parts: each holds its share, all of them together the whole."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.gates import terms_of
from registry.assets import PolicyAsset, ToolAsset
from registry.defaults import shards_of
from registry.health import HealthBoard
from schemas.health import ToolHealth
from schemas.shards import MAX_SHARDS, WHOLE, all_shards, shard_of

NOW = 1_800_000_000.0


def tool(**fields: object) -> ToolAsset:
    given = {"id": "hot", "name": "Hot", "tool_type": "probe", "kind": "timeseries", **fields}
    return ToolAsset.model_validate(given)


def policy(**fields: object) -> PolicyAsset:
    given = {"id": "p", "policy_set": "DEFAULT", "timeout_s": 30, "retries": 0, "max_rows": 9}
    return PolicyAsset.model_validate({**given, "calls_per_minute": 100, "calls_per_second": 10, **fields})


def word(shard: int, **fields: object) -> ToolHealth:
    return ToolHealth(tool_id="hot", shard=shard, shards=2, **{"at": NOW, "worker": f"w{shard}", **fields})  # type: ignore[arg-type]


@given(
    shards=st.integers(1, MAX_SHARDS),
    places=st.integers(1, 200),
    per_second=st.integers(1, 500),
    per_minute=st.integers(1, 5_000),
    tenants=st.one_of(st.none(), st.integers(1, 500)),
)
def test_the_parts_make_the_whole(
    shards: int, places: int, per_second: int, per_minute: int, tenants: int | None
) -> None:
    """Whatever the limits: no part is empty, and their sum is what the undivided tool has."""
    hot = tool(shards=shards, max_concurrent_calls=places, rate_limit_per_minute=per_minute)
    limits = policy(
        calls_per_second=per_second,
        calls_per_minute=10_000,
        tenant_calls_per_minute=tenants,
        queue_length=500,
    )

    parts = [terms_of(hot, limits, shard) for shard in all_shards(shards_of(hot, limits))]
    whole = terms_of(hot, limits, WHOLE)

    assert sum(part.places for part in parts) == whole.places
    assert sum(part.queue_length for part in parts) == whole.queue_length
    assert sum(part.limits.per_second for part in parts) == whole.limits.per_second
    assert sum(part.limits.per_minute for part in parts) == whole.limits.per_minute
    if tenants is not None:
        assert sum(part.limits.tenant_per_minute or 0 for part in parts) == tenants
    assert all(part.places and part.limits.per_second and part.limits.per_minute for part in parts)


def test_calls_spread_over_the_parts_and_each_always_finds_its_own() -> None:
    """By the call's id: the same call, delivered again, meets the same limits."""
    met = Counter(shard_of(f"call-{number}", 4).number for number in range(4_000))

    assert set(met) == {0, 1, 2, 3}
    assert max(met.values()) < 1_200
    assert shard_of("call-7", 4) == shard_of("call-7", 4)
    assert [shard.key("hot") for shard in all_shards(2)] == ["hot#0", "hot#1"]


@pytest.mark.parametrize("shards", [-1, 0, 1])
def test_an_undivided_tool_keeps_its_own_id_as_key(shards: int) -> None:
    assert shard_of("call", shards) is WHOLE
    assert WHOLE.key("hot") == "hot"


def test_nobody_divides_a_tool_endlessly() -> None:
    """A number of parts out of a forged call is brought to what there may be."""
    assert shard_of("call", 10**9).of == MAX_SHARDS


def test_a_serial_tool_is_one_part_and_a_tight_limit_makes_few() -> None:
    """Two calls a second cannot be divided among eight."""
    assert shards_of(tool(shards=8, execution_mode="serial"), policy()) == 1
    assert shards_of(tool(shards=8), policy(calls_per_second=2)) == 2
    assert shards_of(tool(shards=8), None) == 1


def test_health_of_the_parts_is_one_word() -> None:
    """Weighted by calls; open only when every part rests."""
    board = HealthBoard(lambda: NOW)
    board.take(word(0, breaker="open", failure_rate=1.0, p50_ms=10, p95_ms=20, calls=30, retry_at=NOW + 9))
    half = board("hot")
    board.take(word(1, breaker="closed", failure_rate=0.0, p50_ms=50, p95_ms=90, calls=10))
    mixed = board("hot")
    board.take(word(1, at=NOW + 1, breaker="open", calls=10, retry_at=NOW + 5))
    resting = board("hot")

    assert half is not None
    assert half.breaker == "half_open"
    assert mixed is not None
    assert (mixed.breaker, mixed.failure_rate, mixed.calls) == ("half_open", 0.75, 40)
    assert (mixed.p50_ms, mixed.p95_ms, mixed.worker) == (20.0, 90, "w0, w1")
    assert resting is not None
    assert (resting.breaker, resting.retry_at) == ("open", NOW + 5)
    assert len(board.all()) == 1


def test_words_on_an_earlier_division_are_forgotten() -> None:
    """The tool is one again: its parts' last words say nothing any more."""
    board = HealthBoard(lambda: NOW)
    board.take(word(0, breaker="open", calls=30))
    board.take(ToolHealth(tool_id="hot", at=NOW + 1, worker="w", calls=3))

    whole = board("hot")

    assert whole is not None
    assert (whole.breaker, whole.calls, whole.worker) == ("closed", 3, "w")
