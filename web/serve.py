"""Settings become a running HTTP interface."""

import asyncio
import gc
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiohttp import web

from opsloom.connection import Connection
from schemas.questions import MAX_EVENT_BYTES
from streams.claims import claim_store
from streams.secrets import resolve_secret
from streams.settings import Settings
from streams.topics import Topics
from web.asking import Asking
from web.border import cors, errors_and_figures
from web.callers import Callers, Keys, SharedSecret
from web.finding import Answers
from web.jwks import PublishedKeys
from web.looking import Looking
from web.metrics import Metrics
from web.openapi import openapi_document
from web.recent import RecentAnswers
from web.site import Site
from web.tool_health import ToolFigures, following

if TYPE_CHECKING:
    from web.stored import StoredAnswers

MIN_SECRET_BYTES = 32
STOP_S = 5.0
KEEPALIVE_S = 75.0
BACKLOG = 1_024
GC_THRESHOLDS = 20_000, 20, 100
"""A thousand open requests are many young objects that all live: the usual threshold of 700 looks at them in vain."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")

_log = logging.getLogger(__name__)


class WebSettingsError(Exception):
    """The settings do not make a safe interface."""

    exit_code = 2

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def callers_of(settings: Settings, clock: Callable[[], float]) -> Callers:
    """Who is let in. Raises WebSettingsError, SecretError."""
    secret = resolve_secret(settings.web_jwt_secret)
    token = resolve_secret(settings.web_dev_token)
    keys: Keys | None = None
    if secret and settings.web_jwks_url:
        raise WebSettingsError(
            "Tokens are checked by a secret or by published keys, not by both.",
            "Set OPSLOOM_WEB_JWT_SECRET or OPSLOOM_WEB_JWKS_URL.",
        )
    if secret:
        if len(secret.encode()) < MIN_SECRET_BYTES:
            raise WebSettingsError(
                f"The secret of the tokens is shorter than {MIN_SECRET_BYTES} bytes.",
                "Make one: openssl rand -hex 32.",
            )
        keys = SharedSecret(secret)
    elif settings.web_jwks_url:
        keys = _published(settings)
    if token and settings.environment != "development":
        raise WebSettingsError(
            "A development token is set, and this is not development.",
            "Take OPSLOOM_WEB_DEV_TOKEN away, or set OPSLOOM_ENVIRONMENT=development.",
        )
    if token:
        _log.warning(
            "A DEVELOPMENT TOKEN IS ON: who has it may ask for any tenant. Never do this in production."
        )
    if keys is None and not token:
        raise WebSettingsError(
            "Nobody could be let in: there is neither a key for tokens nor a development token.",
            "Set OPSLOOM_WEB_JWT_SECRET=env:NAME or OPSLOOM_WEB_JWKS_URL; docs/http.md tells more.",
        )
    return Callers(
        keys,
        audience=settings.web_jwt_audience,
        issuer=settings.web_jwt_issuer,
        development_token=token,
        clock=clock,
    )


def _published(settings: Settings) -> PublishedKeys:
    url = settings.web_jwks_url or ""
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise WebSettingsError(
            "The address of the published keys must begin with https://.", "Correct OPSLOOM_WEB_JWKS_URL."
        )
    return PublishedKeys(url, time.monotonic)


def _stored(settings: Settings) -> "StoredAnswers | None":
    if settings.clickhouse_url is None:
        return None
    from web.stored import StoredAnswers  # a driver that is not needed without ClickHouse

    return StoredAnswers(settings)


async def make_app(settings: Settings, clock: Callable[[], float] = time.time) -> web.Application:
    """A connected application; its cleanup disconnects. Raises WebSettingsError, NotReachable, SecretError."""
    callers = callers_of(settings, clock)
    recent = RecentAnswers(clock())
    connection = Connection(
        settings.broker,
        Topics.of(settings),
        written=settings.codec,
        schema_registry_url=settings.schema_registry_url,
        on_answer=recent.take,
    )
    await connection.start()
    stored = _stored(settings)
    answers = Answers(connection, recent, stored, clock)
    asking = Asking(connection, answers, at_once=settings.web_max_asks, clock=clock)
    metrics = Metrics(lambda: asking.open, lambda: connection.waiting.count + connection.watching.count)
    site = Site(callers, asking, answers, metrics, clock, claim_store(settings))
    looking = Looking(connection, metrics.registry, openapi_document())
    preflights, mark = cors(frozenset(settings.web_cors_origins))
    app = web.Application(
        middlewares=[errors_and_figures(metrics), preflights], client_max_size=MAX_EVENT_BYTES
    )
    app.on_response_prepare.append(mark)
    app.add_routes(
        [
            web.post("/ops/ask", site.ask),
            web.post("/ops/ask/stream", site.stream),
            web.get("/ops/answers/{trace_id}", site.fetch),
            web.get("/ops/claims/{tenant_key}/{digest}", site.claim),
            web.get("/healthz", looking.healthz),
            web.get("/readyz", looking.readyz),
            web.get("/metrics", looking.metrics),
            web.get("/openapi.json", looking.openapi),
        ]
    )

    async def disconnect(_app: web.Application) -> None:
        await connection.stop()
        if stored is not None:
            await stored.close()

    app.on_cleanup.append(disconnect)
    tools = ToolFigures(metrics.registry)
    app.cleanup_ctx.append(following(settings.broker, connection.topics.tool_health, connection.codec, tools))
    return app


async def serve(
    settings: Settings, host: str, port: int, stop: asyncio.Event, on_ready: Callable[[str], None]
) -> None:
    """Serve until `stop` is set; `on_ready` is given the address. Raises what `make_app` raises, and OSError."""
    app = await make_app(settings)
    gc.set_threshold(*GC_THRESHOLDS)
    gc.freeze()  # what was imported and loaded stays: no collection need look at it again
    # A caller who hangs up ends his request, and with it everything it holds.
    runner = web.AppRunner(
        app,
        access_log=None,
        handler_cancellation=True,
        keepalive_timeout=KEEPALIVE_S,
        max_field_size=64 * 1024,
        shutdown_timeout=STOP_S,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
        bound = runner.addresses[0]
        shown = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        on_ready(f"http://{shown}:{bound[1]}")
        await stop.wait()
    finally:
        await runner.cleanup()
