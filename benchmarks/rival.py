"""The same road by hand on aiokafka: questions → calls → results → answers, explicit partitions, join in a dict.

No tables, no deadlines, no validation, no recovery: the least that a pipeline can do with this client. It is the
yardstick of `make bench`.
"""

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

CALLS_PER_QUESTION = 3
OUTPUT = "result text of the tool, as a table row; " * 8
COMMIT_EVERY_S = 1.0

Sent = tuple[str, dict[str, Any]]


def plan(question: dict[str, Any]) -> Iterable[Sent]:
    """A question's three calls."""
    trace = question["question_id"]
    for number in range(CALLS_PER_QUESTION):
        yield (
            "calls",
            {
                "trace_id": trace,
                "call_id": f"{trace}-{number}",
                "tool": "probe",
                "args": {"query": question["question"][:120], "limit": 5},
                "number": number,
            },
        )


def run_tool(call: dict[str, Any]) -> Iterable[Sent]:
    """A call's result."""
    yield (
        "results",
        {
            "trace_id": call["trace_id"],
            "call_id": call["call_id"],
            "tool": call["tool"],
            "number": call["number"],
            "ok": True,
            "output": OUTPUT,
            "ms": 0.1,
        },
    )


def joiner() -> Callable[[dict[str, Any]], Iterable[Sent]]:
    """Collects results; gives the answer with the last one."""
    waiting: dict[str, list[dict[str, Any]]] = {}

    def join(result: dict[str, Any]) -> Iterable[Sent]:
        trace = result["trace_id"]
        results = waiting.setdefault(trace, [])
        results.append(result)
        if len(results) == CALLS_PER_QUESTION:
            del waiting[trace]
            text = "; ".join(each["output"][:100] for each in results)
            yield "answers", {"trace_id": trace, "answer": text, "tools": len(results)}

    return join


async def stage(
    producer: AIOKafkaProducer,
    broker: str,
    prefix: str,
    source: str,
    work: Callable[[dict[str, Any]], Iterable[Sent]],
    write: Callable[[dict[str, Any]], bytes],
) -> None:
    """Read one topic, do the work, send what it gives to the same partition, commit what is acknowledged."""
    consumer = AIOKafkaConsumer(
        f"{prefix}{source}",
        bootstrap_servers=broker,
        group_id=f"{prefix}{source}",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=20,
    )
    await consumer.start()
    committed_at, done = asyncio.get_running_loop().time(), {}
    while True:
        sent = []
        for place, records in (await consumer.getmany(timeout_ms=200, max_records=1_000)).items():
            for record in records:
                for topic, event in work(orjson.loads(record.value)):
                    sent.append(
                        await producer.send(
                            f"{prefix}{topic}", write(event), key=record.key, partition=record.partition
                        )
                    )
            done[TopicPartition(place.topic, place.partition)] = records[-1].offset + 1
        for acknowledged in sent:
            await acknowledged
        if done and asyncio.get_running_loop().time() - committed_at > COMMIT_EVERY_S:
            await consumer.commit(done)
            committed_at, done = asyncio.get_running_loop().time(), {}


async def main(broker: str, prefix: str) -> None:
    """Run the three stages in one process."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=0, max_batch_size=65_536)
    await producer.start()
    await asyncio.gather(
        stage(producer, broker, prefix, "questions", plan, orjson.dumps),
        stage(producer, broker, prefix, "calls", run_tool, orjson.dumps),
        stage(producer, broker, prefix, "results", joiner(), orjson.dumps),
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
