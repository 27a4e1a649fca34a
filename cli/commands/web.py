"""`opsloom web`: the HTTP interface."""

import asyncio
import json
import os
import sys
from typing import Annotated

import typer

from cli import parameters


def web(
    host: Annotated[str, typer.Option(help="Address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0: one that is free.")] = 8080,
    broker: parameters.Broker = None,
    clickhouse: parameters.ClickHouse = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Say that it is ready as one JSON line.")
    ] = False,
) -> None:
    """Take questions over HTTP until Ctrl-C. Start as many as you like behind a balancer.

    Who may ask is said by OPSLOOM_WEB_JWT_SECRET or OPSLOOM_WEB_JWKS_URL; docs/http.md tells all of it.

    Examples:

      OPSLOOM_WEB_JWT_SECRET=env:SECRET opsloom web --port 8080
    """
    from cli.options import settings_of
    from cli.render.errors import fail
    from streams.worker import stop_on_signals
    from web.serve import serve

    settings = settings_of(broker=broker, clickhouse_url=clickhouse, topic_prefix=topic_prefix, data_dir=data)

    def ready(url: str) -> None:
        line = {"ready": True, "pid": os.getpid(), "url": url}
        typer.echo(json.dumps(line) if json_output else f"Ready at {url}. Stop with Ctrl-C.")
        sys.stdout.flush()

    async def run() -> None:
        stop = asyncio.Event()
        stop_on_signals(stop)
        await serve(settings, host, port, stop, ready)

    try:
        asyncio.run(run())
    except OSError as exc:
        fail(
            f"Can't listen at {host}:{port}: {exc.strerror or exc}.",
            "Is something else there? Choose another with --port.",
        )
