"""A coroutine that never waits needs no task; one that waits becomes a task in the middle, and notices nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from streams.lane.eager import start


def begin(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any] | None:
    return start(work, asyncio.get_running_loop(), asyncio.current_task(), copy_context())


async def test_work_that_never_waits_is_done_at_once_without_a_task() -> None:
    """Its effects are there when `start` returns."""
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    before = len(asyncio.all_tasks())

    assert begin(work()) is None
    assert done == [1]
    assert len(asyncio.all_tasks()) == before


async def test_work_that_waits_goes_on_as_a_task() -> None:
    """With the value it waited for."""
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()

    async def work() -> int:
        return int(await first) + int(await second)

    task = begin(work())
    assert task is not None
    first.set_result(1)
    second.set_result(2)

    assert await task == 3


async def test_exception_after_waiting_is_the_tasks() -> None:
    """And what the awaited future raises reaches the coroutine."""
    future = asyncio.get_running_loop().create_future()

    async def work() -> str:
        try:
            await future
        except KeyError:
            raise ValueError("told") from None
        return "never"

    task = begin(work())
    assert task is not None
    future.set_exception(KeyError())

    with pytest.raises(ValueError, match="told"):
        await task


async def test_exception_of_the_first_step_is_raised_here() -> None:
    """Nobody else could see it."""

    async def work() -> None:
        raise ValueError("at once")

    with pytest.raises(ValueError, match="at once"):
        begin(work())


async def test_timeout_that_begins_in_the_first_step_ends_the_task() -> None:
    """`asyncio.timeout` keeps the task it was entered in."""

    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return "timed out"
        return "never"

    task = begin(work())
    assert task is not None
    assert await task == "timed out"


async def test_cancelling_the_task_reaches_the_coroutine_where_it_waits() -> None:
    """Its `finally` runs."""
    cleaned: list[int] = []

    async def work() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            cleaned.append(1)

    task = begin(work())
    assert task is not None
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == [1]


async def test_work_may_start_tasks_and_gather_in_its_first_step() -> None:
    """Whatever a tool does before it first waits."""

    async def inner(number: int) -> int:
        await asyncio.sleep(0)
        return number

    async def work() -> int:
        return sum(await asyncio.gather(*(inner(number) for number in range(4))))

    task = begin(work())
    assert task is not None
    assert await task == 6


async def test_caller_stays_the_current_task() -> None:
    """Before, after, and when the work raises."""
    caller = asyncio.current_task()

    async def waits() -> None:
        assert asyncio.current_task() is not caller
        await asyncio.sleep(0)

    async def raises() -> None:
        raise ValueError("at once")

    task = begin(waits())
    assert asyncio.current_task() is caller
    with pytest.raises(ValueError, match="at once"):
        begin(raises())
    assert asyncio.current_task() is caller
    assert task is not None
    await task


async def test_context_is_the_callers() -> None:
    """What a context variable says is seen before and after the first wait."""
    variable: ContextVar[str] = ContextVar("variable", default="outside")
    variable.set("inside")
    seen: list[str] = []

    async def work() -> None:
        seen.append(variable.get())
        await asyncio.sleep(0)
        seen.append(variable.get())

    task = begin(work())
    assert task is not None
    await task

    assert seen == ["inside", "inside"]
