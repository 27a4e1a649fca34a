"""`opsloom plant`: make the sample world again, larger, older or in another store."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from cli import parameters

if TYPE_CHECKING:
    from packs.plant.world.world import World

commands = typer.Typer(help="The plant: a sample world with two tenants.", no_args_is_help=True)

Store = Literal["sqlite", "postgres", "clickhouse"]


class PlantError(Exception):
    """The plant could not be made: `reason` says why, `hint` what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


@commands.callback()
def _root() -> None:
    pass


@commands.command()
def make(
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes another world.")] = 7,
    size: Annotated[str, typer.Option(metavar="SIZE", help="How large, in SQLite: 36MB to 20GB.")] = "36MB",
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="The day after its last full one; default: today, UTC."),
    ] = None,
    into: Annotated[Store, typer.Option(help="Load the tables there too.")] = "sqlite",
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Where it lies; default: where the pack `plant` looks.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="For postgres: postgresql://…, or env:NAME or file:PATH that holds it; for clickhouse: http://…",
        ),
    ] = None,
    database: Annotated[
        str,
        typer.Option(metavar="NAME", help="Schema in PostgreSQL, database in ClickHouse; it is replaced."),
    ] = "plant",
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Make the plant: the same seed, size and date give the same values.

    It replaces what lies in the folder: plant.db (SQLite), documents.db, graph, and documents/ to read. A plant made
    so stays as it is; one that `opsloom up` made by itself is made anew every day.

    Examples:

      opsloom plant make --size 100MB

      opsloom plant make --as-of 2026-11-21 --seed 11 --out /tmp/world

      opsloom plant make --into postgres --url env:PLANT_URL
    """
    from cli.options import settings_of
    from cli.output import print_json, waiting
    from packs.plant.making import FOLDER, make_plant

    spec = _spec(seed, size, as_of)
    settings = settings_of(data_dir=data)
    folder = Path(out).expanduser() if out else settings.data_dir / FOLDER
    with waiting("Making the plant …") as say:
        made = make_plant(folder, spec, say=say)
        if into != "sqlite":
            from packs.plant.world.world import World

            say(f"loading it into {into}")
            _load(World(spec), into, url, database, settings)
    if json_output:
        print_json(
            {
                "folder": str(folder),
                "into": into,
                "seed": spec.seed,
                "as_of": spec.as_of.isoformat(),
                "size_bytes": (folder / "plant.db").stat().st_size,
                "took_s": made.took_s,
                "rows": made.rows,
            }
        )
        return
    size_mb = (folder / "plant.db").stat().st_size / 1e6
    typer.echo(
        f"{folder}: {size_mb:.0f} MB, {sum(made.rows.values()):,} rows in {made.took_s:.1f} s, as of {spec.as_of}."
    )


def _spec(seed: int, size: str, as_of: str | None) -> Any:
    from cli.render.errors import EXIT_USAGE, fail
    from packs.plant.world.spec import PlantSpec, size_of

    try:
        day = date.fromisoformat(as_of) if as_of else datetime.now(UTC).date()
    except ValueError:
        fail(f"{as_of!r} is not a date.", "Write it as 2026-11-21.", EXIT_USAGE)
    try:
        return PlantSpec(day, seed, size_of(size))
    except ValueError as wrong:
        fail(str(wrong), "For example: --size 100MB", EXIT_USAGE)


def _load(world: "World", into: Store, url: str | None, database: str, settings: Any) -> None:
    import re

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", database):
        raise PlantError(f"{database!r} is no name for a database.", "Use letters, digits and underscores.")
    if into == "postgres":
        _load_postgres(world, url, database)
        return
    from cli.stores import clickhouse
    from packs.plant.load.clickhouse import write_clickhouse

    if url is not None:
        settings = settings.model_copy(update={"clickhouse_url": _resolved(url)})
    with clickhouse(settings, "writer") as client:
        write_clickhouse(client, database, world.tables())


def _load_postgres(world: "World", url: str | None, database: str) -> None:
    import asyncio

    from packs.plant.load.postgres import write_postgres

    if url is None:
        raise PlantError("No PostgreSQL is named.", "Give --url env:NAME, where NAME holds postgresql://…")
    try:
        asyncio.run(write_postgres(_resolved(url), database, world.tables()))
    except ModuleNotFoundError:
        hint = 'Install it: pip install "opsloom[postgres]"'
        raise PlantError("PostgreSQL needs the extra postgres.", hint) from None
    except OSError as error:
        raise PlantError(
            f"PostgreSQL does not answer: {error}.", "Is the address right, and is it up?"
        ) from None
    except Exception as error:  # border: what the server says is for the one who loads
        if not type(error).__module__.startswith("asyncpg"):
            raise
        raise PlantError(
            f"PostgreSQL refused: {error}.", "Check the address, the user and its rights."
        ) from None


def _resolved(url: str) -> str:
    from streams.secrets import resolve_secret

    return resolve_secret(url) if url.startswith(("env:", "file:")) else url
