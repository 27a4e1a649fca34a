"""Blocking libraries run in threads of a bounded pool, and are told to stop when their call is cancelled."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")

_STOPPING_S = 5.0
"""How long a cancelled call waits for its thread before it leaves it alone."""


class Stop:
    """Tells work in a thread that nobody waits for it any more. Thread-safe; false until then."""

    __slots__ = ("_lock", "_on_stop", "_stopped")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stopped = False
        self._on_stop: Callable[[], object] | None = None

    def __bool__(self) -> bool:
        return self._stopped

    def calls(self, on_stop: Callable[[], object] | None) -> None:
        """Have this called when the work shall stop, from another thread, at once if it already shall. None
        takes it back: afterwards it is not called any more."""
        with self._lock:
            self._on_stop = on_stop
            if self._stopped and on_stop is not None:
                on_stop()

    def set(self) -> None:
        """The work shall stop."""
        with self._lock:
            if not self._stopped:
                self._stopped = True
                if self._on_stop is not None:
                    self._on_stop()


class Threads:
    """A bounded pool that belongs to one adapter."""

    def __init__(self, size: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=size, thread_name_prefix=name)
        self._running: set[Stop] = set()

    async def run(self, work: Callable[[Stop], _T]) -> _T:
        """Run `work(stop)` in a thread and wait for it. When this is cancelled, the work is told to stop, and
        the cancellation goes on once the thread has ended (or after five seconds)."""
        stop = Stop()
        submitted = self._pool.submit(work, stop)
        self._running.add(stop)
        done = asyncio.wrap_future(submitted)
        done.add_done_callback(lambda _: self._running.discard(stop))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            if not submitted.cancel():
                stop.set()
                await asyncio.wait({done}, timeout=_STOPPING_S)
                with contextlib.suppress(asyncio.CancelledError):
                    if done.done():
                        done.exception()
            raise

    async def close(self) -> None:
        """Tell all work to stop and wait for its threads, for a while."""
        for stop in tuple(self._running):
            stop.set()
        self._pool.shutdown(wait=False, cancel_futures=True)
        for _ in range(100):
            if not self._running:
                return
            await asyncio.sleep(_STOPPING_S / 100)
