"""`opsloom assets`: what exists, who changed it when and why, and changing it while workers run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import parameters

if TYPE_CHECKING:
    from cli.asset_log import AssetLog, Author

commands = typer.Typer(
    help="Look at tools, sources, policies and templates, and change them while workers run.",
    no_args_is_help=True,
)

Name = Annotated[str, typer.Argument(metavar="[KIND/]ID", help="An asset; the kind only where ids meet.")]
Kind = Annotated[str | None, typer.Option("--kind", metavar="KIND", help="tool, source, policy, template, …")]
By = Annotated[str, typer.Option("--author", envvar="OPSLOOM_AUTHOR", help="Who makes the change.")]
Role = Annotated[str, typer.Option("--role", envvar="OPSLOOM_ROLE", help="In which role: admin, manager, …")]
Why = Annotated[str, typer.Option("--reason", help="Why; it stays in the log.")]
Version = Annotated[int | None, typer.Option("--version", metavar="N", min=1, help="This version.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check it, and publish nothing.")]


@commands.command("list")
def list_assets(
    kind: Kind = None,
    everything: Annotated[bool, typer.Option("--all", help="Drafts and deleted ones too.")] = False,
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """List assets as workers see them: the packs' and, over them, the log's."""
    from cli.output import print_json

    log = _read(pack, broker, topic_prefix, data)
    rows = [row for row in _rows(log) if kind in (None, row["kind"])]
    rows = [row for row in rows if everything or row["status"] == "published"]
    if json_output:
        for row in rows:
            print_json(row)
        return
    _draw(("kind", "id", "version", "status", "pack", "changed by"), rows)


@commands.command()
def show(
    name: Name,
    version: Version = None,
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Show one asset in full, as it is or as it was in a version."""
    from cli.asset_log import AssetError, plain
    from cli.output import print_json
    from registry.changes import body_of, entry_for

    log = _read(pack, broker, topic_prefix, data)
    kind, asset_id = log.place(name)
    if version is None:
        entry = entry_for(log.registry, kind, asset_id)
        if entry is None:
            raise AssetError(f"{name} is a draft and was never published.", "Name its --version.")
        document = {
            "kind": kind,
            "asset_id": asset_id,
            "version": entry.asset.version,
            "status": entry.asset.status,
            "pack_id": entry.pack_id,
            "body": body_of(entry.asset),
        }
    else:
        said = [each for each in log.history(kind, asset_id) if each.version == version]
        if not said:
            raise AssetError(
                f"The log has no version {version} of {name}.", f"`opsloom assets history {name}` lists them."
            )
        document = plain(said[-1])
    if json_output:
        print_json(document)
    else:
        _say_yaml(document)


@commands.command()
def history(
    name: Name,
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Who changed an asset, when and why, oldest first."""
    from cli.asset_log import plain
    from cli.output import print_json

    log = _read(pack, broker, topic_prefix, data)
    kind, asset_id = log.place(name)
    refused = {id(change): reason for change, reason in log.refused}
    rows = [
        {**plain(change), "refused": refused.get(id(change), "")} for change in log.history(kind, asset_id)
    ]
    if json_output:
        for row in rows:
            print_json(row)
        return
    shown = [
        {
            "version": row["version"],
            "status": "refused" if row["refused"] else row["status"],
            "when": str(row["changed_at"])[:19],
            "who": f"{row['changed_by']} ({row['changed_by_role'] or '-'})",
            "why": row["refused"] or row["reason"],
        }
        for row in rows
    ]
    _draw(("version", "status", "when", "who", "why"), shown)
    if not rows:
        typer.echo("It is as its pack has it; nobody changed it.", err=True)


@commands.command()
def publish(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="YAML: one asset, or a list of them.")
    ],
    author: By,
    role: Role,
    reason: Why,
    kind: Kind = None,
    into: Annotated[
        str, typer.Option("--into", metavar="PACK", help="The pack a new asset joins; default: none.")
    ] = "",
    draft: Annotated[bool, typer.Option("--draft", help="Keep it as a draft, which takes no part.")] = False,
    dry_run: DryRun = False,
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Publish assets as new versions; running workers take them at once.

    The kind is that of --kind, or of the folder the file lies in, as in a pack: tools/, policies/, templates/, …
    Without `version:` the next one is taken.

    Example:  opsloom assets publish policies/sql.yaml --author ann --role admin --reason "month end"
    """
    from cli.asset_files import assets_in

    log = _read(pack, broker, topic_prefix, data)
    by = _author(author, role, reason)
    status = "draft" if draft else "published"
    changes = [
        log.change(each.kind, each.asset_id, status, each.body, by, version=each.version, pack_id=into)
        for each in assets_in(file, kind)
    ]
    _publish(log, changes, dry_run, json_output)


@commands.command()
def delete(
    name: Name,
    author: By,
    role: Role,
    reason: Why,
    dry_run: DryRun = False,
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Hide an asset from all workers. Nothing is lost: `restore` brings it back."""
    log = _read(pack, broker, topic_prefix, data)
    kind, asset_id = log.place(name)
    change = log.change(kind, asset_id, "deleted", {}, _author(author, role, reason))
    _publish(log, [change], dry_run, json_output)


@commands.command()
def restore(
    name: Name,
    author: By,
    role: Role,
    reason: Why,
    version: Version = None,
    dry_run: DryRun = False,
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Publish again what an asset last said, or what it said in a version."""
    log = _read(pack, broker, topic_prefix, data)
    kind, asset_id = log.place(name)
    body = log.restored_body(kind, asset_id, version)
    change = log.change(kind, asset_id, "published", body, _author(author, role, reason))
    _publish(log, [change], dry_run, json_output)


def _read(
    pack: list[str] | None, broker: str | None, topic_prefix: str | None, data: str | None
) -> "AssetLog":
    import asyncio

    from cli.asset_log import AssetLog
    from cli.options import settings_of
    from cli.output import waiting

    settings = settings_of(
        packs=tuple(pack) if pack else None, broker=broker, topic_prefix=topic_prefix, data_dir=data
    )
    with waiting("Reading assets …"):
        log = AssetLog(settings)
        asyncio.run(log.read())
    return log


def _author(name: str, role: str, reason: str) -> "Author":
    from cli.asset_log import AssetError, Author

    if not name.strip() or not reason.strip():
        raise AssetError("A change has an author and a reason.", "Give --author and --reason.", 2)
    return Author(name.strip(), role.strip(), reason.strip())


def _publish(log: "AssetLog", changes: list[Any], dry_run: bool, json_output: bool) -> None:
    import asyncio

    from cli.asset_log import plain
    from cli.output import print_json

    for change in changes:
        if not dry_run:
            asyncio.run(log.publish(change))
        if json_output:
            print_json(plain(change))
        else:
            done = "would be" if dry_run else "is"
            typer.echo(f"{change.kind} {change.asset_id} version {change.version} {done} {change.status}.")


def _rows(log: "AssetLog") -> list[dict[str, Any]]:
    from registry.changes import kind_of

    newest: dict[tuple[str, str, int], Any] = {
        (each.kind, each.asset_id, each.version): each for each in log.changes
    }
    rows = []
    for entry in log.registry.entries:
        kind = kind_of(entry.asset)
        change = newest.get((kind, entry.asset.id, entry.asset.version))
        rows.append(
            _row(kind, entry.asset.id, entry.asset.version, entry.asset.status, entry.pack_id, change)
        )
    rows += [
        _row(change.kind, change.asset_id, change.version, "draft", change.pack_id, change)
        for change in newest.values()
        if change.status == "draft"
    ]
    return sorted(rows, key=lambda row: (row["kind"], row["id"], row["version"]))


def _row(kind: str, asset_id: str, version: int, status: str, pack_id: str, change: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "id": asset_id,
        "version": version,
        "status": status,
        "pack": pack_id or "-",
        "changed by": change.changed_by if change is not None else "-",
    }


def _draw(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from cli.output import show

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    if rows:
        show(table)


def _say_yaml(document: dict[str, Any]) -> None:
    import yaml

    typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True).rstrip())
