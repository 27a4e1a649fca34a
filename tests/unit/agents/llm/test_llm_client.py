"""The client of the language model against a real HTTP server: every fault ends in time, with its code."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from agents.llm.client import LlmClient, LlmReply
from agents.llm.settings import LlmSettings
from agents.llm.wire import MAX_REPLY_BYTES
from schemas.errors import ErrorCode
from tests.support.llm_server import KEY, LlmServer, Say


@pytest.fixture(scope="module")
def server() -> Iterator[LlmServer]:
    with LlmServer() as running:
        yield running


@pytest.fixture
async def client(server: LlmServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LlmClient]:
    monkeypatch.setenv("TEST_LLM_KEY", KEY)
    settings = LlmSettings(
        url=server.url, model="small", key_reference="env:TEST_LLM_KEY", breaker_failures=2
    )
    made = LlmClient(settings, chance=lambda: 0.0)
    yield made
    await made.close()


async def _ask(client: LlmClient, text: str, timeout_s: float = 10.0, retries: int | None = None) -> LlmReply:
    return await client.ask([{"role": "user", "content": text}], timeout_s=timeout_s, retries=retries)


async def test_reply_brings_text_and_usage(client: LlmClient, server: LlmServer) -> None:
    """Model, tokens, latency and calls are counted; a schema travels as the response format."""
    server.on("hello", Say("good day"))

    reply = await client.ask([{"role": "user", "content": "hello"}], timeout_s=10, schema={"type": "object"})

    assert (reply.text, reply.error) == ("good day", None)
    usage = reply.usage
    assert (usage.model, usage.prompt_tokens, usage.completion_tokens, usage.calls) == ("small", 100, 20, 1)
    assert usage.latency_ms > 0
    assert server.asked("hello")[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}


async def test_limit_and_outage_are_tried_again(client: LlmClient, server: LlmServer) -> None:
    """429 with a time to come back, then 500, then a reply: three calls, one answer."""
    server.on("twice", Say(status=429, headers={"Retry-After": "0"}), Say(status=500), Say("third"))

    reply = await _ask(client, "twice")

    assert (reply.text, reply.usage.calls) == ("third", 3)


@pytest.mark.parametrize(
    ("say", "code"),
    [
        (Say(status=500), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(status=429, headers={"Retry-After": "3600"}), ErrorCode.RATE_LIMITED),
        (Say(status=403), ErrorCode.AUTH_FAILED),
        (Say(status=404), ErrorCode.TOOL_BAD_REQUEST),
        (Say(status=302, headers={"Location": "http://127.0.0.1:9/"}), ErrorCode.TOOL_BAD_REQUEST),
        (Say("a long reply", cut=True), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(raw=b"<html>"), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(raw=b'{"choices": []}'), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(raw=b'{"choices": [3]}'), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(raw=b"[1]"), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(raw=b'"' + b"x" * (MAX_REPLY_BYTES + 1) + b'"'), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(raw=b"{}", headers={"Content-Encoding": "gzip"}), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(""), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say("half a", finish_reason="length"), ErrorCode.UPSTREAM_UNAVAILABLE),
        (Say(refusal="I would rather not"), ErrorCode.TOOL_BAD_REQUEST),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_fault_is_an_error_with_its_code(
    client: LlmClient, server: LlmServer, say: Say, code: ErrorCode
) -> None:
    """And neither the key nor what the server said of itself is in it."""
    server.on("fault", say)

    reply = await _ask(client, "fault", retries=0)

    assert reply.error is not None
    assert (reply.error.code, reply.text) == (code, "")
    assert KEY not in str(reply.error)
    assert "/srv/llm" not in str(reply.error)


async def test_slow_endpoint_costs_its_time_and_no_more(client: LlmClient, server: LlmServer) -> None:
    """The limit covers all tries."""
    server.on("slow", Say("late", wait_s=5))
    began_at = time.monotonic()

    reply = await _ask(client, "slow", timeout_s=0.2)

    assert reply.error is not None
    assert reply.error.code is ErrorCode.TOOL_TIMEOUT
    assert time.monotonic() - began_at < 1.5
    assert client.breaker.state(client._clock()) == "closed", "a hurried asker must not open it for all"


async def test_breaker_opens_and_is_probed_by_one(server: LlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two outages nothing is sent; later exactly one call goes out, and two successes close it."""
    monkeypatch.setenv("TEST_LLM_KEY", KEY)
    now = [0.0]
    settings = LlmSettings(url=server.url, model="m", key_reference="env:TEST_LLM_KEY", breaker_failures=2)
    client = LlmClient(settings, clock=lambda: now[0])
    server.on("broken", Say(status=500))
    for _ in range(2):
        await _ask(client, "broken", retries=0)
    sent = len(server.requests)

    refused = await _ask(client, "broken")
    now[0] = 61.0
    server.on("broken", Say("well again", wait_s=0.2))
    probed = await asyncio.gather(*(_ask(client, "broken", retries=0) for _ in range(5)))

    assert refused.error is not None
    assert refused.error.code is ErrorCode.CIRCUIT_OPEN
    assert len(server.requests) == sent + 1
    assert sorted(reply.text for reply in probed) == ["", "", "", "", "well again"]
    assert (await _ask(client, "broken")).text == "well again"
    assert client.breaker.state(now[0]) == "closed"
    await client.close()


async def test_key_is_read_for_each_call(
    client: LlmClient, server: LlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotated key needs no restart, and one that is gone is an error that names no value."""
    server.on("rotate", Say("ok"))
    monkeypatch.setenv("TEST_LLM_KEY", "old")
    wrong = await _ask(client, "rotate")
    monkeypatch.setenv("TEST_LLM_KEY", KEY)
    right = await _ask(client, "rotate")
    monkeypatch.delenv("TEST_LLM_KEY")
    gone = await _ask(client, "rotate")

    codes = [reply.error.code if reply.error else None for reply in (wrong, right, gone)]
    assert codes == [ErrorCode.AUTH_FAILED, None, ErrorCode.AUTH_FAILED]


async def test_cancelled_question_stops_at_once(client: LlmClient, server: LlmServer) -> None:
    """Its place is free again and the breaker knows nothing of it."""
    server.on("abandon", Say("late", wait_s=3))
    asking = asyncio.ensure_future(_ask(client, "abandon"))
    await server.wait_for("abandon")

    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking

    assert client.breaker.state(client._clock()) == "closed"
