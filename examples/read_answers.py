"""Read answers in plain aiokafka, JSON or Avro, told apart message by message.

    python examples/read_answers.py --broker 127.0.0.1:9092 --question-id ID   (waits for one answer)
    python examples/read_answers.py --broker 127.0.0.1:9092                    (follows until Ctrl-C)

Prints one JSON line an answer: question_id, tenant_id, status, text, and how long it took. Needs aiokafka, and
fastavro for answers in Avro.
"""

import argparse
import asyncio
import io
import json
import struct
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import fastavro
from aiokafka import AIOKafkaConsumer

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "avsc"


def schemas_by_id(folder: Path) -> dict[int, Any]:
    """Every schema that opsloom ships with, parsed. With a schema registry, ask that instead."""
    return {
        entry["id"]: fastavro.parse_schema(
            json.loads((folder / f"{entry['event']}.v{entry['version']}.avsc").read_text())
        )
        for entry in json.loads((folder / "ids.json").read_text())
    }


def answer_of(value: bytes, schemas: dict[int, Any]) -> dict[str, Any]:
    """The answer in a message. The first byte tells: 0 is Confluent's frame, `{` is JSON."""
    if value[:1] != b"\x00":
        return dict(json.loads(value))
    schema_id = struct.unpack(">I", value[1:5])[0]
    answer = fastavro.schemaless_reader(io.BytesIO(value[5:]), schemas[schema_id], None)
    assert isinstance(answer, dict)
    return answer


def moment(value: Any) -> datetime:
    """Moments are texts in JSON and datetimes in Avro."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def told(answer: dict[str, Any]) -> dict[str, Any]:
    """The few fields this example prints; docs/events.md lists them all."""
    took = moment(answer["answered_at"]) - moment(answer["asked_at"])
    return {
        "question_id": answer["question_id"],
        "tenant_id": answer["tenant_id"],
        "status": answer["status"],
        "text": answer["text"],
        "took_ms": round(took.total_seconds() * 1000, 1),
    }


async def read(
    broker: str, topic: str, tenant: str, question_id: str | None, schemas: dict[int, Any]
) -> None:
    """Print answers of one tenant, or of one question, and then return."""
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=broker, enable_auto_commit=False, auto_offset_reset="latest"
    )
    await consumer.start()
    try:
        if question_id is not None:
            # The answer may be there already: begin an hour back.
            since_ms = int((time.time() - 3600) * 1000)
            found = await consumer.offsets_for_times(dict.fromkeys(consumer.assignment(), since_ms))
            for partition, first in found.items():
                if first is not None:
                    consumer.seek(partition, first.offset)
        async for message in consumer:
            answer = answer_of(message.value, schemas)
            if answer["tenant_id"] != tenant or question_id not in (None, answer["question_id"]):
                continue
            print(json.dumps(told(answer), ensure_ascii=False), flush=True)
            if question_id is not None:
                return
    finally:
        await consumer.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description="Print answers, one JSON line each.")
    parser.add_argument("--broker", default="127.0.0.1:9092", help="HOST:PORT")
    parser.add_argument("--topic", default="ops.answers", help="with the prefix, if the road has one")
    parser.add_argument("--tenant", default="local")
    parser.add_argument("--question-id", help="wait for the answer to this question, then end")
    parser.add_argument(
        "--timeout-s", type=float, default=None, help="give up after so many seconds, with exit code 5"
    )
    parser.add_argument("--schemas", type=Path, default=SCHEMAS, help="folder with ids.json and *.avsc")
    given = parser.parse_args()
    reading = read(given.broker, given.topic, given.tenant, given.question_id, schemas_by_id(given.schemas))
    try:
        asyncio.run(asyncio.wait_for(reading, given.timeout_s))
    except TimeoutError:
        sys.exit(5)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
