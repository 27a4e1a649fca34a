"""`opsloom worker`: run some roles of the road in this process."""

import asyncio
import json
import os
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
    json_output: Annotated[
        bool, typer.Option("--json", help="Say that it is ready as one JSON line.")
    ] = False,
) -> None:
    """Run roles of the road until Ctrl-C. Start as many as you like, each with a --worker-id of its own.

    Every option may also be set in the environment, as OPSLOOM_BROKER, OPSLOOM_ROLES and so on.
    """
    from cli.options import settings_of
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
    )
    if "sink" in settings.roles and not settings.clickhouse_url and settings.roles == ("sink",):
        fail("The sink needs a ClickHouse.", "Name it with --clickhouse http://HOST:PORT.", exit_code=2)

    def ready() -> None:
        if json_output:
            line = {
                "ready": True,
                "pid": os.getpid(),
                "roles": list(settings.roles),
                "worker_id": settings.worker_id,
            }
            typer.echo(json.dumps(line))
        else:
            typer.echo(
                f"Worker {settings.worker_id} is ready: {', '.join(settings.roles)}. Stop it with Ctrl-C."
            )

    with user_errors():
        asyncio.run(run_worker(settings, ready))


def roles_given(roles: str) -> bool:
    """False when the default stands, so that OPSLOOM_ROLES may say otherwise."""
    return roles != "planning,execution,aggregation,sink"
