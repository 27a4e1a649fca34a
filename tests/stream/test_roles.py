"""Each role runs in a process of its own; one that is killed is missed by nobody for long."""

from __future__ import annotations

import asyncio
import os
import signal

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


async def test_one_worker_over_two_processes_starts_again_what_dies(fleet: Fleet) -> None:
    """Two processes deal the roles between them; one that is killed comes back and goes on where it was."""
    worker = fleet.start("wide", processes=2)
    await asyncio.to_thread(worker.wait_ready)
    first, second = worker.ready_line["processes"]
    assert len({worker.pid, first, second}) == 3
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        plan = [step("a", value=1), step("b", "probe_elsewhere", after=["a"], value=2)]
        asked = await road.ask_many(20, "before", plan=plan)
        await road.answers(asked)

        os.kill(first, signal.SIGKILL)
        asked = await road.ask_many(20, "after", plan=plan)

        answers = await road.answers(asked)
        assert [answer["status"] for answer in answers] == ["success"] * 20
        await road.all_quiet()
        assert road.second_answers() == 0
