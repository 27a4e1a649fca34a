"""Start a coroutine at once; make it a task only if it really waits.

Most calls of a fast tool never wait, and a task costs six times the call itself (docs/performance.md). Python 3.12 has
eager tasks; for 3.11 the first step is driven by hand here.
"""

import asyncio
import sys
from collections.abc import Coroutine, Generator
from contextvars import Context
from types import coroutine
from typing import Any


class _FirstStep:
    """What `asyncio.current_task()` gives during the first step. `asyncio.timeout` keeps it and later asks it to
    cancel: by then the real task stands behind it."""

    task: asyncio.Task[Any] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.task, name)

    def cancelling(self) -> int:
        return self.task.cancelling() if self.task else 0

    def uncancel(self) -> int:
        return self.task.uncancel() if self.task else 0


@coroutine
def _continue(started: Coroutine[Any, Any, Any], waiting: Any) -> Generator[Any, Any, Any]:
    """Go on with a coroutine whose first step yielded `waiting`."""
    if waiting is not None:
        waiting._asyncio_future_blocking = True  # the task checks that a future was awaited, not yielded bare
    step: Any
    value: Any
    while True:
        try:
            value = yield waiting
        except BaseException as exc:  # noqa: BLE001  # whatever is thrown at the task belongs to the coroutine
            step, value = started.throw, exc
        else:
            step = started.send
        try:
            waiting = step(value)
        except StopIteration as stop:
            return stop.value


async def _rest(started: Coroutine[Any, Any, Any], waiting: Any) -> Any:
    return await _continue(started, waiting)


def start(
    coro: Coroutine[Any, Any, Any],
    loop: asyncio.AbstractEventLoop,
    caller: asyncio.Task[Any] | None,
    context: Context,
) -> asyncio.Task[Any] | None:
    """Run `coro` until it first waits. Returns the task that does the rest, or None when it is already done.

    `caller` is the running task, `context` what the coroutine runs in: both are asked for once a batch, not once a
    call. An exception of the first step is raised here.
    """
    if sys.version_info >= (3, 12):
        task = asyncio.Task(coro, loop=loop, eager_start=True)
        return None if task.done() and not task.exception() else task
    first = _FirstStep()
    if caller is not None:
        asyncio.tasks._leave_task(loop, caller)
    asyncio.tasks._enter_task(loop, first)  # type: ignore[arg-type]  # stands in for a task
    try:
        waiting = context.run(coro.send, None)
    except StopIteration:
        return None
    finally:
        asyncio.tasks._leave_task(loop, first)  # type: ignore[arg-type]
        if caller is not None:
            asyncio.tasks._enter_task(loop, caller)
    if waiting is not None:
        waiting._asyncio_future_blocking = False
    first.task = loop.create_task(_rest(coro, waiting), context=context)
    return first.task
