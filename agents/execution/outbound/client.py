"""The guarded HTTP client: what an address leads to, or an error as data. Used by every tool that calls out.

Redirects are followed by hand, at most five, each judged like a first address. Cookies are not kept, the
environment's proxies are not used, compressed bodies are opened only up to the cap.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from agents.execution.guards.url.guard import Target, parsed_url
from agents.execution.guards.url.hops import left_behind, method_after, next_hop
from agents.execution.guards.url.rules import REDIRECTS, UrlRules
from agents.execution.guards.verdict import Refuse
from agents.execution.outbound.bodies import BrokenBody, TooLarge, inflated
from agents.execution.outbound.dialling import (
    DialRefused,
    GuardedResolver,
    Resolver,
    SystemResolver,
    socket_maker,
)
from schemas.errors import ErrorCode, OpsError, ops_error

CONNECT_S = 5.0
MAX_BODY_BYTES = 10_000_000
_USER_AGENT = "opsloom"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `timeout_s` is for all of it: look-up, redirects and the whole body."""

    url: str
    rules: UrlRules
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_s: float = 30.0
    max_bytes: int = MAX_BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A whole reply: any status, lower-case header names, the body as it was before compression."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class GuardedClient:
    """Sessions by rules: a connection opened under one source's exceptions never serves another source."""

    def __init__(self, resolver: Resolver | None = None, tls: ssl.SSLContext | None = None) -> None:
        self._resolver = resolver or SystemResolver()
        self._tls = tls
        self._sessions: dict[UrlRules, aiohttp.ClientSession] = {}

    async def fetch(self, request: Request) -> Reply | OpsError:
        """The reply, whatever its status, or why there is none. Raises nothing a server can cause."""
        clock = asyncio.timeout(request.timeout_s)
        try:
            async with clock, self.opened(request) as opened:
                if isinstance(opened, OpsError):
                    return opened
                response, target = opened
                return Reply(
                    status=response.status,
                    headers=plain_headers(response),
                    body=await _body(response, request.max_bytes),
                    url=target.url,
                )
        except (aiohttp.ClientError, OSError, TooLarge, BrokenBody) as error:
            if clock.expired():
                return ops_error(ErrorCode.TOOL_TIMEOUT, "The service did not answer in time.")
            return failure_of(error)

    @asynccontextmanager
    async def opened(
        self, request: Request
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, Target] | OpsError]:
        """The last response of the hops, its body unread; closed behind the caller. What the network does wrong is
        raised, to be handed to `failure_of`."""
        target = parsed_url(request.url)
        refusal = target if isinstance(target, Refuse) else request.rules.judge(target)
        if refusal is not None:
            yield refused_error(refusal)
            return
        assert isinstance(target, Target)
        async with self._followed(request, target) as outcome:
            yield outcome

    async def close(self) -> None:
        """End all connections."""
        for session in self._sessions.values():
            await session.close()
        self._sessions.clear()

    @asynccontextmanager
    async def _followed(
        self, request: Request, target: Target
    ) -> AsyncIterator[tuple[aiohttp.ClientResponse, Target] | OpsError]:
        headers = {"User-Agent": _USER_AGENT, "Accept-Encoding": "gzip, deflate", **request.headers}
        method, body, hops = request.method, request.body, 0
        while True:
            response = await self._session(request.rules).request(
                method,
                URL(target.url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, connect=min(CONNECT_S, request.timeout_s)),
            )
            location = response.headers.get("Location")
            if response.status not in REDIRECTS or location is None:
                break
            response.close()
            following = next_hop(target, location, hops, request.rules)
            if isinstance(following, Refuse):
                yield refused_error(following)
                return
            dropped = left_behind(target, following, headers)
            headers = {name: value for name, value in headers.items() if name.lower() not in dropped}
            after = method_after(response.status, method)
            body = body if after == method else None
            if body is not None and following.origin != target.origin:
                yield _asked_elsewhere()
                return
            target, method, hops = following, after, hops + 1
        try:
            yield response, target
        finally:
            response.close()

    def _session(self, rules: UrlRules) -> aiohttp.ClientSession:
        session = self._sessions.get(rules)
        if session is None or session.closed:
            connector = aiohttp.TCPConnector(
                resolver=GuardedResolver(rules, self._resolver),
                use_dns_cache=False,
                socket_factory=socket_maker(rules),
                ssl=self._tls if self._tls is not None else True,
                limit=64,
                keepalive_timeout=15,
            )
            session = self._sessions[rules] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                max_line_size=8_190,
                max_field_size=16_384,
            )
        return session


def plain_headers(response: aiohttp.ClientResponse) -> dict[str, str]:
    """The headers under lower-case names; of several alike all, joined by commas."""
    joined: dict[str, str] = {}
    for name, value in response.headers.items():
        key = name.lower()
        joined[key] = f"{joined[key]}, {value}" if key in joined else value
    return joined


def refused_error(refusal: Refuse) -> OpsError:
    """A refusal of the guard as an error."""
    return ops_error(refusal.code, refusal.reason, detail=refusal.detail, suggestion=refusal.suggestion)


def failure_of(error: BaseException) -> OpsError:
    """What went wrong on the way, by code."""
    for cause in (error, error.__cause__, getattr(error, "os_error", None)):
        if isinstance(cause, DialRefused):
            return refused_error(cause.refusal)
    detail = f"{type(error).__name__}: {error}"[:500]
    if isinstance(error, TooLarge):
        return ops_error(ErrorCode.MAX_ROWS_EXCEEDED, "The service's reply is larger than allowed.")
    if isinstance(error, BrokenBody):
        return ops_error(ErrorCode.TOOL_BAD_REQUEST, "The service's reply could not be read.", detail=detail)
    if isinstance(error, aiohttp.ServerTimeoutError | TimeoutError):
        return ops_error(
            ErrorCode.UPSTREAM_UNAVAILABLE, "The service could not be reached in time.", detail=detail
        )
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionResetError):
        message = "The service ended the connection before its reply was whole."
        return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, message, detail=detail)
    if isinstance(error, aiohttp.ClientResponseError):
        return ops_error(ErrorCode.TOOL_BAD_REQUEST, "The service's reply is not proper HTTP.", detail=detail)
    return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, "The service could not be reached.", detail=detail)


def _asked_elsewhere() -> OpsError:
    message = "The service sends what was written to it elsewhere."
    return ops_error(ErrorCode.POLICY_DENY, message, detail="a redirect of a body to another origin")


async def _body(response: aiohttp.ClientResponse, max_bytes: int) -> bytes:
    declared = response.content_length
    encoding = response.headers.get("Content-Encoding", "")
    if response.method == "HEAD" or response.status in (204, 304):
        return b""
    return await inflated(response.content.iter_chunked(64 * 1024), encoding, declared, max_bytes)
