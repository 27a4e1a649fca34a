"""`opsloom schemas`: the Avro schemas and the AsyncAPI document that derive from the words on the wire."""

import json
from pathlib import Path
from typing import Annotated

import typer

from cli import parameters

commands = typer.Typer(help="Schemas of the events: Avro, and AsyncAPI.", no_args_is_help=True)

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", file_okay=False, help="Folder of the schemas; default: those opsloom ships with."
    ),
]


@commands.command()
def export(folder: Folder = None, json_output: parameters.Json = False) -> None:
    """Write a new version of each schema whose event has changed; refuse what older events could not survive."""
    from cli.output import print_json
    from streams.schema_ids import avsc_folder
    from streams.schema_ids import export as write

    target = folder or avsc_folder()
    target.mkdir(parents=True, exist_ok=True)
    written = write(target)
    if json_output:
        print_json({"folder": str(target), "written": written})
    elif written:
        typer.echo("\n".join(f"wrote {name}" for name in written))
    else:
        typer.echo("Nothing to do: every schema is as its event says.")


@commands.command()
def check(folder: Folder = None, json_output: parameters.Json = False) -> None:
    """Compare the committed schemas with the events; exit 1 when one has drifted."""
    from cli.output import print_json
    from streams.schema_ids import FileIds, drift

    found = drift(FileIds.load(folder))
    if json_output:
        print_json({"ok": not found, "drift": found})
    elif found:
        typer.echo("\n".join(found))
        typer.echo("Write new versions with `opsloom schemas export`.", err=True)
    else:
        typer.echo("Every schema is as its event says.")
    if found:
        raise typer.Exit(1)


@commands.command()
def asyncapi(
    topic_prefix: parameters.TopicPrefix = None,
    broker: parameters.Broker = None,
    json_output: parameters.Json = False,
) -> None:
    """Print the AsyncAPI 3 document of the topics and their events: JSON, with --json on one line.

    Examples:

      opsloom schemas asyncapi > asyncapi.json
    """
    from cli.options import settings_of
    from cli.output import print_json
    from opsloom.version import __version__
    from streams.asyncapi import asyncapi_document
    from streams.topics import Topics

    settings = settings_of(topic_prefix=topic_prefix, broker=broker, discover=False)
    document = asyncapi_document(Topics.of(settings), __version__, settings.broker.partition(",")[0])
    if json_output:
        print_json(document)
    else:
        typer.echo(json.dumps(document, indent=2, ensure_ascii=False))
