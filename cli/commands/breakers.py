"""`opsloom breakers`: how the tools are doing, as the workers that run them say."""

from typing import Annotated, Any

import typer

from cli import parameters


def breakers(
    open_only: Annotated[
        bool, typer.Option("--open", help="Only tools whose breaker is not closed.")
    ] = False,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Show each tool's breaker, observed failure rate and times. With --json one line a tool.

    Exits with 3 when a breaker is open.
    """
    import asyncio
    import time

    from cli.options import settings_of
    from cli.output import print_json, waiting

    settings = settings_of(broker=broker, topic_prefix=topic_prefix, data_dir=data)
    with waiting("Reading tools' health …"):
        words = asyncio.run(_words(settings))
    words = [word for word in words if not open_only or word.breaker != "closed"]
    if json_output:
        for word in words:
            print_json(word)
    elif words:
        _draw(words, time.time())
    else:
        typer.echo("No tool has run a call yet." if not open_only else "Every breaker is closed.", err=True)
    if any(word.breaker == "open" for word in words):
        raise typer.Exit(3)


async def _words(settings: Any) -> list[Any]:
    import time

    from aiokafka.errors import KafkaError

    from cli.live import followed_health
    from cli.wiring import make_road
    from registry.health import HealthBoard
    from streams.topic_admin import RoadError

    board = HealthBoard(time.time)
    followed = followed_health(settings, await make_road(settings), board)
    try:
        await followed.catch_up()
    except (KafkaError, OSError) as exc:
        raise RoadError(
            f"No Kafka broker answers at {settings.broker}.",
            "Start one with `opsloom up`, or name yours with --broker HOST:PORT.",
        ) from exc
    finally:
        await followed.close()
    return list(board.all())


def _draw(words: list[Any], now: float) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from cli.output import show

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in ("tool", "breaker", "failures", "p50", "p95", "calls", "said", "worker"):
        table.add_column(column, no_wrap=True)
    colours = {"closed": "green", "half_open": "yellow", "open": "red"}
    for word in words:
        state = word.breaker.replace("_", "-")
        if word.breaker == "open":
            state += f" for {max(0.0, word.retry_at - now):.0f} s more"
        table.add_row(
            word.tool_id,
            Text(state, style=colours[word.breaker]),
            f"{word.failure_rate:.1%}",
            f"{word.p50_ms:.0f} ms",
            f"{word.p95_ms:.0f} ms",
            str(word.calls),
            f"{max(0.0, now - word.at):.0f} s ago",
            word.worker,
        )
    show(table)
