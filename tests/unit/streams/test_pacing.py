"""Fetches are paced where a broker answers empty ones at once."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from streams.pacing import pace_fetches


def fetcher(*answers: bool) -> Any:
    """One whose requests give these answers at once, then nothing more."""
    left = list(answers)

    async def request(assignment: Any, node_id: Any, request: Any) -> bool:
        return left.pop(0) if left else False

    return SimpleNamespace(_proc_fetch_request=request, _fetch_max_wait_ms=1_000)


async def test_answer_with_records_is_not_held_back() -> None:
    """Only empty answers wait."""
    made = fetcher(True)
    pace_fetches(made, 60.0)

    assert await asyncio.wait_for(made._proc_fetch_request(None, 0, None), 0.5) is True


async def test_fetch_that_is_cancelled_in_its_pause_ends_as_an_empty_one() -> None:
    """A consumer that stops awaits the fetches that it has cancelled: a cancellation must not come out of them."""
    made = fetcher()
    pace_fetches(made)
    fetching = asyncio.create_task(made._proc_fetch_request(None, 0, None))
    await asyncio.sleep(0)

    fetching.cancel()

    assert await fetching is False
