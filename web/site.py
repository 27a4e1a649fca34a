"""The routes under `/ops`: ask, ask and follow, fetch an answer."""

import asyncio
import re
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass

import msgspec
from aiohttp import web

from schemas.errors import ErrorCode
from schemas.progress import Answered, ProgressEvent
from streams.claims import ClaimError, ClaimStore, open_claim
from web.asking import Asking, Prepared
from web.bodies import key_of, read_body
from web.callers import Callers, tenant_for
from web.failures import Failed, failed, json_response
from web.finding import Answers
from web.metrics import Metrics
from web.words import Working

TENANT_HEADER = "X-Tenant-Id"
TRACE_HEADER = "X-Trace-Id"
HEARTBEAT_S = 10.0
_TRACE = re.compile(r"[0-9a-f]{32}")
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Site:
    """What the handlers need."""

    callers: Callers
    asking: Asking
    answers: Answers
    metrics: Metrics
    clock: Callable[[], float]
    claims: ClaimStore
    heartbeat_s: float = HEARTBEAT_S

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """`POST /ops/ask`"""
        prepared = await self._prepared(request)
        try:
            answer = await self.asking.answer(prepared)
        except Failed as exc:
            exc.headers[TRACE_HEADER] = prepared.trace
            raise
        self.metrics.answers.labels(answer.status.value).inc()
        written = self.answers.as_written(
            prepared.trace
        )  # its bytes are passed on: writing them again costs more
        body = answer if written is None else msgspec.Raw(written)
        return json_response(body, headers={TRACE_HEADER: prepared.trace})

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """`POST /ops/ask/stream`: server-sent events until the answer or an error."""
        prepared = await self._prepared(request)
        self.asking.check_room()
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream; charset=utf-8",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",
                TRACE_HEADER: prepared.trace,
            }
        )
        events = self.asking.follow(prepared)
        async with aclosing(events):
            await response.prepare(request)
            beating = asyncio.create_task(self._beat(response))
            try:
                number = 0
                async for event in events:
                    number += 1
                    await response.write(as_sse(number, event))
                    if isinstance(event, Answered):
                        self.metrics.answers.labels(event.answer.status.value).inc()
            except Failed as exc:
                await response.write(_sse("error", _encode(exc.error.public())))
            finally:
                beating.cancel()
        with suppress(ConnectionError):
            await response.write_eof()
        return response

    async def fetch(self, request: web.Request) -> web.StreamResponse:
        """`GET /ops/answers/{trace_id}`: 200 with the answer, 202 while it is worked on, or 404."""
        caller = await self.callers.caller(request.headers.get("Authorization"))
        tenant, trace = (
            tenant_for(caller, request.headers.get(TENANT_HEADER)),
            request.match_info["trace_id"],
        )
        if _TRACE.fullmatch(trace) is None:
            raise unknown_trace()
        answer = await self.answers.find(trace, tenant)
        if answer is not None:
            return json_response(answer, headers={TRACE_HEADER: trace})
        if self.answers.is_expected(trace, tenant, self.clock()) or await self.answers.is_worked_on(
            trace, tenant
        ):
            working = Working(trace_id=trace, message="The question is being worked on; ask again.")
            return json_response(working, 202, {TRACE_HEADER: trace, "Retry-After": "1"})
        raise unknown_trace()

    async def claim(self, request: web.Request) -> web.StreamResponse:
        """`GET /ops/claims/{tenant_key}/{digest}`: the whole of a result that was too large for its answer."""
        caller = await self.callers.caller(request.headers.get("Authorization"))
        tenant = tenant_for(caller, request.headers.get(TENANT_HEADER))
        whose = request.match_info["tenant_key"].removeprefix("claim:")
        reference = f"claim:{whose}/{request.match_info['digest']}"
        try:
            output = await asyncio.to_thread(open_claim, self.claims, reference, tenant)
        except ClaimError as exc:
            if exc.code is ErrorCode.INTERNAL_ERROR:
                raise failed(exc.code, str(exc), detail=repr(exc.__cause__)) from None
            raise failed(
                ErrorCode.DATA_NOT_FOUND, "No result of yours is kept under this reference."
            ) from None
        return json_response(msgspec.Raw(await asyncio.to_thread(_encode, output)))

    async def _prepared(self, request: web.Request) -> Prepared:
        caller = await self.callers.caller(request.headers.get("Authorization"))
        body, written = await read_body(request)
        if caller.tenant_id is None:  # the development token: the tenant may also be named in a header
            caller = caller._replace(tenant_id=tenant_for(caller, body.tenant_id or _tenant_of(request)))
        return self.asking.prepare(caller, body, written, key_of(request, body))

    async def _beat(self, response: web.StreamResponse) -> None:
        """Comments at intervals, so that proxies keep the connection and a lost one is noticed."""
        with suppress(ConnectionError):
            while True:
                await asyncio.sleep(self.heartbeat_s)
                await response.write(b": still working\n\n")


def _tenant_of(request: web.Request) -> str | None:
    return request.headers.get(TENANT_HEADER)


def unknown_trace() -> Failed:
    return failed(
        ErrorCode.DATA_NOT_FOUND,
        "No answer and no question of yours is known under this trace.",
        suggestion="Ask with POST /ops/ask; answers are kept for a limited time.",
    )


def as_sse(number: int, event: ProgressEvent) -> bytes:
    """One server-sent event: its name, a number that counts from 1, and its JSON on one line."""
    return b"id: %d\n" % number + _sse(event.event, _encode(event))


def _sse(name: str, document: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), document)
