"""A worker is killed, frozen or joined in the middle of the work: every question is answered exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from schemas.ids import partition_of
from streams.lane.finished import read_finished
from tests.support.brokers import BrokerUnderTest
from tests.support.roadside import PARTITIONS, Roadside, now_s, step
from tests.support.workers import Fleet

SESSION_S = 6.0
QUICK_TAKEOVER = {"session_timeout_s": SESSION_S, "heartbeat_s": 0.5}
"""A dead worker's partitions go to another one after its session."""

SEVERAL_WORKERS = pytest.mark.kafka
"""Two members of a group need a real Kafka: the embedded broker never gives a dead member's partitions to another one,
and a member that comes back beside another may be given none."""


async def start_all(fleet: Fleet, *names: str) -> None:
    """Workers of all roles that share the partitions."""
    for worker in [fleet.start(name, **QUICK_TAKEOVER) for name in names]:
        await asyncio.to_thread(worker.wait_ready)


async def _in_flight_when_killed(fleet: Fleet, road: Roadside) -> tuple[list[str], list[str], float]:
    """50 questions in flight and 8 idle traces with a deadline to come; then the first worker is killed."""
    due_at = now_s() + 10
    hanging = [step("ok", value=1), step("hangs", sleep_s=100)]
    idle = [await road.ask(plan=hanging, options={"deadline_s": 10}) for _ in range(8)]
    plan = [step("s", sleep_s=0.7), step("t", after=["s"], value=1)]
    asked = await road.ask_many(50, "flight", plan=plan)
    await road.until(lambda: any(road.count(each) for each in asked), "the first answers")
    fleet.workers[0].kill()
    return asked, idle, due_at


async def _each_answered_once(road: Roadside, asked: list[str], idle: list[str], due_at: float) -> None:
    answers = await road.answers(asked)
    assert [answer["status"] for answer in answers] == ["success"] * 50
    late = await road.answers(idle)
    assert now_s() < due_at + 1.5
    assert [answer["status"] for answer in late] == ["partial_success"] * 8
    await road.all_quiet()
    assert road.second_answers() == 0


@SEVERAL_WORKERS
async def test_second_worker_takes_over_from_one_that_was_killed(fleet: Fleet) -> None:
    """What the dead worker had begun and what it only waited for is answered by the other, exactly once."""
    await start_all(fleet, "w0", "w1")
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        asked, idle, due_at = await _in_flight_when_killed(fleet, road)

        await _each_answered_once(road, asked, idle, due_at)


async def test_worker_that_was_killed_is_replaced_under_its_name(fleet: Fleet) -> None:
    """Another process of the same worker id takes over at once."""
    await start_all(fleet, "w0")
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        asked, idle, due_at = await _in_flight_when_killed(fleet, road)

        await asyncio.to_thread(fleet.started, "w0", **QUICK_TAKEOVER)

        await _each_answered_once(road, asked, idle, max(due_at, now_s()))


@SEVERAL_WORKERS
async def test_worker_that_joins_and_one_that_leaves_lose_and_repeat_nothing(fleet: Fleet) -> None:
    """Partitions change hands twice under load: handed over when another joins, taken when one stops."""
    await start_all(fleet, "w0")
    plan = [step("s", sleep_s=0.05), step("t", after=["s"], value=1)]
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        joining = asyncio.create_task(asyncio.to_thread(fleet.started, "w1", **QUICK_TAKEOVER))
        asked: list[str] = []
        while not joining.done():
            asked += await road.ask_many(20, f"joining-{len(asked)}", plan=plan)
            await road.answers(asked[-20:])
        await joining
        asked += await road.ask_many(100, "both", plan=plan)
        leaving = asyncio.create_task(asyncio.to_thread(fleet.workers[0].stop))
        asked += await road.ask_many(100, "leaving", plan=plan)
        assert await leaving < 5.0

        answers = await road.answers(asked)
        assert {answer["status"] for answer in answers} == {"success"}
        await road.all_quiet()
        assert road.second_answers() == 0


@SEVERAL_WORKERS
async def test_open_traces_that_went_to_another_worker_and_came_back_are_answered(fleet: Fleet) -> None:
    """Half of the partitions go to a worker that joins, and come back when it is killed: rows and deadlines too."""
    await start_all(fleet, "w0")
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        due_at = now_s() + 25
        plan = [step("ok", value=1), step("hangs", sleep_s=100)]
        asked = await road.ask_many(20, "open", plan=plan, options={"deadline_s": 25})
        other = await asyncio.to_thread(fleet.started, "w1", **QUICK_TAKEOVER)
        await road.all_quiet()
        other.kill()

        answers = await road.answers(asked)

        assert now_s() < due_at + 1.5
        assert {answer["status"] for answer in answers} == {"partial_success"}
        await road.all_quiet()
        assert road.second_answers() == 0


@SEVERAL_WORKERS
async def test_frozen_worker_that_wakes_does_not_answer_again(fleet: Fleet) -> None:
    """A worker that stood still for longer than its session finds its partitions taken and sends nothing old."""
    await start_all(fleet, "w0", "w1")
    frozen = fleet.workers[0]
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        asked = await road.ask_many(200, "frozen", plan=[step("s", sleep_s=0.4)])
        await road.until(lambda: any(road.count(each) for each in asked), "the first answers")
        frozen.freeze()
        await road.answers(asked)

        frozen.thaw()

        more = await road.ask_many(200, "thawed", plan=[step("s", value=1)])
        await road.answers(more)
        await road.all_quiet()
        assert road.second_answers() == 0
        assert await asyncio.to_thread(frozen.wait_end, 10.0) == 1


@pytest.mark.kafka  # the embedded broker forgets its groups: there the worker ends, and is started anew
async def test_broker_that_is_away_for_longer_than_a_session_ends_no_worker(
    fleet: Fleet, broker: BrokerUnderTest
) -> None:
    """The worker waits, goes on where it was, and answers once."""
    worker = fleet.started()
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        asked = await road.ask_many(
            50, "away", plan=[step("s", sleep_s=2.0), step("t", after=["s"], value=1)]
        )
        await asyncio.to_thread(broker.stop)
        await asyncio.sleep(SESSION_S + 1.0)  # the outage itself
        await asyncio.to_thread(broker.start)

        answers = await road.answers(asked)
        assert [answer["status"] for answer in answers] == ["success"] * 50
        await road.all_quiet()
        assert road.second_answers() == 0
        assert worker.exit_code is None


async def _kill_while_answering(fleet: Fleet, kills: int, count: int) -> tuple[int, int, int]:
    """Kill and restart one worker again and again under load; questions, answered, second answers."""
    worker = fleet.started()
    asked: list[str] = []
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        for kill in range(kills):
            tag = f"kill-{kill}"
            sending = asyncio.create_task(road.ask_many(count, tag, plan=[step("s", value=1)]))
            # Kill in the thick of the answers: those just acknowledged are not marked yet.
            enough = road.answered() + count * (kill + 1) // (kills + 1)
            await road.until(lambda enough=enough: road.answered() >= enough, "some answers")
            worker.kill()
            asked += await sending
            worker = await asyncio.to_thread(fleet.started)
        await road.answers(asked, within_s=60)
        await road.all_quiet()
        return len(asked), sum(1 for each in asked if road.count(each)), road.second_answers()


async def test_no_second_answer_after_a_kill_between_answer_and_mark(fleet: Fleet) -> None:
    """Answers that were published and not yet marked are found again in the answers topic."""
    asked, answered, seconds = await _kill_while_answering(fleet, kills=2, count=400)

    assert (answered, seconds) == (asked, 0)


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_no_second_answer_after_many_kills(fleet: Fleet) -> None:
    """The same for longer."""
    asked, answered, seconds = await _kill_while_answering(fleet, kills=25, count=1_500)

    assert (answered, seconds) == (asked, 0)


async def test_finished_calls_are_not_run_again_after_a_kill(fleet: Fleet) -> None:
    """A slow call holds the committed offset back; what finished behind it is known from the commit's note."""
    worker = fleet.started()
    async with Roadside(fleet.broker, fleet.topic_prefix, also=("ops.aggregation",)) as road:
        slow = await road.ask(plan=[step("s", sleep_s=8)], partition=0)
        await road.until(lambda: road.counted("questions_read") > 0, "the slow question read")
        quick = await road.ask_many(500, "quick", plan=[step("s", value=1)])
        await road.answers(quick)
        await _noted(fleet, 500)
        worker.kill()

        fleet.started()
        last = await road.ask_many(20, "last", plan=[step("s", value=1)])

        assert [answer["status"] for answer in await road.answers([slow, *last])] == ["success"] * 21
        runs = Counter(event["call_id"] for event in road.events("ops.aggregation", "ToolSucceeded"))
        assert len(runs) == 521
        assert sum(count - 1 for count in runs.values()) == 0


async def _noted(fleet: Fleet, calls: int) -> None:
    """Wait until the executors' group has committed that so many calls behind the slow one are finished."""
    topic = f"{fleet.topic_prefix}ops.tool-calls.timeseries"
    place = TopicPartition(topic, partition_of("probe", PARTITIONS))
    admin = AIOKafkaAdminClient(bootstrap_servers=fleet.broker)
    await admin.start()
    try:
        async with asyncio.timeout(20):
            while True:
                offsets = await admin.list_consumer_group_offsets(f"{fleet.topic_prefix}opsloom-execution")
                at = offsets.get(place)
                if at is not None and len(read_finished(at.offset, at.metadata)) >= calls:
                    assert len(at.metadata) <= 4_000
                    return
                await asyncio.sleep(0.05)
    finally:
        await admin.close()
