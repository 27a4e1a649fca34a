"""`opsloom guard`: written cases through the guards, without asking anything."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import parameters

if TYPE_CHECKING:
    from agents.execution.guards.verdict import Bounds

commands = typer.Typer(
    help="Try the guards: what would be let through, what refused and why.", no_args_is_help=True
)


class CaseKind(StrEnum):
    """What a file of cases is about."""

    SQL = "sql"
    URL = "url"
    CYPHER = "cypher"
    OPERATORS = "operators"
    SECRETS = "secrets"


class EngineName(StrEnum):
    """Stores that `run` can ask."""

    SQLITE = "sqlite"
    DUCKDB = "duckdb"


CatalogueFile = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="FILE", help="Tables, tenant column and row cap, as JSON."),
]
CasesFile = Annotated[Path, typer.Option("--file", metavar="FILE", help="One JSON case a line.")]
_SMALL = 400
"""So many cases are judged faster here than processes start."""
_CHUNK = 100


@commands.command()
def check(
    kind: Annotated[CaseKind, typer.Option(help="What the cases are about.")],
    file: CasesFile,
    catalog: CatalogueFile = None,
    processes: Annotated[int | None, typer.Option(min=1, max=64, help="Processes to judge in.")] = None,
) -> None:
    """Print one JSON line a case: decision, code, reason, suggestion, and what would run."""
    from agents.execution.guards.catalogue import read_catalogue

    catalogue = None if catalog is None else read_catalogue(catalog)
    for line in _judged(kind.value, file, catalogue, processes):
        typer.echo(line)


@commands.command()
def run(
    engine: Annotated[EngineName, typer.Option(help="The engine that opens the store.")],
    db: Annotated[Path, typer.Option(metavar="FILE", help="The store; it is only read.")],
    tenant: Annotated[str, typer.Option(help="For which tenant to ask.")],
    catalog: Annotated[Path, typer.Option("--catalog", metavar="FILE", help="Tables and tenant column.")],
    file: CasesFile,
    timeout_s: Annotated[float, typer.Option(min=0.05, max=60, help="Seconds a statement may take.")] = 5.0,
) -> None:
    """Run SQL cases through both walls, and print columns and rows, or the refusal, as one JSON line a case."""
    import orjson

    from agents.execution.guards.catalogue import read_catalogue
    from cli.trying import Trial

    trial = Trial(engine.value, db, tenant, read_catalogue(catalog), timeout_s)
    try:
        for line in _lines(file):
            typer.echo(orjson.dumps(trial.of(line), default=str).decode())
    finally:
        trial.close()


@commands.command()
def replay(
    policy: Annotated[Path, typer.Option("--policy", metavar="FILE", help="The changed policy, as YAML.")],
    since: parameters.Since = "24h",
    tenant: parameters.Tenant = None,
    clickhouse: parameters.ClickHouse = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    pack: parameters.Pack = None,
    json_output: parameters.Json = False,
) -> None:
    """Show what a changed policy would have done to the calls in ClickHouse.

    They go again, in order, through the same turnstile, timeouts and retries, under the policy they met and under the
    changed one. Nothing is asked and nothing is published.

    Example: opsloom guard replay --policy policy.sql.yaml --since 24h
    """
    import time

    from cli.durations import since_s
    from cli.options import settings_of
    from cli.output import print_json, show, waiting
    from cli.replay import NoReplay, changed_by, replayed
    from cli.replay_world import present_world
    from cli.stores import clickhouse as connected
    from sinks.queries.recorded_calls import recorded_calls

    window_s = since_s(since)
    settings = settings_of(
        clickhouse_url=clickhouse, broker=broker, topic_prefix=topic_prefix, data_dir=data, packs=pack
    )
    with waiting("Reading policies …"):
        world = present_world(settings)
    changed = changed_by(policy, world.registry)
    now = time.time()
    with waiting("Asking ClickHouse …"), connected(settings) as client:
        recorded = recorded_calls(client, window_s, now, tenant_id=tenant)
    with waiting("Replaying …"):
        report = replayed(changed, recorded, window_s, now, world.policies)
    if not report.calls:
        whose = f" of tenant {tenant}" if tenant else ""
        raise NoReplay(
            f"No call{whose} of the {len(changed.tools)} tools this policy limits was recorded in the last {since}.",
            "Look further back with --since.",
        )
    if world.note:
        typer.echo(world.note, err=True)
    if json_output:
        print_json(report)
        return
    from cli.render.replay import render_replay

    show(render_replay(report))


@commands.command("postgres-setup")
def postgres_setup(
    catalog: Annotated[Path, typer.Option("--catalog", metavar="FILE", help="Tables and tenant column.")],
    tenant: Annotated[list[str], typer.Option(help="A tenant; may be given several times.")],
    schema: Annotated[str, typer.Option(help="The schema the tables are in.")] = "public",
) -> None:
    """Print the SQL that gives each tenant a role which can read its own rows and nothing else."""
    from agents.execution.guards.catalogue import read_catalogue
    from agents.execution.tools.engines.roles import postgres_roles

    typer.echo(postgres_roles(read_catalogue(catalog), tenant, schema))


@commands.command("mysql-setup")
def mysql_setup(
    catalog: Annotated[Path, typer.Option("--catalog", metavar="FILE", help="Tables and tenant column.")],
    tenant: Annotated[list[str], typer.Option(help="A tenant; may be given several times.")],
    database: Annotated[str, typer.Option(help="The database the tables are in.")],
) -> None:
    """Print the SQL that gives each tenant a database of views of its own rows, and a user that reads only it."""
    from agents.execution.guards.catalogue import read_catalogue
    from agents.execution.tools.engines.roles import mysql_roles

    typer.echo(mysql_roles(read_catalogue(catalog), tenant, database))


@commands.command("clickhouse-setup")
def clickhouse_setup(
    catalog: Annotated[Path, typer.Option("--catalog", metavar="FILE", help="Tables and tenant column.")],
    tenant: Annotated[list[str], typer.Option(help="A tenant; may be given several times.")],
    database: Annotated[str, typer.Option(help="The database the tables are in.")] = "default",
) -> None:
    """Print the SQL that gives each tenant a read-only user with row policies and limits."""
    from agents.execution.guards.catalogue import read_catalogue
    from agents.execution.tools.engines.roles import clickhouse_roles

    typer.echo(clickhouse_roles(read_catalogue(catalog), tenant, database))


class CasesUnreadable(Exception):
    """There is no such file of cases."""

    hint = "Name a file with one JSON case a line."

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _lines(file: Path) -> list[bytes]:
    try:
        return [line for line in file.read_bytes().split(b"\n") if line.strip()]
    except OSError as error:
        raise CasesUnreadable(f"The cases cannot be read ({error.strerror})") from error


def _judged(kind: str, file: Path, catalogue: "Bounds | None", processes: int | None) -> Iterator[str]:
    lines = _lines(file)
    chunks = [(kind, lines[at : at + _CHUNK], catalogue) for at in range(0, len(lines), _CHUNK)]
    workers = min(processes or _cores(), len(chunks))
    if workers < 2 or len(lines) <= _SMALL:
        for chunk in chunks:
            yield from _chunk(chunk)
        return
    from multiprocessing import get_context

    # Started anew instead of forked: a fork would take over threads and locks of whatever runs here.
    with get_context("spawn").Pool(workers) as pool:
        for judged in pool.imap(_chunk, chunks):
            yield from judged


def _chunk(work: "tuple[str, list[bytes], Bounds | None]") -> list[str]:
    import orjson

    from agents.execution.guards.cases import judge_line

    kind, lines, catalogue = work
    return [orjson.dumps(_plain(judge_line(kind, line, catalogue)), default=str).decode() for line in lines]


def _plain(line: dict[str, Any]) -> dict[str, Any]:
    """Without lone surrogates, which JSON cannot carry."""
    return {
        name: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for name, value in line.items()
    }


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
