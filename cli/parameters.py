"""Options that many commands share, spelled once."""

from typing import Annotated

import typer

_PLACES = "Where things are"

Broker = Annotated[
    str | None,
    typer.Option(
        "--broker",
        metavar="HOST:PORT",
        help="Kafka broker; default: OPSLOOM_BROKER, a running `opsloom up`, 127.0.0.1:9092.",
        rich_help_panel=_PLACES,
    ),
]
ClickHouse = Annotated[
    str | None,
    typer.Option(
        "--clickhouse",
        metavar="URL",
        help="http://HOST:PORT; default: OPSLOOM_CLICKHOUSE_URL, or a running `opsloom up`.",
        rich_help_panel=_PLACES,
    ),
]
TopicPrefix = Annotated[
    str | None,
    typer.Option(
        "--topic-prefix",
        metavar="TEXT",
        help="Put before every topic and group.",
        rich_help_panel=_PLACES,
    ),
]
DataDir = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Data folder of the `opsloom up` to use; default ~/.local/share/opsloom.",
        rich_help_panel=_PLACES,
    ),
]
Pack = Annotated[
    list[str] | None,
    typer.Option("--pack", metavar="NAME|DIR", help="A pack's name or folder; may be given several times."),
]
Tenant = Annotated[str | None, typer.Option("--tenant", metavar="TENANT", help="Only this tenant.")]
Json = Annotated[bool, typer.Option("--json", help="JSON on standard output, and nothing else there.")]
Since = Annotated[
    str,
    typer.Option("--since", metavar="AGE", help="How far back: 90s, 30m, 1h, 2d, 1w; they add up: 1h30m."),
]
