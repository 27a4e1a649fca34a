"""An event loop whose clock jumps to the next thing that is due: hours of waiting pass in the time of the work.

What runs on it must wait only for timers and for itself. Input and output do not advance the clock.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


class Stalled(RuntimeError):
    """Everything waits and nothing is due: what runs waits for something outside."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time` gives Unix seconds, from `starts_at` on."""

    def __init__(self, starts_at: float) -> None:
        super().__init__(_Jumping(self))
        self._virtual_now = starts_at
        # Seconds since 1970 are exact to a quarter of a microsecond: what is due now must not look a little later.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """The virtual moment."""
        return self._virtual_now

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._virtual_now += seconds


class _Jumping(selectors.DefaultSelector):
    """Instead of waiting for so long, says that so long has passed."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Stalled("nothing is due, and something still waits")
        if timeout > 0:
            self._loop.jump(timeout)
        return super().select(0)


def run_in_virtual_time(loop: VirtualLoop, work: Coroutine[Any, Any, _T]) -> _T:
    """Run it to its end and close the loop. Raises what it raises, and `Stalled`."""
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()
