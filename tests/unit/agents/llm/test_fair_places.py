"""Places at the model: bounded, in turn by tenant, and none lost."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.llm.places import FairPlaces
from tests.support.lane_app import settle


async def test_loud_tenant_waits_for_its_own() -> None:
    """Ten of one tenant are waiting when another asks once: it is second."""
    places, order, going = FairPlaces(1), [], asyncio.Event()

    async def caller(tenant: str, name: str) -> None:
        async with places.place(tenant):
            order.append(name)
            await going.wait()

    tasks = [asyncio.create_task(caller("loud", f"loud {n}")) for n in range(10)]
    await settle()
    tasks.append(asyncio.create_task(caller("quiet", "quiet")))
    await settle()
    going.set()
    await asyncio.gather(*tasks)

    assert order.index("quiet") <= 2
    assert order[-1] == "loud 9"


@pytest.mark.parametrize("when", ["waiting", "just let in"])
async def test_cancelled_wait_gives_its_turn_on(when: str) -> None:
    """The next one gets the place, whenever the one before gave up."""
    places, first_leaves = FairPlaces(1), asyncio.Event()

    async def holder() -> None:
        async with places.place("a"):
            await first_leaves.wait()

    async def passing() -> str:
        async with places.place("a"):
            return "in"

    holding = asyncio.create_task(holder())
    await settle()
    gives_up, next_one = asyncio.create_task(passing()), asyncio.create_task(passing())
    await settle()
    if when == "waiting":
        gives_up.cancel()
        first_leaves.set()
    else:
        first_leaves.set()
        await asyncio.sleep(0)
        gives_up.cancel()

    assert await asyncio.wait_for(next_one, 1) == "in"
    await holding
    await asyncio.gather(gives_up, return_exceptions=True)
    assert await asyncio.wait_for(passing(), 1) == "in"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=30), st.integers(1, 4))
def test_no_more_than_the_places_and_everybody_in_the_end(
    callers: list[tuple[str, bool]], places: int
) -> None:
    """Whoever asks and whoever gives up."""

    async def run() -> None:
        fair, inside, most = FairPlaces(places), 0, 0

        async def caller(tenant: str) -> None:
            nonlocal inside, most
            async with fair.place(tenant):
                inside += 1
                most = max(most, inside)
                try:
                    await asyncio.sleep(0)
                finally:
                    inside -= 1

        tasks = [asyncio.create_task(caller(tenant)) for tenant, _ in callers]
        await asyncio.sleep(0)
        for task, (_, gives_up) in zip(tasks, callers, strict=True):
            if gives_up:
                task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 5)
        assert most <= places
        async with asyncio.timeout(1):
            for _ in range(places):
                await fair.place("z").__aenter__()

    asyncio.run(run())
