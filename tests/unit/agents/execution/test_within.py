"""Running for at most so long: who waits, who is cancelled, what passes through."""

from __future__ import annotations

import asyncio

import pytest

from agents.execution.within import TimedOut, within


async def test_what_ends_in_time_gives_its_value() -> None:
    async def work() -> int:
        await asyncio.sleep(0)
        return 7

    assert await within(work(), 5.0) == 7


async def test_what_takes_longer_is_cancelled() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise

    outcome = await within(work(), 0.01)

    assert isinstance(outcome, TimedOut)
    assert outcome.leftover is None
    assert ended == ["cancelled"]


async def test_what_tidies_up_when_cancelled_goes_on_alone() -> None:
    """Nobody waits for it, but it is told how to be found."""
    tidy = asyncio.Event()
    done: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await tidy.wait()
            done.append("tidied")

    outcome = await within(work(), 0.01)

    assert isinstance(outcome, TimedOut)
    assert outcome.leftover is not None
    tidy.set()
    await asyncio.wait({outcome.leftover})
    assert done == ["tidied"]


async def test_a_timeout_inside_the_work_is_its_own_affair() -> None:
    async def work() -> str:
        try:
            async with asyncio.timeout(0.01):
                await asyncio.Event().wait()
        except TimeoutError:
            return "its own"
        return "never"

    assert await within(work(), 5.0) == "its own"


async def test_a_cancellation_from_outside_passes_through() -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("stopped")

    async def outer() -> None:
        await within(work(), 5.0)

    task = asyncio.create_task(outer())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["stopped"]


async def test_a_bug_passes_through() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise ValueError("bug")

    with pytest.raises(ValueError, match="bug"):
        await within(work(), 5.0)


async def test_a_bug_while_stopping_is_told() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("clumsy")

    outcome = await within(work(), 0.01)

    assert isinstance(outcome, TimedOut)
    assert "clumsy" in (outcome.detail or "")


async def test_steps_taken_outside_a_task_may_go_on_inside_one() -> None:
    """The first step by hand, the rest in a task: the time still runs out."""
    work = within(asyncio.Event().wait(), 0.01)
    waiting = work.send(None)

    class Rest:
        def __await__(self):  # type: ignore[no-untyped-def]
            step, value = None, waiting
            while True:
                try:
                    sent = yield value
                    step = (work.send, sent)
                except BaseException as error:  # noqa: BLE001  # a driver hands on whatever it is given
                    step = (work.throw, error)
                try:
                    value = step[0](step[1])
                except StopIteration as done:
                    return done.value

    async def rest() -> object:
        return await Rest()

    assert isinstance(await asyncio.create_task(rest()), TimedOut)
