"""`lane://HOST:PORT`: Faust's aiokafka transport with lanes. Registered under the entry point `faust.transports`."""

import time
from typing import Any

from faust.transport.drivers import aiokafka as driver

from streams.lane.consumer import LaneConsumer
from streams.lane.producer import LaneProducer


class FrozenWorker(RuntimeError):
    """This worker was not heard of for longer than its session: others may own its partitions by now."""


class Transport(driver.Transport):
    """One per app; `lanes` maps a topic to the lane that reads it."""

    Consumer = LaneConsumer
    Producer = LaneProducer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lanes: dict[str, Any] = {}

    def check_alive(self) -> None:
        """Raise `FrozenWorker` when the group has not heard of this worker for a whole session timeout, so that a
        process that was stopped and wakes up cannot answer for partitions it lost."""
        app = self.app
        consumer = app._consumer  # the property would create one
        thread = getattr(consumer, "_thread", None)
        if thread is None or not thread.last_heartbeat_at or app.rebalancing:
            return
        silent_s = time.monotonic() - thread.last_heartbeat_at
        if silent_s > app.conf.broker_session_timeout:
            raise FrozenWorker(
                f"no heartbeat accepted for {silent_s:.1f} s; stopping before anything is sent twice"
            )
