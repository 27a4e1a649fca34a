"""`opsloom up`: everything on this machine, in the foreground."""

import asyncio
import json
import sys
from typing import Annotated

import typer


def up(
    pack: Annotated[
        list[str] | None,
        typer.Option(help="A pack's name or folder; may be given several times. Default: host."),
    ] = None,
    broker: Annotated[str, typer.Option(help="`embedded`, or HOST:PORT of a Kafka broker.")] = "embedded",
    clickhouse: Annotated[
        str, typer.Option(help="`embedded`, or http://HOST:PORT of a ClickHouse.")
    ] = "embedded",
    data: Annotated[str | None, typer.Option(help="Where state is kept between runs.")] = None,
    topic_prefix: Annotated[str | None, typer.Option(help="Put before every topic and group.")] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Say that it is ready as one JSON line.")
    ] = False,
) -> None:
    """Start broker, ClickHouse and a worker here; stop all of it with Ctrl-C. State is kept.

    Then, in another terminal: opsloom ask "how much memory is free?"
    """
    from cli.options import settings_of
    from cli.user_errors import user_errors

    settings = settings_of(
        packs=tuple(pack) if pack else None,
        broker=None if broker == "embedded" else broker,
        clickhouse_url=None if clickhouse == "embedded" else clickhouse,
        data_dir=data,
        topic_prefix=topic_prefix,
        discover=False,
    )
    with user_errors():
        asyncio.run(_run(settings, broker == "embedded", clickhouse == "embedded", json_output))


async def _run(settings: object, embedded_broker: bool, embedded_clickhouse: bool, json_output: bool) -> None:
    from cli.health import serve_health
    from cli.supervise import Supervisor
    from streams.settings import Settings
    from streams.worker import stop_on_signals

    assert isinstance(settings, Settings)

    def say(text: str) -> None:
        print(f"opsloom: {text}", file=sys.stderr, flush=True)  # progress, not data

    stop = asyncio.Event()
    stop_on_signals(stop)
    supervisor = Supervisor(settings, embedded_broker, embedded_clickhouse, say)
    starting = asyncio.create_task(supervisor.start())
    stopping = asyncio.create_task(stop.wait())
    runner = None
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            starting.cancel()
            return
        starting.result()
        supervisor.http, runner = await serve_health(lambda: supervisor.state, supervisor.gone)
        supervisor.write_state()
        typer.echo(json.dumps(supervisor.state) if json_output else _in_words(supervisor.state))
        sys.stdout.flush()
        await stop.wait()
        say("stopping")
    finally:
        stopping.cancel()
        if runner is not None:
            await runner.cleanup()
        await supervisor.stop()


def _in_words(state: dict[str, object]) -> str:
    return (
        f"Ready. Kafka at {state['broker']}, ClickHouse at {state['clickhouse'] or '-'}, health at {state['http']}.\n"
        f"{_door(state)}"
        'Ask in another terminal: opsloom ask "how much memory is free?"   Stop with Ctrl-C.'
    )


def _door(state: dict[str, object]) -> str:
    """Where to ask over HTTP, and with which token."""
    if not state["web"]:
        return ""
    token = str(state["web_token"])
    return f"HTTP at {state['web']}{f', token in {token[5:]}' if token.startswith('file:') else ''}.\n"
