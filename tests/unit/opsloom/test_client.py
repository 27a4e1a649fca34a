"""The public client against a broker, with a stand-in for the workers."""

from __future__ import annotations

import asyncio
import contextlib
import time

import pytest

from opsloom import Client, NoAnswer, NotReachable, Refused, Status
from schemas.errors import ErrorCode
from tests.support.answering import answering
from tests.support.brokers import BrokerUnderTest


async def test_a_question_comes_back_with_its_own_answer(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """Ask once, get the answer that carries the question's id."""
    async with (
        answering(broker.address, topic_prefix, clock=time.time) as seen,
        Client(broker.address, topic_prefix=topic_prefix) as client,
    ):
        answer = await client.ask("how full is the disk?", question_id="q-1", user="dana", timeout_s=10)

    assert answer.status is Status.SUCCESS
    assert (answer.question_id, answer.tenant_id, answer.user_id) == ("q-1", "local", "dana")
    assert [asked.user.roles for asked in seen] == [("viewer",)]


async def test_many_questions_at_once_get_each_its_own_answer(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """All waiters share one consumer, over all partitions."""
    async with (
        answering(broker.address, topic_prefix, clock=time.time),
        Client(broker.address, topic_prefix=topic_prefix) as client,
    ):
        answers = await asyncio.gather(*(client.ask(f"question {n}?", timeout_s=20) for n in range(200)))

    assert [answer.question for answer in answers] == [f"question {n}?" for n in range(200)]


@pytest.mark.parametrize("codec", ["json", "avro"])
async def test_both_codecs_are_spoken_in_both_directions(
    broker: BrokerUnderTest, topic_prefix: str, codec: str
) -> None:
    """A question in Avro is answered in Avro, with every option kept."""
    async with (
        answering(broker.address, topic_prefix, clock=time.time, written=codec) as seen,
        Client(broker.address, topic_prefix=topic_prefix, codec=codec) as client,  # type: ignore[arg-type]
    ):
        plan = {"steps": [{"step_id": "a", "tool_id": "probe", "params": {"sleep_s": 1.5}}]}
        answer = await client.ask(
            "slow?", mode="config", deadline_s=3, max_rows=7, tools=["probe"], plan=plan,
            context={"page": [1, None]}, timeout_s=10,
        )  # fmt: skip

    assert answer.question == "slow?"
    options, asked_plan = seen[0].options, seen[0].plan
    assert (options.deadline_s, options.max_rows, options.tools) == (3, 7, ("probe",))
    assert asked_plan is not None
    assert asked_plan.steps[0].params == {"sleep_s": 1.5}
    assert seen[0].context == {"page": [1, None]}


async def test_an_answer_given_earlier_is_found_by_looking_back(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """Looking back finds it without publishing again; without looking back nothing new comes."""
    async with answering(broker.address, topic_prefix, clock=time.time) as seen:
        async with Client(broker.address, topic_prefix=topic_prefix) as client:
            await client.ask("once?", question_id="same", timeout_s=10)
        async with Client(broker.address, topic_prefix=topic_prefix) as client:
            again = await client.ask("once?", question_id="same", timeout_s=10, look_back_s=600)
            told = await client.answer_to("same", timeout_s=10)

    assert again.question_id == told.question_id == "same"
    assert len(seen) == 1


async def test_no_answer_in_time_says_which_question_waits(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """NoAnswer carries the ids with which to ask later."""
    async with (
        answering(broker.address, topic_prefix, clock=time.time, status_of=lambda asked: None),
        Client(broker.address, topic_prefix=topic_prefix) as client,
    ):
        with pytest.raises(NoAnswer) as caught:
            await client.ask("anyone?", question_id="q-lost", timeout_s=0.3)

    assert caught.value.question_id == "q-lost"
    assert "0.3 s" in caught.value.reason


async def test_a_dead_letter_ends_the_waiting(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """What the road refuses is told at once, with the letter's code."""
    async with (
        answering(
            broker.address, topic_prefix, clock=time.time, status_of=lambda asked: ErrorCode.TENANT_MISMATCH
        ),
        Client(broker.address, topic_prefix=topic_prefix) as client,
    ):
        with pytest.raises(Refused) as caught:
            await client.ask("mine?", timeout_s=10)

    assert caught.value.code is ErrorCode.TENANT_MISMATCH


async def test_answers_are_streamed_to_their_tenant_only(broker: BrokerUnderTest, topic_prefix: str) -> None:
    """`answers(since_s=…)` begins with what is there and leaves other tenants out."""
    async with answering(broker.address, topic_prefix, clock=time.time):
        async with Client(broker.address, topic_prefix=topic_prefix, tenant_id="other") as other:
            await other.ask("not yours?", timeout_s=10)
        async with Client(broker.address, topic_prefix=topic_prefix) as client:
            for n in range(3):
                await client.ask(f"mine {n}?", timeout_s=10)
            found = set()
            async with asyncio.timeout(10), contextlib.aclosing(client.answers(since_s=600)) as answers:
                async for answer in answers:
                    found.add(answer.question)
                    if len(found) == 3:
                        break

    assert found == {"mine 0?", "mine 1?", "mine 2?"}


async def test_a_missing_broker_is_named_in_one_sentence() -> None:
    """Nobody listens on port 1."""
    with pytest.raises(NotReachable) as caught:
        async with Client("127.0.0.1:1"):
            pass
    assert caught.value.reason == "No Kafka broker answers at 127.0.0.1:1."


async def test_missing_topics_are_named_before_anything_is_sent(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """A broker without a road is not a road."""
    with pytest.raises(NotReachable, match="has no topic"):
        async with Client(broker.address, topic_prefix=topic_prefix):
            pass
