"""`opsloom tools`: make tool assets out of what services say of themselves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import parameters

if TYPE_CHECKING:
    from cli.importing.imported import Imported

commands = typer.Typer(
    help="Write tools for a pack out of OpenAPI documents and MCP servers.", no_args_is_help=True
)

PackDir = Annotated[
    Path, typer.Option("--pack", metavar="DIR", help="The pack's folder; made if it is not there.")
]
SourceId = Annotated[str | None, typer.Option("--source", metavar="ID", help="Id of the source to write.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write files anew that are there already.")]
Internal = Annotated[bool, typer.Option("--internal", help="The service may lie inside the own network.")]
Credential = Annotated[
    str | None, typer.Option("--credential", metavar="REF", help="env:NAME, file:PATH or vault:PATH#KEY.")
]


@commands.command("import-openapi")
def import_openapi(
    document: Annotated[str, typer.Argument(metavar="FILE|URL", help="An OpenAPI 3 document, JSON or YAML.")],
    pack: PackDir,
    source: SourceId = None,
    only: Annotated[
        list[str] | None, typer.Option(help="A tag or an operation; may be given several times.")
    ] = None,
    server: Annotated[str | None, typer.Option(metavar="URL", help="Where the service is.")] = None,
    allow_writes: Annotated[
        bool, typer.Option("--allow-writes", help="Also POST, PUT, PATCH and DELETE.")
    ] = False,
    credential: Credential = None,
    internal: Internal = False,
    replace: Replace = False,
    json_output: parameters.Json = False,
) -> None:
    """Write one http_tool for each operation that reads, their source, and questions for those without parameters."""
    from cli.importing.imported import slug, write
    from cli.importing.openapi import checked, imported_from
    from cli.importing.reading import read_document

    content, base = read_document(document, internal=internal)
    sound = checked(content)
    name = source or slug(str((sound.get("info") or {}).get("title") or "service"))
    made = imported_from(sound, name, server=server or base, only=only or (), allow_writes=allow_writes)
    _settle(made, credential, internal)
    paths = write(made, pack, replace=replace)
    _report(made, paths, json_output)


@commands.command("import-mcp")
def import_mcp(
    pack: PackDir,
    url: Annotated[str | None, typer.Option(metavar="URL", help="A server over streamable HTTP.")] = None,
    command: Annotated[str | None, typer.Option(metavar="WORDS", help="A server over stdio.")] = None,
    source: SourceId = None,
    only: Annotated[list[str] | None, typer.Option(help="A tool's name; may be given several times.")] = None,
    role: Annotated[
        str, typer.Option(envvar="OPSLOOM_ROLE", help="Your role; only admin may do this.")
    ] = "viewer",
    publish: Annotated[
        bool, typer.Option("--publish", help="Write published tools instead of drafts.")
    ] = False,
    credential: Credential = None,
    internal: Internal = False,
    replace: Replace = False,
    json_output: parameters.Json = False,
) -> None:
    """Ask a server which tools it has, and write an mcp_tool for each."""
    import asyncio
    import shlex

    from cli.importing.imported import ImportFailed, write
    from cli.importing.mcp import discovered, imported_from
    from registry.assets import SourceAsset

    if (url is None) == (command is None):
        raise ImportFailed("One server is needed.", "Give either --url or --command.", 2)
    outbound: dict[str, Any] = {"command": shlex.split(command)} if command else {"mode": "allowlist"}
    asset = {"id": source or "mcp", "engine": "mcp", "location": url or "stdio:", "outbound": outbound}
    if internal:
        outbound["internal"] = True
    if credential:
        outbound["credential"] = {"secret": credential}
    offered = asyncio.run(discovered(SourceAsset.model_validate(asset), (role,)))
    made = imported_from(asset, offered, only or (), publish=publish)
    _report(made, write(made, pack, replace=replace), json_output)


def _settle(made: "Imported", credential: str | None, internal: bool) -> None:
    if internal:
        made.source["outbound"]["internal"] = True
    if credential:
        made.source["outbound"].setdefault("credential", {})["secret"] = credential
        made.notes.clear()


def _report(made: "Imported", paths: list[Path], json_output: bool) -> None:
    from cli.output import print_json

    if json_output:
        report = {
            "source": made.source["id"],
            "tools": [tool["id"] for tool in made.tools],
            "templates": [template["id"] for template in made.templates],
            "skipped": [{"operation": name, "reason": reason} for name, reason in made.skipped],
            "notes": made.notes,
            "files": [str(path) for path in paths],
        }
        print_json(report)
        return
    typer.echo(f"Source {made.source['id']} at {made.source['location']}")
    for tool in made.tools:
        typer.echo(f"  + {tool['id']}  {tool['description'][:80]}")
    for name, reason in made.skipped:
        typer.echo(f"  - {name}: {reason}")
    typer.echo(f"{len(made.tools)} tools, {len(made.templates)} questions, {len(made.skipped)} left out.")
    for note in made.notes:
        typer.echo(f"Note: {note}")
    for path in paths:
        typer.echo(f"Wrote {path}")
