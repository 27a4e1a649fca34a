"""A bulkhead: at most so many calls of one tool at a time in this process; others wait, first come first."""

import asyncio
from collections import deque

from agents.execution.within import cancelled_from_outside


class Bulkhead:
    """Places of one tool. A place is given back exactly once by whoever got it."""

    __slots__ = ("_free", "_waiting", "places")

    def __init__(self, places: int) -> None:
        self.places = places
        self._free = places
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def taken(self) -> int:
        """Places taken now."""
        return self.places - self._free

    def try_enter(self) -> bool:
        """Take a place if one is free and nobody waits for it."""
        if self._free > 0:
            self._free -= 1
            return True
        return False

    async def wait(self, timeout_s: float) -> bool:
        """Wait for a place; False when the time ran out first."""
        if self.try_enter():
            return True
        loop = asyncio.get_running_loop()
        place: asyncio.Future[None] = loop.create_future()
        self._waiting.append(place)
        timer = loop.call_later(timeout_s, place.cancel)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.leave()
                raise
            if cancelled_from_outside():
                raise
            return False
        finally:
            timer.cancel()
        return True

    def leave(self) -> None:
        """Give a place back; the first who waits gets it."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._free += 1
