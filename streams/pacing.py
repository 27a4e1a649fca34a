"""Keep a consumer from spinning on a broker that answers empty fetches at once instead of holding them.

Apache Kafka holds a fetch for up to `fetch.max.wait.ms` until there is data; the embedded broker does not, and an idle
worker would ask it thousands of times a second.
"""

import asyncio
import time
from typing import Any

FIRST_PAUSE_S = 0.002
LONGEST_PAUSE_S = 0.05
"""Bounds what the pause may add to the latency of an event that comes after silence."""


def pace_fetches(fetcher: Any, longest_pause_s: float = LONGEST_PAUSE_S) -> None:
    """Wrap the fetcher's request: after an empty answer that came sooner than half the allowed wait, pause; each
    time in a row twice as long."""
    request_once = fetcher._proc_fetch_request
    pause_s = FIRST_PAUSE_S

    async def paced(assignment: Any, node_id: Any, request: Any) -> bool:
        nonlocal pause_s
        began = time.monotonic()
        got_records = bool(await request_once(assignment, node_id, request))
        if got_records:
            pause_s = FIRST_PAUSE_S
        elif time.monotonic() - began < fetcher._fetch_max_wait_ms / 2_000:
            try:
                await asyncio.sleep(pause_s)
            except asyncio.CancelledError:
                return False  # as the fetcher's own request does when it is closed: it awaits what it has cancelled
            pause_s = min(pause_s * 2, longest_pause_s)
        return got_records

    fetcher._proc_fetch_request = paced
