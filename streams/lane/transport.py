"""`lane://HOST:PORT`: Faust's aiokafka transport with lanes. Registered under the entry point `faust.transports`."""

import asyncio
import time
from typing import Any

from faust.transport.drivers import aiokafka as driver

from streams.lane.consumer import LaneConsumer
from streams.lane.producer import LaneProducer

HEARD_POLL_S = 0.05
"""How often a worker that may send nothing looks whether it may again."""


class FrozenWorker(RuntimeError):
    """This worker was not heard of for longer than its session: others may own its partitions by now."""


class Transport(driver.Transport):
    """One per app; `lanes` maps a topic to the lane that reads it."""

    Consumer = LaneConsumer
    Producer = LaneProducer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lanes: dict[str, Any] = {}
        self.frozen: FrozenWorker | None = None
        """Set once and for all when this worker finds that it stood still: the process has to begin anew."""
        self.handing_over = False
        """True while partitions are given up by a worker that was heard of until then: there are no heartbeats now."""

    def check_alive(self) -> None:
        """Raise `FrozenWorker` if this worker stood still until others took its partitions."""
        if self.frozen is not None:
            raise self.frozen

    async def until_heard(self) -> None:
        """Return when the group is known to have heard of this worker within its session, so that a process that was
        stopped and wakes up cannot answer for partitions it lost: either a heartbeat is accepted, and they are its
        own as before, or they are being taken from it. Raises `FrozenWorker`."""
        while self._is_in_doubt():  # noqa: ASYNC110  # time itself is what is waited for
            await asyncio.sleep(HEARD_POLL_S)
        self.check_alive()

    def look_at_heartbeat(self) -> None:
        """When partitions are taken away: a worker that was silent for a whole session may not hand over any more."""
        silent_s = self._silent_s()
        if silent_s > self._session_s():
            self.frozen = FrozenWorker(
                f"no heartbeat accepted for {silent_s:.1f} s; stopping before anything is sent twice"
            )
        self.handing_over = self.frozen is None

    def _is_in_doubt(self) -> bool:
        return self.frozen is None and not self.handing_over and self._silent_s() > self._session_s()

    def _session_s(self) -> float:
        return float(self.app.conf.broker_session_timeout)

    def _silent_s(self) -> float:
        """Seconds since the group last heard of this worker; 0 before it was let in."""
        consumer = self.app._consumer  # the property would create one
        thread = getattr(consumer, "_thread", None)
        if thread is None or not thread.last_heartbeat_at:
            return 0.0
        return time.monotonic() - float(thread.last_heartbeat_at)
