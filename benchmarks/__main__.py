"""`make bench`: measure and print the table. Real Kafka where Java and Maven are there, else the embedded broker."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import figures, over_http
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


def measures(address: str, cycles: int) -> dict[str, Callable[[], Figure]]:
    """Every figure by name, in the order of the table."""
    return {
        "json": lambda: figures.throughput(address, "json", cycles, GOALS["json"]),
        "avro": lambda: figures.throughput(address, "avro", cycles, GOALS["avro"]),
        "five": lambda: figures.five_tools(address, cycles),
        "burst": lambda: figures.burst(address, cycles),
        "restart": lambda: figures.restart(address, cycles),
        "http": lambda: over_http.http_added(address, cycles),
        "http_burst": lambda: over_http.http_burst(address, cycles),
        "memory": lambda: figures.memory(address),
    }


def main() -> int:
    """Print a row per figure; exit code 0 whether or not the goals are reached, since a noisy machine is no bug."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=("kafka", "embedded"), default="kafka")
    parser.add_argument("--cycles", type=int, default=3)
    parser.add_argument(
        "--only", nargs="*", help="names of figures: json avro five burst restart http http_burst memory"
    )
    arguments = parser.parse_args()
    try:
        with broker(arguments.broker) as address:
            for name, measure in measures(address, arguments.cycles).items():
                if arguments.only and name not in arguments.only:
                    continue
                row = measure()
                mark = "ok " if row.reached else "NOT"
                print(f"{mark}  {row.name:<48} {row.value:<48} {row.goal}", flush=True)
    except KafkaMissing as missing:
        print(f"{missing} Or run with --broker embedded.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
