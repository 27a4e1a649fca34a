"""Ask a question in plain aiokafka, as JSON. Any Kafka client in any language does the same.

    python examples/ask_json.py --broker 127.0.0.1:9092 "how much memory is free?"

Prints the question's id; read_answers.py waits for the answer.
"""

import argparse
import asyncio
import json
import uuid
from datetime import UTC, datetime

from aiokafka import AIOKafkaProducer


def question_event(question_id: str, tenant: str, question: str) -> dict[str, object]:
    """All that must be said. docs/events.md lists what may be said besides: mode, context, options, plan."""
    return {
        "schema_version": 1,
        "question_id": question_id,
        "tenant_id": tenant,
        "user": {"id": "example", "roles": ["viewer"]},
        "question": question,
        "created_at": datetime.now(UTC).isoformat(),
    }


async def ask(broker: str, topic: str, tenant: str, question: str) -> str:
    """Publish and return when the broker has it; gives the question's id."""
    # The same id again would be the same question: one trace, one answer, however often it is sent.
    question_id = str(uuid.uuid4())
    producer = AIOKafkaProducer(bootstrap_servers=broker, acks="all")
    await producer.start()
    try:
        await producer.send_and_wait(
            topic,
            json.dumps(question_event(question_id, tenant, question)).encode(),
            # Required, and equal to the body's tenant_id.
            headers=[("tenant_id", tenant.encode())],
        )
    finally:
        await producer.stop()
    return question_id


def main() -> None:
    parser = argparse.ArgumentParser(description="Publish one question as JSON and print its id.")
    parser.add_argument("question")
    parser.add_argument("--broker", default="127.0.0.1:9092", help="HOST:PORT")
    parser.add_argument("--topic", default="ops.questions", help="with the prefix, if the road has one")
    parser.add_argument("--tenant", default="local")
    given = parser.parse_args()
    print(asyncio.run(ask(given.broker, given.topic, given.tenant, given.question)))


if __name__ == "__main__":
    main()
