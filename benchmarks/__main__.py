"""`make bench`: measure and print the table. Real Kafka where Java and Maven are there, else the embedded broker."""

import argparse
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import alone, figures, over_http
from benchmarks.figures import Figure
from streams.embedded_broker import EmbeddedBroker
from tests.support.kafka import KafkaBroker, KafkaMissing

GOALS = {"json": 0.6, "avro": 0.45}


@contextmanager
def broker(kind: str) -> Iterator[str]:
    """A broker for this run."""
    with tempfile.TemporaryDirectory(prefix="opsloom-bench-") as folder:
        chosen = KafkaBroker(Path(folder)) if kind == "kafka" else EmbeddedBroker(Path(folder))
        try:
            yield chosen.start()
        finally:
            chosen.stop()


ALONE: dict[str, Callable[[], Figure]] = {
    "planning": alone.planning,
    "steps": alone.twenty_steps,
    "sql_guard": alone.sql_guard,
    "guards": alone.guards_share,
}
"""Figures that need no broker."""
PROCESSES = max(2, min(4, os.cpu_count() or 2))


def measures(address: str, cycles: int) -> dict[str, Callable[[], Figure]]:
    """Every figure that needs a broker by name, in the order of the table."""
    return {
        "json": lambda: figures.throughput(address, "json", cycles, GOALS["json"]),
        "avro": lambda: figures.throughput(address, "avro", cycles, GOALS["avro"]),
        "json_wide": lambda: figures.throughput(address, "json", cycles, GOALS["json"], PROCESSES),
        "five": lambda: figures.five_tools(address, cycles),
        "chain": lambda: figures.chain(address, cycles),
        "burst": lambda: figures.burst(address, cycles),
        "burst_wide": lambda: figures.burst(address, cycles, PROCESSES),
        "restart": lambda: figures.restart(address, cycles),
        "http": lambda: over_http.http_added(address, cycles),
        "http_burst": lambda: over_http.http_burst(address, cycles),
        "memory": lambda: figures.memory(address),
    }


def told(row: Figure) -> None:
    """Print one row."""
    mark = "ok " if row.reached else "NOT"
    print(f"{mark}  {row.name:<62} {row.value:<46} {row.goal:<22} {os.getloadavg()[0]:4.1f}", flush=True)


def main() -> int:
    """Print a row per figure; exit code 0 whether or not the goals are reached, since a noisy machine is no bug."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    parser.add_argument("--cycles", type=int, default=3)
    names = (*ALONE, *measures("", 1))
    parser.add_argument(
        "--only", nargs="*", choices=names, metavar="FIGURE", help=f"some of: {' '.join(names)}"
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    wanted = [name for name in names if not arguments.only or name in arguments.only]
    print(f"{os.cpu_count()} cores; right: the load average of the last minute")
    for name in wanted:
        if name in ALONE:
            told(ALONE[name]())
    if not set(wanted) - ALONE.keys():
        return 0
    try:
        with broker(arguments.broker) as address:
            for name, measure in measures(address, arguments.cycles).items():
                if name in wanted:
                    told(measure())
    except KafkaMissing as missing:
        print(f"{missing} Or run with --broker embedded.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
