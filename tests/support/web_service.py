"""A real HTTP service that behaves, and one that misbehaves, on a free port of the loopback."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiohttp import web

TICKETS = [{"id": n, "title": f"ticket {n}", "tags": ["a", "b"], "open": n % 2 == 0} for n in range(1, 26)]


class Service:
    """Where it listens, and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[dict[str, Any]] = []

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@asynccontextmanager
async def web_service() -> AsyncIterator[Service]:
    """Run the service for a while."""
    app = web.Application()
    service = Service("")
    for path, handler in _HANDLERS.items():
        app.router.add_route("*", path, handler)
    app[_SERVICE] = service
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    service.url = f"http://{host}:{port}"
    try:
        yield service
    finally:
        await runner.cleanup()


_SERVICE = web.AppKey("service", Service)


async def _seen(request: web.Request) -> None:
    request.app[_SERVICE].seen.append(
        {
            "method": request.method,
            "path": request.raw_path,
            "query": [*request.query.items()],
            "headers": dict(request.headers),
            "body": (await request.read()).decode(),
        }
    )


async def _tickets(request: web.Request) -> web.Response:
    await _seen(request)
    page, size = int(request.query.get("page", 1)), int(request.query.get("size", len(TICKETS)))
    found = TICKETS[(page - 1) * size : page * size]
    return web.json_response({"items": found, "meta": {"total": len(TICKETS)}})


async def _linked(request: web.Request) -> web.Response:
    await _seen(request)
    page = int(request.query.get("page", 1))
    answer = web.json_response(TICKETS[(page - 1) * 10 : page * 10])
    if page < 3:
        answer.headers["Link"] = f'</linked?page=1>; rel="first", </linked?page={page + 1}>; rel="next"'
    if request.query.get("away"):
        answer.headers["Link"] = '<http://169.254.169.254/latest>; rel="next"'
    return answer


async def _cursor(request: web.Request) -> web.Response:
    await _seen(request)
    at = int(request.query.get("cursor", 0))
    following = at + 10 if at + 10 < len(TICKETS) else None
    return web.json_response({"items": TICKETS[at : at + 10], "next": following})


async def _ticket(request: web.Request) -> web.Response:
    await _seen(request)
    wanted = request.match_info["id"]
    found = next((each for each in TICKETS if str(each["id"]) == wanted), None)
    return web.json_response(found) if found else web.json_response({"error": "no such row"}, status=404)


async def _echo(request: web.Request) -> web.Response:
    await _seen(request)
    return web.json_response(request.app[_SERVICE].seen[-1])


async def _html(request: web.Request) -> web.Response:
    return web.Response(text="<html><body>Please sign in</body></html>", content_type="text/html")


async def _status(request: web.Request) -> web.Response:
    await _seen(request)
    headers = {"Retry-After": request.query["wait"]} if "wait" in request.query else {}
    text = "connection to db.internal:5432 refused, password=hunter2"
    return web.Response(status=int(request.match_info["code"]), text=text, headers=headers)


async def _busy_once(request: web.Request) -> web.Response:
    await _seen(request)
    if len(request.app[_SERVICE].seen) == 1:
        return web.Response(status=429, headers={"Retry-After": "0"})
    return web.json_response([{"id": 1}])


async def _to(request: web.Request) -> web.Response:
    await _seen(request)
    raise web.HTTPFound(request.query["to"])


async def _slow(request: web.Request) -> web.Response:
    await asyncio.sleep(30)
    return web.Response()


async def _drip(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    for _ in range(600):
        await answer.write(b" ")
        await asyncio.sleep(0.05)
    return answer


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "application/json"})
    await answer.prepare(request)
    for _ in range(16_000):
        await answer.write(b"x" * 65_536)
    return answer


async def _gigabyte(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "1000000000"})
    await answer.prepare(request)
    await answer.write(b"x")
    await asyncio.sleep(30)
    return answer


async def _bomb(request: web.Request) -> web.Response:
    body = gzip.compress(b"0" * 30_000_000)
    return web.Response(body=body, headers={"Content-Encoding": "gzip", "Content-Type": "application/json"})


async def _reset(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _cut(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
    await answer.prepare(request)
    await answer.write(b'{"half": ')
    assert request.transport is not None
    request.transport.close()
    return answer


async def _text(request: web.Request) -> web.Response:
    return web.Response(text="all is well")


async def _prom(request: web.Request) -> web.Response:
    await _seen(request)
    found = [{"metric": {"__name__": "up", "tenant_id": "acme"}, "value": [1_700_000_000, "1"]}]
    return web.json_response({"status": "success", "data": {"resultType": "vector", "result": found}})


_HANDLERS = {
    "/prom/{tail:.*}": _prom,
    "/tickets": _tickets,
    "/tickets/{id}": _ticket,
    "/linked": _linked,
    "/cursor": _cursor,
    "/echo": _echo,
    "/echo/{tail:.*}": _echo,
    "/html": _html,
    "/status/{code}": _status,
    "/busy-once": _busy_once,
    "/to": _to,
    "/slow": _slow,
    "/drip": _drip,
    "/endless": _endless,
    "/gigabyte": _gigabyte,
    "/bomb": _bomb,
    "/reset": _reset,
    "/cut": _cut,
    "/text": _text,
}


@contextmanager
def web_service_in_thread() -> Iterator[Service]:
    """The same for tests that do not share a loop with it."""
    started: Future[tuple[Service, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with web_service() as service:
            ends = asyncio.Event()
            started.set_result((service, asyncio.get_running_loop(), ends))
            await ends.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    service, loop, ends = started.result(timeout=20)
    try:
        yield service
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join(10)
