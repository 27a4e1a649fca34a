"""Each role runs in a process of its own; one that is killed is missed by nobody for long."""

from __future__ import annotations

import asyncio

from tests.support.roadside import Roadside, step
from tests.support.workers import Fleet


async def test_three_worker_processes_by_role(fleet: Fleet) -> None:
    """Planner, executor and aggregator apart answer together; a killed executor is replaced under its id."""
    roles = ("planning", "execution", "aggregation")
    workers = {role: fleet.start(f"{role}-0", roles=[role]) for role in roles}
    for worker in workers.values():
        await asyncio.to_thread(worker.wait_ready)
    assert [worker.ready_line["roles"] for worker in workers.values()] == [[role] for role in roles]
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        plan = [step("a", value=1), step("b", "probe_elsewhere", after=["a"], value=2)]
        first = await road.ask_many(50, "first", plan=plan)
        words = await road.ask(question="which kinds of things do we have?")
        await road.answers([*first, words])

        workers["execution"].kill()
        second = await road.ask_many(50, "second", plan=plan)
        await asyncio.to_thread(fleet.started, "execution-0", roles=["execution"])

        answers = await road.answers(second)
        assert [answer["status"] for answer in answers] == ["success"] * 50
        await road.all_quiet()
        assert road.second_answers() == 0
