"""`GET /healthz` and `GET /state` of a running `opsloom up`, on loopback."""

from collections.abc import Callable
from typing import Any

from aiohttp import web


async def serve_health(
    state: Callable[[], dict[str, Any]], gone: Callable[[], list[str]]
) -> tuple[str, web.AppRunner]:
    """Serve until the runner is cleaned up; gives its address `http://127.0.0.1:PORT`."""

    async def healthz(_request: web.Request) -> web.Response:
        found = gone()
        return web.json_response({"ok": not found, "not_running": found}, status=503 if found else 200)

    async def whole(_request: web.Request) -> web.Response:
        return web.json_response(state())

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/state", whole)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}", runner
