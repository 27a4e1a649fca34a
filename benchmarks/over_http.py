"""The same questions over HTTP: what the interface adds, and how it bears a crowd."""

import asyncio
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import jwt

from benchmarks.driver import PADDING, TENANT, Driver, ops_question
from benchmarks.figures import BURST, WARM_UP, Figure, no_op_steps, sleeping_steps
from benchmarks.processes import HERE, OPSLOOM, OpsloomWorker, opsloom_worker

SECRET = "a secret of the benchmarks, long enough"  # noqa: S105  # signs nothing but this run's tokens
ALONE = 150
"""Questions asked one after the other in each cycle, on the bus and over HTTP in turn."""
PATIENCE_S = 60.0
ADDED_GOAL_MS = 5.0
BURST_GOAL_MS = 400.0


@contextmanager
def web_process(broker: str, worker: OpsloomWorker) -> Iterator[str]:
    """One `opsloom web` beside the worker; gives its address."""
    environment = {
        **os.environ,
        "OPSLOOM_BROKER": broker,
        "OPSLOOM_TOPIC_PREFIX": worker.prefix,
        "OPSLOOM_WEB_JWT_SECRET": "env:BENCH_SECRET",
        "BENCH_SECRET": SECRET,
    }
    with tempfile.TemporaryDirectory(prefix="opsloom-bench-") as folder:
        with (Path(folder) / "web.log").open("ab") as log:
            process = subprocess.Popen(
                [*OPSLOOM, "web", "--port", "0", "--json", "--data", folder],
                env=environment, cwd=HERE.parent, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError("no HTTP interface: " + (Path(folder) / "web.log").read_text()[-2_000:])
            yield str(json.loads(line)["url"])
        finally:
            process.terminate()
            process.wait(10)


def session() -> aiohttp.ClientSession:
    """A caller with as many connections as he likes."""
    claims = {"sub": "bench", "tenant_id": TENANT, "roles": ["viewer"], "exp": int(time.time()) + 3_600}
    return aiohttp.ClientSession(
        headers={"Authorization": f"Bearer {jwt.encode(claims, SECRET, algorithm='HS256')}"},
        connector=aiohttp.TCPConnector(limit=0),
        timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
    )


async def ask(http: aiohttp.ClientSession, url: str, steps: Sequence[dict[str, object]]) -> float:
    """Ask once; seconds until the whole answer was there. Raises RuntimeError when it is not a good one."""
    body: dict[str, Any] = {"question": PADDING * 5, "plan": {"steps": list(steps)}}
    began = time.monotonic()
    async with http.post(f"{url}/ops/ask", json=body) as response:
        raw = await response.read()
        took_s = time.monotonic() - began
    if response.status != 200 or b'"status":"success"' not in raw:
        raise RuntimeError(f"{response.status}: {raw[:300]!r}")
    return took_s


def http_added(broker: str, cycles: int) -> Figure:
    """p50 of a question whose tools return at once, over HTTP and on the bus, asked one at a time."""
    added, pairs = [], []
    with opsloom_worker(broker) as worker, web_process(broker, worker) as url:
        driver = Driver(broker, worker.questions, worker.answers)
        driver.rate([ops_question(no_op_steps()) for _ in range(WARM_UP)])
        for _ in range(cycles):
            on_the_bus, over_http = asyncio.run(_in_turn(driver, url))
            pairs.append((on_the_bus, over_http))
            added.append(over_http - on_the_bus)
        driver.close()
    value = median(added)
    bus, http = (median(side) for side in zip(*pairs, strict=True))
    shown = f"{value:+.1f} ms ({bus:.1f} ms on the bus, {http:.1f} ms over HTTP)"
    return Figure("POST /ops/ask, p50 added to the bus", shown, "<= 5 ms", value <= ADDED_GOAL_MS)


async def _in_turn(driver: Driver, url: str) -> tuple[float, float]:
    """p50 in milliseconds of both ways."""
    bus_ms, http_ms = [], []
    async with session() as http:
        for _ in range(20):
            await ask(http, url, no_op_steps())
        for _ in range(ALONE):
            bus_ms.append(driver.latencies_s([ops_question(no_op_steps())])[0] * 1e3)
            http_ms.append(await ask(http, url, no_op_steps()) * 1e3)
    return median(bus_ms), median(http_ms)


def http_burst(broker: str, cycles: int) -> Figure:
    """1,000 HTTP requests at once, three tools of 200 ms each: p50 and p99; an error ends the measurement."""
    p50s, p99s = [], []
    with opsloom_worker(broker) as worker, web_process(broker, worker) as url:
        for times in asyncio.run(_bursts(url, cycles)):
            p50s.append(times[len(times) // 2] * 1e3)
            p99s.append(times[int(len(times) * 0.99)] * 1e3)
    p50 = median(p50s)
    shown = f"{p50:.0f} / {median(p99s):.0f} ms ({min(p50s):.0f}-{max(p50s):.0f})"
    name = "1,000 HTTP asks at once, 3 tools of 200 ms: p50 / p99"
    return Figure(name, shown, "p50 <= 400 ms", p50 <= BURST_GOAL_MS)


async def _bursts(url: str, cycles: int) -> list[list[float]]:
    found = []
    async with session() as http:
        for number in range(cycles + 2):  # the first two warm up, and open the connections
            times = await asyncio.gather(*(ask(http, url, sleeping_steps(3, 0.2)) for _ in range(BURST)))
            if number >= 2:
                found.append(sorted(times))
            await asyncio.sleep(0.5)
    return found
