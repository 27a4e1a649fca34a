"""One question from its publishing to its answer, told step by step."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext

from opsloom.connection import Connection
from opsloom.errors import NoAnswer
from opsloom.progress import Progress
from schemas.answers import AnswerComposed
from schemas.events import Event
from schemas.progress import ProgressEvent
from schemas.questions import QuestionAsked

Waiter = asyncio.Future[AnswerComposed]


def _nothing(_waiter: Waiter) -> AbstractContextManager[None]:
    return nullcontext()


async def ask_and_follow(
    connection: Connection,
    asked: QuestionAsked,
    raw: bytes,
    trace: str,
    limit_s: float,
    meanwhile: Callable[[Waiter], AbstractContextManager[None]] = _nothing,
) -> AsyncGenerator[ProgressEvent, None]:
    """Publish and tell what happens; the answer comes last. Raises Refused, NoAnswer, NotReachable.

    `meanwhile` is entered for as long as the answer is waited for, and may give it from elsewhere.

    Close it (`contextlib.aclosing`) when you stop before its end, so that nothing goes on reading.
    """
    give_up_at = asyncio.get_running_loop().time() + limit_s
    async with AsyncExitStack() as held:
        try:
            async with asyncio.timeout_at(give_up_at):
                queue = await held.enter_async_context(connection.watched(trace))
                home = connection.home_of(trace)
                future = await held.enter_async_context(connection.expecting(trace, home))
                held.enter_context(meanwhile(future))
                await connection.send(asked, raw, trace, future)
        except TimeoutError:
            raise NoAnswer(asked.question_id, trace, limit_s) from None
        progress = Progress(trace)
        async for event in _until(future, queue, give_up_at):
            for told in progress.take(event):
                yield told
        if not future.done():
            raise NoAnswer(asked.question_id, trace, limit_s)
        for told in progress.finish(future.result()):
            yield told


async def _until(
    future: Waiter, queue: "asyncio.Queue[Event]", give_up_at: float
) -> AsyncGenerator[Event, None]:
    """What the queue gives until the future is done or the loop's clock says so."""
    loop = asyncio.get_running_loop()
    getting: asyncio.Task[Event] | None = None
    try:
        while True:
            getting = getting or asyncio.ensure_future(queue.get())
            left_s = max(0.0, give_up_at - loop.time())
            done, _ = await asyncio.wait(
                (getting, future), timeout=left_s, return_when=asyncio.FIRST_COMPLETED
            )
            if getting in done:
                event, getting = getting.result(), None
                yield event
            elif future.done() or not done:
                return
    finally:
        if getting is not None:
            getting.cancel()
