"""`Client`: ask, and await the answer."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from types import TracebackType
from typing import Literal, Self, Unpack

from aiokafka.errors import KafkaError

from opsloom.batch import BatchProgress, no_progress
from opsloom.cluster import unreachable
from opsloom.connection import Connection, Published, within
from opsloom.errors import OpsloomError
from opsloom.past import every_answer
from opsloom.questions import Asking, compose, judge
from opsloom.streaming import ask_and_follow
from schemas.answers import AnswerComposed
from schemas.ids import trace_id
from schemas.progress import ProgressEvent
from schemas.questions import TOTAL_BUDGET_S, QuestionAsked
from streams.topics import Topics

GRACE_S = 5.0
"""Waited beyond the question's deadline: the answer comes by its deadline + 1 s, then it has to travel."""

__all__ = ["GRACE_S", "Client", "Published"]


class Client:
    """One connection for any number of questions at once; use it as `async with Client(…) as client`.

    Entering raises NotReachable when no broker answers or the road's topics are missing.
    """

    def __init__(
        self,
        broker: str = "127.0.0.1:9092",
        *,
        tenant_id: str = "local",
        topic_prefix: str = "",
        partitions: int | None = None,
        codec: Literal["json", "avro"] = "json",
        schema_registry_url: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`broker` is HOST:PORT, or several with commas. `partitions` None: the cluster is asked.

        `codec` is what questions are written in; answers are read in either.
        """
        self.broker = broker
        self.tenant_id = tenant_id
        self._clock = clock
        self._connection = Connection(
            broker,
            Topics(topic_prefix),
            partitions=partitions,
            written=codec,
            schema_registry_url=schema_registry_url,
        )

    async def __aenter__(self) -> Self:
        await self._connection.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connection.stop()

    async def ask(
        self,
        question: str,
        *,
        timeout_s: float | None = None,
        look_back_s: float = 0.0,
        **asking: Unpack[Asking],
    ) -> AnswerComposed:
        """Publish a question and await its answer, whatever its status.

        `timeout_s` None: until 5 s after the question's deadline. With `look_back_s` an answer to the same
        `question_id` that came within the last seconds is taken, and nothing is published.
        Raises Refused, NoAnswer, NotReachable.
        """
        asked, raw, trace = self._prepare(question, asking)
        limit_s = timeout_s if timeout_s is not None else self._patience_s(asked)
        async with self._connection.expecting(trace, self._connection.home_of(trace)) as future:
            if look_back_s > 0 and (earlier := await self._earlier(trace, look_back_s)):
                return earlier
            return await self._connection.send_and_wait(asked, raw, trace, future, limit_s)

    async def publish(self, question: str, **asking: Unpack[Asking]) -> Published:
        """Publish a question and return when the broker has it. Raises Refused, NotReachable."""
        return await self._connection.send(*self._prepare(question, asking))

    async def stream(
        self, question: str, *, timeout_s: float | None = None, **asking: Unpack[Asking]
    ) -> AsyncGenerator[ProgressEvent, None]:
        """Publish a question and tell what happens: Planned, ToolStarted, ToolEnded, at last Answered.

        Raises Refused, NoAnswer, NotReachable. Close it when you leave before its end (`contextlib.aclosing`).
        """
        asked, raw, trace = self._prepare(question, asking)
        limit_s = timeout_s if timeout_s is not None else self._patience_s(asked)
        following = ask_and_follow(self._connection, asked, raw, trace, limit_s)
        async with contextlib.aclosing(following):
            async for event in following:
                yield event

    async def batch(
        self,
        questions: Sequence[str],
        *,
        at_once: int = 100,
        timeout_s: float | None = None,
        progress: BatchProgress = no_progress,
        **asking: Unpack[Asking],
    ) -> list[AnswerComposed | OpsloomError]:
        """Ask many questions, `at_once` side by side; answers, or what went wrong, in the order of the questions.

        `progress=opsloom.progress_bar()` draws a bar on standard error. `asking` holds for each of them.
        """
        gate = asyncio.Semaphore(at_once)

        async def one(question: str) -> AnswerComposed | OpsloomError:
            async with gate:
                try:
                    found: AnswerComposed | OpsloomError = await self.ask(
                        question, timeout_s=timeout_s, **asking
                    )
                except OpsloomError as exc:
                    found = exc
            step()
            return found

        with progress(len(questions)) as step:
            return list(await asyncio.gather(*(one(question) for question in questions)))

    async def answer_to(
        self, question_id: str, *, timeout_s: float = 60.0, look_back_s: float = 3_600.0
    ) -> AnswerComposed:
        """Await the answer to a question asked before, here or elsewhere. Raises NoAnswer, NotReachable."""
        trace = trace_id(self.tenant_id, question_id)
        async with self._connection.expecting(trace, None) as future:
            if look_back_s > 0 and (earlier := await self._earlier(trace, look_back_s)):
                return earlier
            return await within(future, question_id, trace, timeout_s)

    async def answers(self, *, since_s: float = 0.0) -> AsyncGenerator[AnswerComposed, None]:
        """Every answer to this tenant from now on, and before that those of the last `since_s` seconds.

        Raises NotReachable.
        """
        since = self._clock() - since_s if since_s > 0 else None
        there = self._connection
        found = every_answer(self.broker, there.topics.answers, range(there.answers_n), there.codec, since)
        try:
            async with contextlib.aclosing(found):
                async for answer in found:
                    if answer.tenant_id == self.tenant_id:
                        yield answer
        except KafkaError as exc:
            raise unreachable(self.broker) from exc

    def _prepare(self, question: str, asking: Asking) -> tuple[QuestionAsked, bytes, str]:
        """The question, its bytes and its trace."""
        now = self._clock()
        raw = compose(question, self.tenant_id, now, asking)
        asked = judge(raw, self.tenant_id, now, self._connection.codec)
        return asked, raw, trace_id(asked.tenant_id, asked.question_id)

    async def _earlier(self, trace: str, look_back_s: float) -> AnswerComposed | None:
        return await self._connection.earlier(trace, self._clock() - look_back_s)

    def _patience_s(self, asked: QuestionAsked) -> float:
        """Seconds until the deadline, whichever way it was given, and a little more."""
        options, now = asked.options, self._clock()
        left_s = min(TOTAL_BUDGET_S, options.deadline_s or TOTAL_BUDGET_S)
        if options.deadline is not None:
            left_s = min(left_s, max(0.0, options.deadline.timestamp() - now))
        return left_s + GRACE_S
