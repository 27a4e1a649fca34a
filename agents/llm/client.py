"""One question to a language model over the OpenAI protocol: bounded in time, tries and bytes; failures are data."""

import asyncio
import importlib.util
import json
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from agents.llm.breaker import LlmBreaker
from agents.llm.places import FairPlaces
from agents.llm.settings import LlmSettings
from agents.llm.wire import MAX_REPLY_BYTES, bounded_client, error_of, reply_of
from schemas.errors import ErrorCode, OpsError, ops_error
from schemas.plans import LlmUsage
from streams.redaction import masked
from streams.secrets import SecretError, resolve_secret

Message = Mapping[str, str]

_RETRIED = frozenset({ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.RATE_LIMITED})
_FIRST_PAUSE_S = 0.2
_FAIR_TIME_S = 5.0
"""A call that was given less than this and ran out of time says nothing about the endpoint: its asker was in a hurry,
and must not open the breaker for everybody."""

__all__ = ["MAX_REPLY_BYTES", "LlmClient", "LlmReply", "MissingLlmExtra"]


class MissingLlmExtra(RuntimeError):
    """The library of the extra `llm` is not installed."""

    def __init__(self) -> None:
        super().__init__('A language model needs the extra llm. Install it: pip install "opsloom[llm]"')


class LlmReply(NamedTuple):
    """What came of a question: a text, or an error; and what it cost either way."""

    text: str
    usage: LlmUsage
    error: OpsError | None = None


class LlmClient:
    """Asks one model. Make one per process: its breaker and its places are what the process shares."""

    def __init__(
        self,
        settings: LlmSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`clock` counts seconds and is asked for latencies and pauses only. Raises `MissingLlmExtra`."""
        if importlib.util.find_spec("openai") is None:
            raise MissingLlmExtra
        self.settings = settings
        self.breaker = LlmBreaker(failures=settings.breaker_failures, reset_s=settings.breaker_reset_s)
        self._clock = clock
        self._chance = chance
        self._places = FairPlaces(settings.concurrency)
        self._sdk: Any = None

    async def ask(
        self,
        messages: Sequence[Message],
        *,
        timeout_s: float,
        schema: Mapping[str, Any] | None = None,
        name: str = "answer",
        retries: int | None = None,
        tenant_id: str = "",
    ) -> LlmReply:
        """The model's text, within `timeout_s` whatever happens. With a `schema` the endpoint is asked for JSON of
        that JSON schema; the caller still has to check what it gets. `tenant_id` is for a fair
        share of the places and goes nowhere. Raises nothing that an endpoint can cause.

        UPSTREAM_UNAVAILABLE: not reached, 5xx, or no proper reply. RATE_LIMITED: 429 to the end. AUTH_FAILED: 401, 403
        or no key to be had. TOOL_BAD_REQUEST: another 4xx, or the model refused. TOOL_TIMEOUT, CIRCUIT_OPEN."""
        tries_again = self.settings.retries if retries is None else retries
        asking = _Asking(self, messages, schema, name, tries_again, tenant_id)
        # The library keeps track of the running task; ours may take its first step in another one.
        task = asyncio.get_running_loop().create_task(asking.within(timeout_s))
        return await task

    async def warm(self) -> None:
        """Load the library now, beside the loop: it takes a second that no question should wait for."""
        await asyncio.to_thread(self.sdk)

    async def close(self) -> None:
        """Close the connections."""
        if self._sdk is not None:
            await self._sdk.close()
            self._sdk = None

    def sdk(self) -> Any:
        """The library's client, loaded late: a worker without a model does not pay for it."""
        if self._sdk is None:
            import openai

            for logger in ("openai", "httpx", "httpx2"):  # their lines hold what is sent
                logging.getLogger(logger).setLevel(logging.WARNING)
            self._sdk = openai.AsyncOpenAI(
                base_url=self.settings.url, api_key="unused", max_retries=0, http_client=bounded_client()
            )
        return self._sdk


class _Asking:
    """One question on its way, with what it has cost so far."""

    def __init__(
        self,
        client: LlmClient,
        messages: Sequence[Message],
        schema: Mapping[str, Any] | None,
        name: str,
        retries: int,
        tenant_id: str,
    ) -> None:
        self._client = client
        self._retries = retries
        self._tenant_id = tenant_id
        self._clock = client._clock
        self._began_at = self._clock()
        self._calls = self._prompt = self._completion = 0
        settings = client.settings
        self._request: dict[str, Any] = {
            "model": settings.model,
            # Whoever puts a credential into a question or a document shall not find it at the model's maker.
            "messages": [{**message, "content": masked(message["content"])} for message in messages],
            "max_completion_tokens": settings.max_output_tokens,
        }
        if schema is not None and settings.response_format == "json_schema":
            wanted = {"name": name, "schema": dict(schema), "strict": False}
            self._request["response_format"] = {"type": "json_schema", "json_schema": wanted}
        elif schema is not None and settings.response_format == "json_object":
            self._request["response_format"] = {"type": "json_object"}

    async def within(self, timeout_s: float) -> LlmReply:
        ends_at = self._began_at + timeout_s
        try:
            async with asyncio.timeout(timeout_s), self._client._places.place(self._tenant_id):
                return await self._tries(ends_at, timeout_s)
        except TimeoutError:
            message = f"The language model did not answer within {timeout_s:.1f} s."
            return self._reply("", ops_error(ErrorCode.TOOL_TIMEOUT, message))

    async def _tries(self, ends_at: float, timeout_s: float) -> LlmReply:
        tries = 0
        while True:
            text, error, come_back_s = await self._once(timeout_s)
            if error is None or error.code not in _RETRIED or tries >= self._retries:
                return self._reply(text, error)
            pause_s = come_back_s if come_back_s is not None else self._backoff_s(tries)
            if self._clock() + pause_s >= ends_at:
                return self._reply(text, error)
            tries += 1
            await asyncio.sleep(pause_s)

    async def _once(self, timeout_s: float) -> tuple[str, OpsError | None, float | None]:
        """One request: text, error, and when the endpoint wants to be asked again."""
        breaker = self._client.breaker
        wait_s = breaker.enter(self._clock())
        if wait_s is not None:
            message = f"The language model failed repeatedly and rests for {wait_s:.0f} s more."
            return "", ops_error(ErrorCode.CIRCUIT_OPEN, message), None
        told = False
        try:
            text, error, come_back_s = await self._request_once()
            told = True
            if error is None:
                breaker.succeeded()
            elif error.code in (ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.TOOL_TIMEOUT):
                breaker.failed(self._clock())
            else:
                breaker.forgotten()
            return text, error, come_back_s
        finally:
            if not told:  # cancelled: the time ran out, or nobody waits any more
                ran_out = self._clock() - self._began_at >= timeout_s * 0.99
                if ran_out and timeout_s >= min(_FAIR_TIME_S, self._client.settings.timeout_s):
                    breaker.failed(self._clock())
                else:
                    breaker.forgotten()

    async def _request_once(self) -> tuple[str, OpsError | None, float | None]:
        try:
            key = resolve_secret(self._client.settings.key_reference)
        except SecretError as exc:
            return "", ops_error(ErrorCode.AUTH_FAILED, detail=f"language model: {exc}"), None
        sdk = self._client.sdk()
        self._calls += 1
        try:
            raw = await sdk.with_options(api_key=key or "none").chat.completions.with_raw_response.create(
                **self._request, timeout=self._client.settings.timeout_s
            )
            body = json.loads(raw.content)
        except Exception as exc:  # noqa: BLE001  # border: whatever the endpoint or the library does is a result
            error, come_back_s = error_of(exc)
            return "", error, come_back_s
        reply = reply_of(body)
        self._prompt += reply.prompt_tokens
        self._completion += reply.completion_tokens
        return reply.text, reply.error, None

    def _backoff_s(self, tries: int) -> float:
        return _FIRST_PAUSE_S * float(2**tries) * (0.5 + self._client._chance() / 2)

    def _reply(self, text: str, error: OpsError | None) -> LlmReply:
        usage = LlmUsage(
            model=self._client.settings.model,
            prompt_tokens=self._prompt,
            completion_tokens=self._completion,
            latency_ms=round((self._clock() - self._began_at) * 1000, 1),
            calls=self._calls,
        )
        return LlmReply(text, usage, error)
