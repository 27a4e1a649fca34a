"""Running a coroutine for at most so long, without a task or a timer for one that never waits."""

import asyncio
import types
from collections.abc import Coroutine, Generator
from dataclasses import dataclass
from typing import Any, TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The time ran out. `leftover` still runs if the coroutine did not stop at once when it was cancelled."""

    leftover: "asyncio.Task[None] | None" = None
    detail: str | None = None


class _Alarm:
    """Rings by cancelling what the coroutine waits for, as `Task.cancel` would. Knows no task, because the
    coroutine may have taken its first steps in another task than its later ones."""

    __slots__ = ("rung", "waiting")

    def __init__(self) -> None:
        self.rung = False
        self.waiting: Any = None

    def ring(self) -> None:
        self.rung = True
        if self.waiting is not None:
            self.waiting.cancel()


@types.coroutine
def within(work: Coroutine[Any, Any, _T], timeout_s: float) -> Generator[Any, Any, _T | TimedOut]:
    """Await `work` for at most `timeout_s` seconds, then cancel it and go on without it.

    Work that ends without waiting costs no timer. Work that does not stop when it is cancelled goes on in a task
    of its own, which `TimedOut` names. What `work` raises, and a cancellation from outside, pass through.
    """
    try:
        waiting = work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    alarm = _Alarm()
    timer = asyncio.get_running_loop().call_later(timeout_s, alarm.ring)
    try:
        while True:
            alarm.waiting = waiting
            thrown: BaseException | None = None
            try:
                sent = yield waiting
            except GeneratorExit:
                work.close()
                raise
            except BaseException as error:  # noqa: BLE001  # a driver hands on whatever it is given
                thrown = error
            if alarm.rung:
                if thrown is not None and cancelled_from_outside():
                    work.close()
                    raise thrown
                return _cut_off(work)
            try:
                waiting = work.send(sent) if thrown is None else work.throw(thrown)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
    finally:
        timer.cancel()


def cancelled_from_outside() -> bool:
    """Is the running task being cancelled, or did somebody only cancel what it waits for?"""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _cut_off(work: Coroutine[Any, Any, Any]) -> TimedOut:
    try:
        waiting = work.throw(asyncio.CancelledError())
    except (StopIteration, asyncio.CancelledError):
        return TimedOut()
    except Exception as bug:  # noqa: BLE001  # border: a fault while stopping must not hide that time ran out
        return TimedOut(detail=f"{type(bug).__name__} while stopping: {bug}")
    return TimedOut(asyncio.get_running_loop().create_task(_rest(work, waiting)))


async def _rest(work: Coroutine[Any, Any, Any], waiting: Any) -> None:
    try:
        await _resumed(work, waiting)
    except Exception:  # noqa: BLE001  # border: the call is answered already, nobody waits for this
        return


@types.coroutine
def _resumed(work: Coroutine[Any, Any, Any], waiting: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            sent = yield waiting
        except GeneratorExit:
            work.close()
            raise
        except BaseException as error:  # noqa: BLE001  # a driver hands on whatever it is given
            step, value = work.throw, error
        else:
            step, value = work.send, sent  # type: ignore[assignment]
        try:
            waiting = step(value)
        except StopIteration:
            return
