"""`opsloom trace show`: everything that is known of one question."""

from typing import Annotated

import typer

from cli import parameters

commands = typer.Typer(help="Look into what happened to one question.", no_args_is_help=True)


@commands.command()
def show(
    trace_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="The trace_id of an answer, or its question_id.", show_default=False
        ),
    ],
    tenant: Annotated[
        str | None, typer.Option(help="Only this tenant; for a question_id: the tenant that asked.")
    ] = None,
    clickhouse: parameters.ClickHouse = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Show the plan, the calls with their times and codes, the phases and the spans of one trace."""
    import dataclasses

    from cli.options import settings_of
    from cli.output import print_json, waiting
    from cli.output import show as draw
    from cli.render.errors import fail
    from cli.render.trace import render_trace
    from cli.stores import clickhouse as connected
    from schemas.ids import trace_id as trace_of
    from sinks.queries.trace import trace

    settings = settings_of(clickhouse_url=clickhouse, data_dir=data)
    with waiting("Asking ClickHouse …"), connected(settings) as client:
        record = trace(client, trace_id, tenant_id=tenant) or trace(
            client, trace_of(tenant or "local", trace_id), tenant_id=tenant
        )
    if record is None:
        fail(
            f"Nothing is known of {trace_id!r}{f' in tenant {tenant}' if tenant else ''}.",
            "An id stands in the answer (`opsloom ask … --json`, trace_id); records arrive about a second later.",
        )
    if json_output:
        print_json(record)
    else:
        draw(render_trace(dataclasses.asdict(record)))
