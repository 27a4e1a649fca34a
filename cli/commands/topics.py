"""`opsloom topics`: create, list and check the road's topics."""

from typing import Annotated, Any

import typer

from cli import parameters

commands = typer.Typer(help="Create, list and check the road's topics on a cluster.", no_args_is_help=True)

Partitions = Annotated[
    int | None,
    typer.Option(min=1, max=1024, help="Partitions of the joined topics; must be the same for every worker."),
]


@commands.command()
def create(
    partitions: Partitions = None,
    replication_factor: Annotated[int | None, typer.Option(min=1, help="Copies of each partition.")] = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Create the topics that are missing; existing ones are compared and left as they are."""
    import asyncio

    from cli.options import settings_of
    from cli.output import print_json, waiting
    from streams.topic_admin import create_topics

    settings = settings_of(
        broker=broker,
        topic_prefix=topic_prefix,
        data_dir=data,
        partitions=partitions,
        replication_factor=replication_factor,
    )
    with waiting("Creating topics …"):
        created = asyncio.run(create_topics(settings))
    if json_output:
        print_json({"created": created})
    elif created:
        typer.echo("\n".join(f"created {name}" for name in created))
    else:
        typer.echo("Nothing to do: every topic is there.")


@commands.command("list")
def list_topics(
    partitions: Partitions = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """List the road's topics: what they carry, their key, and how they stand on the cluster."""
    rows = _rows(partitions, broker, topic_prefix, data)
    if json_output:
        from cli.output import print_json

        print_json(rows)
        return
    _draw(rows)


@commands.command()
def check(
    partitions: Partitions = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Compare the cluster's topics with what is declared; exit 1 when one is missing or differs."""
    rows = _rows(partitions, broker, topic_prefix, data)
    wrong = [row for row in rows if row["state"] != "ok"]
    if json_output:
        from cli.output import print_json

        print_json({"ok": not wrong, "topics": rows})
    elif wrong:
        typer.echo("\n".join(f"{row['name']}: {row['problem']}" for row in wrong))
        typer.echo("Create what is missing with `opsloom topics create`.", err=True)
    else:
        typer.echo(f"All {len(rows)} topics are as declared.")
    if wrong:
        raise typer.Exit(1)


def _rows(
    partitions: int | None, broker: str | None, topic_prefix: str | None, data: str | None
) -> list[dict[str, Any]]:
    """Each topic as declared, and how it stands."""
    import asyncio

    from cli.options import settings_of
    from cli.output import waiting
    from streams.topic_admin import check_topics
    from streams.topics import Topics

    settings = settings_of(broker=broker, topic_prefix=topic_prefix, data_dir=data, partitions=partitions)
    with waiting("Asking the broker …"):
        states = {state.name: state for state in asyncio.run(check_topics(settings))}
    return [
        {
            "name": spec.name,
            "events": [event.__name__ for event in spec.events],
            "key": spec.key,
            "partitions": spec.partitions,
            "cleanup": spec.cleanup,
            "retention_ms": spec.retention_ms if spec.cleanup == "delete" else None,
            "partitions_found": states[spec.name].partitions,
            "state": states[spec.name].state,
            "problem": states[spec.name].problem,
        }
        for spec in Topics.of(settings).all()
    ]


def _draw(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from cli.output import show

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for name in ("topic", "partitions", "kept", "state"):
        table.add_column(name, no_wrap=True)
    table.add_column("carries", overflow="fold")
    for row in rows:
        kept = "compacted" if row["retention_ms"] is None else f"{row['retention_ms'] // 86_400_000} d"
        state = Text(row["state"], style="green" if row["state"] == "ok" else "yellow")
        carries = ", ".join(row["events"])
        table.add_row(row["name"], str(row["partitions"]), kept, state, carries)
    show(table)
