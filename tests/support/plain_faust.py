"""Faust by the book, as a program: one agent, concurrency 8, that does what its events say. For showing its faults.

python tests/support/plain_faust.py BROKER GROUP TOPIC DATADIR LOG
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import faust

BROKER, GROUP, TOPIC, DATADIR, LOG = sys.argv[1:]
NEVER_S = 3_600.0

app: Any = faust.App(
    GROUP,
    broker=f"kafka://{BROKER}",
    store="memory://",
    datadir=DATADIR,
    autodiscover=False,
    web_enabled=False,
    topic_partitions=4,
    topic_disable_leader=True,
    consumer_auto_offset_reset="earliest",
    consumer_group_instance_id="plain-0",
    broker_session_timeout=6,
    broker_heartbeat_interval=2,
    broker_commit_interval=0.5,
    stream_wait_empty=False,
)
calls = app.topic(TOPIC, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")


def note(text: str) -> None:
    """Leave a line where the test reads it, also after a SIGKILL."""
    with Path(LOG).open("a") as log:
        log.write(text + "\n")


@app.agent(calls, concurrency=8)
async def executor(stream: Any) -> None:
    async for value in stream:
        name = value.decode()
        note(f"began {name}")
        if name == "slow":
            await asyncio.sleep(NEVER_S)
        if name == "broken":
            raise ValueError("a bug in the agent")
        note(f"done {name}")


if __name__ == "__main__":
    sys.argv = [sys.argv[0], "worker", "-l", "warn", "--without-web"]
    app.main()
