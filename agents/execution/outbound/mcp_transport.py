"""The MCP SDK's HTTP over the guarded client: every address judged, every byte counted, credentials kept at home."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import aiohttp
import httpx2

from agents.execution.guards.url.rules import UrlRules
from agents.execution.outbound.client import GuardedClient, Request, failure_of
from schemas.errors import OpsError

_OWN = frozenset(
    {"host", "accept-encoding", "connection", "content-length", "user-agent", "transfer-encoding"}
)
_CONNECT_S = 30.0


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Stands where the SDK's own way out would be. `failure` keeps what the guard or the network said last."""

    def __init__(
        self, client: GuardedClient, rules: UrlRules, headers: Mapping[str, str], max_bytes: int
    ) -> None:
        self._client = client
        self._rules = rules
        self._headers = headers
        self._max_bytes = max_bytes
        self.failure: OpsError | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request of the SDK, as the guarded client sends it."""
        own = {name: value for name, value in request.headers.items() if name.lower() not in _OWN}
        asked = Request(
            url=str(request.url),
            rules=self._rules,
            method=request.method,
            headers={**own, **self._headers, "Accept-Encoding": "identity"},
            body=await request.aread() or None,
            timeout_s=_CONNECT_S,
        )
        held = AsyncExitStack()
        try:
            opened = await held.enter_async_context(self._client.opened(asked))
        except (aiohttp.ClientError, OSError) as error:
            self.failure = failure_of(error)
            raise httpx2.ConnectError("not reached", request=request) from error
        if isinstance(opened, OpsError):
            await held.aclose()
            self.failure = opened
            raise httpx2.ConnectError("refused", request=request)
        response, _ = opened
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            await held.aclose()
            raise httpx2.RemoteProtocolError("an encoding nobody asked for", request=request)
        headers = [(name, value) for name, value in response.headers.items() if name.lower() != "location"]
        stream = _Body(response, held, self._max_bytes)
        return httpx2.Response(response.status, headers=headers, stream=stream, request=request)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse, held: AsyncExitStack, max_bytes: int) -> None:
        self._response = response
        self._held = held
        self._left = max_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                self._left -= len(chunk)
                if self._left < 0:
                    raise httpx2.ReadError("more bytes than allowed")
                yield chunk
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ReadError("the connection broke") from error

    async def aclose(self) -> None:
        await self._held.aclose()
