"""Ask a question in plain aiokafka, as Avro in Confluent's frame.

    python examples/ask_avro.py --broker 127.0.0.1:9092 "how much memory is free?"

The frame is a zero byte, the schema's id in 4 bytes (big-endian) and the Avro body. Ids come from a schema registry,
or, as here, from the file of ids that opsloom ships with. Needs aiokafka and fastavro.
"""

import argparse
import asyncio
import io
import json
import struct
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
from aiokafka import AIOKafkaProducer

SCHEMAS = Path(__file__).resolve().parent.parent / "schemas" / "avsc"


def newest_schema(event: str, folder: Path) -> tuple[int, dict[str, Any]]:
    """Id and schema of the newest version of an event."""
    versions = [entry for entry in json.loads((folder / "ids.json").read_text()) if entry["event"] == event]
    newest = max(versions, key=lambda entry: entry["version"])
    schema = json.loads((folder / f"{event}.v{newest['version']}.avsc").read_text())
    return newest["id"], schema


def framed(event: dict[str, Any], schema_id: int, schema: dict[str, Any]) -> bytes:
    """An event in Confluent's frame. Fields that are left out take the schema's defaults."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, fastavro.parse_schema(schema), event)
    return struct.pack(">bI", 0, schema_id) + body.getvalue()


async def ask(broker: str, topic: str, tenant: str, question: str, folder: Path) -> str:
    """Publish and return when the broker has it; gives the question's id."""
    schema_id, schema = newest_schema("QuestionAsked", folder)
    question_id = str(uuid.uuid4())
    event = {
        "schema_version": 1,
        "question_id": question_id,
        "tenant_id": tenant,
        "user": {"id": "example", "roles": ["viewer"]},
        "question": question,
        "created_at": datetime.now(UTC),
        # Free-form JSON travels as a text.
        "context": json.dumps({"asked_by": "examples/ask_avro.py"}),
    }
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(
            topic, framed(event, schema_id, schema), headers=[("tenant_id", tenant.encode())]
        )
    finally:
        await producer.stop()
    return question_id


def main() -> None:
    parser = argparse.ArgumentParser(description="Publish one question as Avro and print its id.")
    parser.add_argument("question")
    parser.add_argument("--broker", default="127.0.0.1:9092", help="HOST:PORT")
    parser.add_argument("--topic", default="ops.questions", help="with the prefix, if the road has one")
    parser.add_argument("--tenant", default="local")
    parser.add_argument("--schemas", type=Path, default=SCHEMAS, help="folder with ids.json and *.avsc")
    given = parser.parse_args()
    print(asyncio.run(ask(given.broker, given.topic, given.tenant, given.question, given.schemas)))


if __name__ == "__main__":
    main()
