"""Ask a question over HTTP and print what happens while it is worked on.

    python examples/ask_http.py --url http://127.0.0.1:8080 --token TOKEN "how much memory is free?"

Prints a line per event, then the answer's text. Needs aiohttp.
"""

import argparse
import asyncio
import json
import os
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import aiohttp


async def events(response: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """Name and document of each server-sent event."""
    name = ""
    async for raw in response.content:
        line = raw.decode().rstrip("\n")
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


async def ask(url: str, token: str, question: str) -> int:
    """Exit code: 0 with an answer, 1 without one."""
    headers = {
        "Authorization": f"Bearer {token}",
        # Sent again under the same key it would be the same question, and give the same answer.
        "Idempotency-Key": str(uuid.uuid4()),
    }
    # An answer line may be long; the default of 64 KiB would be too little.
    async with (
        aiohttp.ClientSession(headers=headers, read_bufsize=8 * 1024 * 1024) as http,
        http.post(f"{url}/ops/ask/stream", json={"question": question}) as response,
    ):
        if response.status != 200:
            error = await response.json()
            print(f"{error['code']}: {error['message']}", file=sys.stderr)
            return 1
        async for name, document in events(response):
            if name == "planned":
                print(f"planned: {len(document['steps'])} steps")
            elif name == "tool_started":
                print(f"started: {document['tool_id']}")
            elif name == "tool_ended":
                print(f"ended: {document['tool_id']}: {document['status']}")
            elif name == "answer":
                print(document["answer"]["text"])
                return 0
            else:
                print(f"{document['code']}: {document['message']}", file=sys.stderr)
    return 1


def main() -> None:
    parser = argparse.ArgumentParser(description="Ask over HTTP and watch.")
    parser.add_argument("question")
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--token", default=os.environ.get("TOKEN", ""))
    given = parser.parse_args()
    sys.exit(asyncio.run(ask(given.url, given.token, given.question)))


if __name__ == "__main__":
    main()
