"""What comes back over the OpenAI protocol, read without trust: replies, failures, and no more bytes than allowed."""

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from schemas.errors import ErrorCode, OpsError, ops_error

MAX_REPLY_BYTES = 1_000_000
_CONNECT_S = 5.0
_LONGEST_WAIT_S = 60.0
_LONGEST_DETAIL = 300


class Reply(NamedTuple):
    text: str
    prompt_tokens: int
    completion_tokens: int
    error: OpsError | None


class TooLarge(Exception):
    """The endpoint sends more than a reply may weigh."""


def bounded_client() -> Any:
    """An HTTP client that follows no redirect (the key stays with its endpoint), takes no compressed reply, and stops
    reading after `MAX_REPLY_BYTES`."""
    import httpx2
    import openai

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, stream: Any) -> None:
            self._stream = stream

        async def __aiter__(self) -> AsyncIterator[bytes]:
            left = MAX_REPLY_BYTES
            async for chunk in self._stream:
                left -= len(chunk)
                if left < 0:
                    raise TooLarge
                yield chunk

        async def aclose(self) -> None:
            await self._stream.aclose()

    async def bound(response: Any) -> None:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise TooLarge
        response.stream = Bounded(response.stream)

    return openai.DefaultAsyncHttpxClient(
        follow_redirects=False,
        timeout=httpx2.Timeout(None, connect=_CONNECT_S),
        headers={"accept-encoding": "identity"},
        event_hooks={"response": [bound]},
    )


def reply_of(body: Any) -> Reply:
    """The first choice's text of a chat completion, or why there is none."""
    usage = body.get("usage") if isinstance(body, dict) else None
    spent = (_count(usage, "prompt_tokens"), _count(usage, "completion_tokens"))
    try:
        choice = body["choices"][0]
        message = choice["message"]
        text, refusal = message.get("content"), message.get("refusal")
    except (KeyError, IndexError, TypeError, AttributeError):
        return Reply("", *spent, _improper("a body that is no chat completion"))
    if isinstance(refusal, str) and refusal:
        message = "The language model refused to answer."
        return Reply("", *spent, ops_error(ErrorCode.TOOL_BAD_REQUEST, message, detail=_cut(refusal)))
    if not isinstance(text, str) or not text.strip():
        return Reply("", *spent, _improper(f"no text; it ended with {choice.get('finish_reason')!r:.40}"))
    if choice.get("finish_reason") == "length":
        return Reply("", *spent, _improper("a reply that was cut at its token limit"))
    return Reply(text, *spent, None)


def error_of(exc: Exception) -> tuple[OpsError, float | None]:
    """What a failed request means, and in how many seconds the endpoint wants to be asked again, if it said so."""
    import openai

    detail = f"language model: {type(exc).__name__}"
    if isinstance(exc, openai.APIStatusError):
        status = exc.status_code
        detail = f"language model: HTTP {status}"
        if status == 429:
            message = "The language model's limit is reached."
            return ops_error(ErrorCode.RATE_LIMITED, message, detail=detail), _retry_after_s(exc)
        if status in (401, 403):
            message = "The language model refused the credentials."
            return ops_error(ErrorCode.AUTH_FAILED, message, detail=detail), None
        if 300 <= status < 500 and status != 408:
            message = "The language model refused the request."
            return ops_error(ErrorCode.TOOL_BAD_REQUEST, message, detail=detail), None
        return _unreachable(detail), _retry_after_s(exc)
    if isinstance(exc, json.JSONDecodeError | UnicodeDecodeError):
        return _improper("a body that is not JSON"), None
    if isinstance(exc, openai.APITimeoutError):
        message = "The language model did not answer in time."
        return ops_error(ErrorCode.TOOL_TIMEOUT, message, detail=detail), None
    if isinstance(exc, openai.APIConnectionError):
        cause = exc.__cause__
        if isinstance(cause, TooLarge):
            return _improper(f"a reply of more than {MAX_REPLY_BYTES} bytes, or a compressed one"), None
        detail += f" ({type(cause).__name__})" if cause is not None else ""
    return _unreachable(detail), None


def _retry_after_s(exc: Any) -> float | None:
    try:
        wait_s = float(exc.response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return min(wait_s, _LONGEST_WAIT_S) if wait_s >= 0 else None


def _unreachable(detail: str) -> OpsError:
    return ops_error(
        ErrorCode.UPSTREAM_UNAVAILABLE, "The language model could not be reached.", detail=_cut(detail)
    )


def _improper(what: str) -> OpsError:
    return ops_error(
        ErrorCode.UPSTREAM_UNAVAILABLE,
        "The language model gave no proper answer.",
        detail=f"language model: {what}",
    )


def _cut(text: str) -> str:
    return text[:_LONGEST_DETAIL]


def _count(usage: Any, name: str) -> int:
    found = usage.get(name) if isinstance(usage, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and 0 <= found < 2**31 else 0
