"""The client in batches, without an event loop, and watched."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from opsloom import AnswerComposed, Answered, Client, NoAnswer, Planned, Refused, SyncClient, progress_bar
from schemas.answers import Status
from tests.support.answering import answering
from tests.support.brokers import BrokerUnderTest


async def test_batch_gives_answers_and_failures_in_the_order_of_the_questions(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """A question that is none and one nobody answers spoil nothing; each is counted once."""
    steps: list[int] = []

    @contextmanager
    def counted(total: int) -> Iterator[object]:
        assert total == 12
        yield lambda: steps.append(1)

    questions = [*(f"q{n}?" for n in range(10)), " ", "silence?"]
    async with (
        answering(
            broker.address, topic_prefix, clock=time.time,
            status_of=lambda asked: None if asked.question == "silence?" else Status.SUCCESS,
        ),
        Client(broker.address, topic_prefix=topic_prefix) as client,
    ):  # fmt: skip
        found = await client.batch(questions, at_once=4, timeout_s=2, progress=counted)  # type: ignore[arg-type]

    assert [each.question for each in found if isinstance(each, AnswerComposed)] == questions[:10]
    assert isinstance(found[10], Refused)
    assert isinstance(found[11], NoAnswer)
    assert len(steps) == 12


def test_progress_bar_counts_to_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error."""
    with progress_bar("Asking")(2) as step:
        step()
        step()
    assert "2/2" in capsys.readouterr().err


async def test_stream_of_a_direct_answer_is_its_plan_and_the_answer(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """Nothing else happened."""
    async with (
        answering(broker.address, topic_prefix, clock=time.time),
        Client(broker.address, topic_prefix=topic_prefix) as client,
    ):
        told = [event async for event in client.stream("how are you?", timeout_s=10)]

    assert [type(event) for event in told] == [Planned, Answered]
    assert isinstance(told[-1], Answered)
    assert told[-1].answer.question == "how are you?"


async def test_sync_client_asks_streams_and_ends_with_its_thread(
    broker: BrokerUnderTest, topic_prefix: str
) -> None:
    """Every way of asking, from a thread that has no loop; afterwards no thread is left."""

    def use() -> list[str]:
        with SyncClient(broker.address, topic_prefix=topic_prefix) as client:
            asked = [client.ask("one?", question_id="one", timeout_s=10).question]
            asked += [
                event.answer.question
                for event in client.stream("two?", timeout_s=10)
                if isinstance(event, Answered)
            ]
            asked += [
                each.question
                for each in client.batch(["three?"], timeout_s=10)
                if isinstance(each, AnswerComposed)
            ]
            asked.append(client.answer_to("one", timeout_s=10).question)
            assert client.publish("four?").topic.endswith("ops.questions")
            for answer in client.answers(since_s=600):
                asked.append(f"first: {answer.question}")
                break
            with pytest.raises(Refused):
                client.ask(" ")
            return asked

    before = threading.active_count()
    async with answering(broker.address, topic_prefix, clock=time.time):
        found = await asyncio.to_thread(use)

    assert found[:4] == ["one?", "two?", "three?", "one?"]
    assert found[4].startswith("first: ")
    assert not [thread for thread in threading.enumerate() if thread.name == "opsloom-client"]
    assert threading.active_count() <= before + 1  # the executor's own
