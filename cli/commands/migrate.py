"""`opsloom migrate`: bring ClickHouse's tables up to date."""

from typing import Annotated

import typer

from cli import parameters


def migrate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and change nothing.")
    ] = False,
    pack: parameters.Pack = None,
    clickhouse: parameters.ClickHouse = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Apply the numbered SQL files that ClickHouse has not seen yet: opsloom's own, then the packs'.

    May be run at any time and any number of times; what is applied stays as it is.
    """
    from cli.options import settings_of
    from cli.output import print_json, waiting
    from cli.packs import load_packs
    from cli.stores import clickhouse as connected
    from sinks.migrate import migrate as apply

    settings = settings_of(clickhouse_url=clickhouse, data_dir=data, packs=tuple(pack) if pack else None)
    folders = [each.folder / "clickhouse" for each in load_packs(settings)]
    present = [folder for folder in folders if folder.is_dir()]
    with waiting("Migrating …"), connected(settings, "writer") as client:
        done = apply(client, settings.clickhouse_database, folders=present, dry_run=dry_run)
    if json_output:
        print_json([{"migration": each.migration.label, "outcome": each.outcome} for each in done])
        return
    for each in done:
        typer.echo(f"{each.outcome:<11} {each.migration.label}")
