"""What machines look at: is it alive, is it ready, its figures, what it speaks."""

import time
from typing import Any

import msgspec
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from opsloom.connection import Connection
from opsloom.errors import NotReachable
from schemas.errors import ErrorCode
from web.failures import failed, json_response, retry_later
from web.words import Health

PROBE_TIMEOUT_S = 2.0
PROBE_KEPT_S = 1.0


class Looking:
    """Open to everybody who reaches the port: nothing here belongs to a tenant."""

    def __init__(self, connection: Connection, registry: CollectorRegistry, openapi: dict[str, Any]) -> None:
        self._connection = connection
        self._registry = registry
        self._openapi = msgspec.json.encode(openapi)
        self._ready_until = 0.0

    async def healthz(self, _request: web.Request) -> web.Response:
        """`GET /healthz`: the process answers."""
        return json_response(Health(ok=True))

    async def readyz(self, _request: web.Request) -> web.Response:
        """`GET /readyz`: the broker answers too."""
        if time.monotonic() > self._ready_until:
            try:
                await self._connection.probe(PROBE_TIMEOUT_S)
            except NotReachable as exc:
                raise retry_later(
                    failed(ErrorCode.UPSTREAM_UNAVAILABLE, "Not ready: the road is away.", detail=exc.reason),
                    1,
                ) from None
            self._ready_until = time.monotonic() + PROBE_KEPT_S
        return json_response(Health(ok=True))

    async def metrics(self, _request: web.Request) -> web.Response:
        """`GET /metrics`, for Prometheus."""
        return web.Response(
            body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    async def openapi(self, _request: web.Request) -> web.Response:
        """`GET /openapi.json`"""
        return web.Response(body=self._openapi, content_type="application/json")
