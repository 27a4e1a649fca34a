"""Sessions with MCP servers: one per source and tenant, kept while it is used, so that no server mixes tenants."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from agents.execution.outbound.client import GuardedClient
from agents.execution.outbound.mcp_transport import GuardedTransport
from agents.execution.outbound.sources import headers_of, rules_of, spec_of
from registry.assets import SourceAsset
from schemas.errors import ErrorCode, OpsError, ops_error
from streams.secrets import SecretError, resolved_secret

STDIO = "stdio:"
_IDLE_S = 60.0
_MOST = 64
_ENDING_S = 5.0
_READ_S = 600.0


class SessionFailed(Exception):
    """No session could be had; `error` says why."""

    def __init__(self, error: OpsError) -> None:
        super().__init__(error.message)
        self.error = error


class Session:
    """One connection, living in a task of its own. Calls may use it side by side."""

    def __init__(self, client: GuardedClient, source: SourceAsset) -> None:
        self._source = source
        self._http = client
        self._stop = asyncio.Event()
        self._ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self._transport: GuardedTransport | None = None
        self.used = 0
        self._life = asyncio.create_task(self._live())

    @property
    def ended(self) -> bool:
        """Is the connection gone?"""
        return self._life.done() or self._stop.is_set()

    @property
    def failure(self) -> OpsError | None:
        """What the guard or the network said last."""
        return self._transport.failure if self._transport is not None else None

    async def client(self) -> Client:
        """The SDK's client, connected. Raises `SessionFailed`."""
        await asyncio.wait({self._ready})
        return self._ready.result()

    async def end(self) -> None:
        """Close the connection; a program behind it ends too."""
        self._stop.set()
        _, pending = await asyncio.wait({self._life}, timeout=_ENDING_S)
        for life in pending:
            life.cancel()

    async def _live(self) -> None:
        try:
            async with self._opened() as client:
                self._ready.set_result(client)
                await self._stop.wait()
        except Exception as error:  # noqa: BLE001  # border: the SDK raises groups of anything when a server misbehaves
            self._failed(error)
        finally:
            if not self._ready.done():
                self._failed(None)

    def _failed(self, error: BaseException | None) -> None:
        if self._ready.done():
            return
        if isinstance(error, SessionFailed):
            self._ready.set_exception(error)
        else:
            away = ops_error(
                ErrorCode.UPSTREAM_UNAVAILABLE,
                "The tool's server could not be reached.",
                detail=f"{type(error).__name__}: {error}"[:500],
            )
            self._ready.set_exception(SessionFailed(self.failure or away))
        self._ready.exception()  # seen: nobody may be waiting any more

    @contextlib.asynccontextmanager
    async def _opened(self) -> AsyncIterator[Client]:
        source = self._source
        options: dict[str, Any] = {"read_timeout_seconds": _READ_S, "cache": None}
        if source.location.startswith(STDIO):
            with open(os.devnull, "w") as nowhere:  # noqa: ASYNC230  # opens at once
                program = await _program(source)
                async with Client(stdio_client(program, errlog=nowhere), **options) as client:
                    yield client
            return
        headers = await headers_of(source)
        if isinstance(headers, OpsError):
            raise SessionFailed(headers)
        spec = spec_of(source)
        self._transport = GuardedTransport(self._http, rules_of(source), headers, spec.max_bytes)
        async with httpx2.AsyncClient(transport=self._transport, trust_env=False, timeout=_READ_S) as http:
            way = streamable_http_client(source.location, http_client=http)
            async with Client(way, **options) as client:
                yield client


async def _program(source: SourceAsset) -> StdioServerParameters:
    spec = spec_of(source)
    if not spec.command:
        raise SessionFailed(ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=f"{source.id} names no command"))
    environment = {}
    for name, written in spec.environment.items():
        kind, _, text = written.partition(":")
        try:
            environment[name] = text if kind == "plain" else await resolved_secret(written)
        except SecretError as error:
            message = "The tool's credential could not be had."
            raise SessionFailed(ops_error(ErrorCode.AUTH_FAILED, message, detail=str(error))) from error
    return StdioServerParameters(command=spec.command[0], args=list(spec.command[1:]), env=environment)


class Sessions:
    """All sessions of one worker."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client
        self._held: dict[tuple[str, int, str], Session] = {}
        self._idle: dict[tuple[str, int, str], asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def using(self, source: SourceAsset, tenant_id: str) -> AsyncIterator[Session]:
        """The session of a source and tenant, opened if there is none."""
        key = (source.id, source.version, tenant_id)
        session = self._held.get(key)
        if session is None or session.ended:
            self._make_room()
            session = self._held[key] = Session(self._client, source)
        timer = self._idle.pop(key, None)
        if timer is not None:
            timer.cancel()
        session.used += 1
        try:
            yield session
        finally:
            session.used -= 1
            if session.used == 0 and self._held.get(key) is session:
                self._idle[key] = asyncio.get_running_loop().call_later(_IDLE_S, self._drop, key, session)

    def forget(self, session: Session) -> None:
        """This connection is not to be used again."""
        for key, held in list(self._held.items()):
            if held is session:
                self._drop(key, session)

    async def close(self) -> None:
        """End all sessions."""
        for key, session in list(self._held.items()):
            self._drop(key, session)
        if self._ending:
            await asyncio.wait(self._ending, timeout=_ENDING_S)

    def _make_room(self) -> None:
        for key, session in list(self._held.items()):
            if len(self._held) < _MOST:
                return
            if session.used == 0:
                self._drop(key, session)

    def _drop(self, key: tuple[str, int, str], session: Session) -> None:
        timer = self._idle.pop(key, None)
        if timer is not None:
            timer.cancel()
        if self._held.get(key) is session:
            del self._held[key]
        ending = asyncio.get_running_loop().create_task(session.end())
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
