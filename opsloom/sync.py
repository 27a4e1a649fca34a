"""`SyncClient`: the same client for programs without an event loop of their own."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeVar, Unpack

from opsloom.batch import BatchProgress, no_progress
from opsloom.client import Client
from opsloom.connection import Published
from opsloom.errors import OpsloomError
from opsloom.questions import Asking
from schemas.answers import AnswerComposed
from schemas.progress import ProgressEvent

T = TypeVar("T")


class SyncClient:
    """A `Client` whose event loop runs in a thread of its own; use it as `with SyncClient(…) as client`.

    May be used from several threads at once. Each method promises what the one of `Client` promises.
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
    ) -> None:
        self._client = Client(
            broker,
            tenant_id=tenant_id,
            topic_prefix=topic_prefix,
            partitions=partitions,
            codec=codec,
            schema_registry_url=schema_registry_url,
        )
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="opsloom-client", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        try:
            self._run(self._client.__aenter__())
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._run(self._client.__aexit__(kind, error, trace))
        finally:
            self._end()

    def ask(
        self,
        question: str,
        *,
        timeout_s: float | None = None,
        look_back_s: float = 0.0,
        **asking: Unpack[Asking],
    ) -> AnswerComposed:
        """Publish a question and wait for its answer. Raises Refused, NoAnswer, NotReachable."""
        return self._run(self._client.ask(question, timeout_s=timeout_s, look_back_s=look_back_s, **asking))

    def publish(self, question: str, **asking: Unpack[Asking]) -> Published:
        """Publish a question and return when the broker has it. Raises Refused, NotReachable."""
        return self._run(self._client.publish(question, **asking))

    def stream(
        self, question: str, *, timeout_s: float | None = None, **asking: Unpack[Asking]
    ) -> Iterator[ProgressEvent]:
        """Publish a question and tell what happens; the answer comes last. Raises Refused, NoAnswer, NotReachable."""
        return self._iterate(self._client.stream(question, timeout_s=timeout_s, **asking))

    def batch(
        self,
        questions: Sequence[str],
        *,
        at_once: int = 100,
        timeout_s: float | None = None,
        progress: BatchProgress = no_progress,
        **asking: Unpack[Asking],
    ) -> list[AnswerComposed | OpsloomError]:
        """Ask many questions; answers, or what went wrong, in the order of the questions."""
        return self._run(
            self._client.batch(questions, at_once=at_once, timeout_s=timeout_s, progress=progress, **asking)
        )

    def answer_to(
        self, question_id: str, *, timeout_s: float = 60.0, look_back_s: float = 3_600.0
    ) -> AnswerComposed:
        """Wait for the answer to a question asked before. Raises NoAnswer, NotReachable."""
        return self._run(self._client.answer_to(question_id, timeout_s=timeout_s, look_back_s=look_back_s))

    def answers(self, *, since_s: float = 0.0) -> Iterator[AnswerComposed]:
        """Every answer to this tenant from now on, and before that those of the last seconds. Raises NotReachable."""
        return self._iterate(self._client.answers(since_s=since_s))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Let the loop's thread do it; Ctrl-C here ends it there."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def _iterate(self, source: AsyncGenerator[T, None]) -> Iterator[T]:
        async def following() -> tuple[bool, T | None]:
            try:
                return True, await anext(source)
            except StopAsyncIteration:
                return False, None

        try:
            while True:
                goes_on, item = self._run(following())
                if not goes_on:
                    return
                yield item  # type: ignore[misc]  # None only at the end
        finally:
            with contextlib.suppress(RuntimeError):  # the loop may have ended before the iterator
                self._run(source.aclose())

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
