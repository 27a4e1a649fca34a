"""`opsloom worker`: run some roles of the road in this process."""

import asyncio
import json
import os
from collections.abc import Sequence
from typing import Annotated

import typer


def worker(
    roles: Annotated[
        str, typer.Option(help="Which roles, comma-separated: planning, execution, aggregation, sink.")
    ] = "planning,execution,aggregation,sink",
    pack: Annotated[
        list[str] | None, typer.Option(help="A pack's name or folder; may be given several times.")
    ] = None,
    broker: Annotated[str | None, typer.Option(help="Kafka bootstrap servers, HOST:PORT.")] = None,
    clickhouse: Annotated[str | None, typer.Option(help="ClickHouse, http://HOST:PORT.")] = None,
    data: Annotated[str | None, typer.Option(help="Folder for stores and Faust's own files.")] = None,
    worker_id: Annotated[
        str | None,
        typer.Option(help="Unique per worker of a role; one that returns gets its partitions back."),
    ] = None,
    topic_prefix: Annotated[str | None, typer.Option(help="Put before every topic and group.")] = None,
    codec: Annotated[str | None, typer.Option(help="What is written: json or avro.")] = None,
    processes: Annotated[
        int | None,
        typer.Option(help="Deal the roles over so many processes; one for each core serves bursts best."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Say that it is ready as one JSON line.")
    ] = False,
) -> None:
    """Run roles of the road until Ctrl-C. Start as many as you like, each with a --worker-id of its own.

    Every option may also be set in the environment, as OPSLOOM_BROKER, OPSLOOM_ROLES and so on.
    """
    from cli.options import settings_of
    from cli.processes import run_processes
    from cli.render.errors import fail
    from cli.running import run_worker
    from cli.user_errors import user_errors

    settings = settings_of(
        roles=roles if roles_given(roles) else None,
        packs=tuple(pack) if pack else None,
        broker=broker,
        clickhouse_url=clickhouse,
        data_dir=data,
        worker_id=worker_id,
        topic_prefix=topic_prefix,
        codec=codec,
        processes=processes,
    )
    if "sink" in settings.roles and not settings.clickhouse_url and settings.roles == ("sink",):
        fail("The sink needs a ClickHouse.", "Name it with --clickhouse http://HOST:PORT.", exit_code=2)

    def ready(processes: Sequence[int] = ()) -> None:
        if json_output:
            line = {
                "ready": True,
                "pid": os.getpid(),
                "roles": list(settings.roles),
                "worker_id": settings.worker_id,
                **({"processes": list(processes)} if processes else {}),
            }
            typer.echo(json.dumps(line))
        else:
            typer.echo(
                f"Worker {settings.worker_id} is ready: {', '.join(settings.roles)}. Stop it with Ctrl-C."
            )

    with user_errors():
        many = settings.processes > 1
        asyncio.run(run_processes(settings, ready) if many else run_worker(settings, ready))


def roles_given(roles: str) -> bool:
    """False when the default stands, so that OPSLOOM_ROLES may say otherwise."""
    return roles != "planning,execution,aggregation,sink"
