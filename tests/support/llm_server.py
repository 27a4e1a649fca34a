"""A server that speaks the OpenAI protocol over real HTTP and says, or breaks, what a test tells it to."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiohttp import web

KEY = "sk-test-7f3a9c0d1e2b4f5a6978"
"""The key the server wants to see."""


@dataclass(frozen=True)
class Say:
    """One reply. `content`: the message's text, anything but a text as JSON. `status` other than 200: an error.
    `raw`: these bytes as the body. `wait_s`: hold back first. `cut`: break the connection in the middle."""

    content: Any = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    wait_s: float = 0.0
    cut: bool = False
    refusal: str | None = None
    finish_reason: str = "stop"


Script = dict[tuple[str, str], list[Say]]
"""A marker and what the system's message must hold, to the replies."""


class LlmServer:
    """Serves `POST /v1/chat/completions` from a thread. Replies are chosen by a marker: the first one of `script` that
    occurs in the request's messages gives its next reply, and its last one for ever after."""

    def __init__(self) -> None:
        self.script: Script = {}
        self.otherwise = Say(status=500)
        self.requests: list[dict[str, Any]] = []
        """Bodies as received, each with `headers`."""
        self.wrong_keys = 0
        self._arrival = threading.Condition()
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join(10)

    def on(self, marker: str, *replies: Say, to: str = "") -> None:
        """What to reply to requests whose messages hold the marker and whose system's message holds `to`."""
        self.script[marker, to] = list(replies)

    def asked(self, marker: str, to: str = "") -> list[dict[str, Any]]:
        """The requests whose messages hold the marker and whose system's message holds `to`."""
        return [body for body in self.requests if marker in _texts(body) and to in _texts(body, 1)]

    async def wait_for(self, marker: str, within_s: float = 20.0) -> None:
        """Wait until a request with the marker has arrived."""

        def arrived() -> bool:
            with self._arrival:
                return self._arrival.wait_for(lambda: bool(self.asked(marker)), within_s)

        if not await asyncio.to_thread(arrived):
            raise AssertionError(f"no request with {marker!r} within {within_s} s")

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._run())
        self._loop.close()

    async def _run(self) -> None:
        self._ending = asyncio.Event()
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        self.port = runner.addresses[0][1]
        self._started.set()
        await self._ending.wait()
        await runner.cleanup()

    def _next(self, body: dict[str, Any]) -> Say:
        texts, system = _texts(body), _texts(body, 1)
        for (marker, to), replies in self.script.items():
            if marker in texts and to in system:
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return self.otherwise

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        with self._arrival:
            self.requests.append({**body, "headers": dict(request.headers)})
            self._arrival.notify_all()
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            self.wrong_keys += 1
            return web.json_response({"error": {"message": "wrong key"}}, status=401)
        reply = self._next(body)
        if reply.wait_s:
            await asyncio.sleep(reply.wait_s)
        if reply.status != 200:
            error = {"error": {"message": f"trouble with {KEY} at /srv/llm"}}
            return web.json_response(error, status=reply.status, headers=reply.headers)
        payload = reply.raw if reply.raw is not None else json.dumps(_completion(reply, body)).encode()
        if reply.cut:
            return await _half(request, payload)
        return web.Response(body=payload, content_type="application/json", headers=reply.headers)


async def _half(request: web.Request, payload: bytes) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(payload))})
    await response.prepare(request)
    await response.write(payload[: len(payload) // 2])
    assert request.transport is not None
    request.transport.abort()
    return response


def _texts(body: dict[str, Any], first: int | None = None) -> str:
    messages: Sequence[dict[str, Any]] = body.get("messages", ())[:first]
    return "\n".join(str(message.get("content")) for message in messages)


def _completion(reply: Say, body: dict[str, Any]) -> dict[str, Any]:
    content = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if reply.refusal is not None:
        message |= {"content": None, "refusal": reply.refusal}
    return {
        "id": "cmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": body.get("model"),
        "choices": [{"index": 0, "message": message, "finish_reason": reply.finish_reason}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }
