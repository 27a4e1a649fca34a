"""`opsloom slo`: the nine SLO metrics, read back from ClickHouse."""

import typer

from cli import parameters


def slo(
    since: parameters.Since = "1h",
    tenant: parameters.Tenant = None,
    clickhouse: parameters.ClickHouse = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Show how fast and how well questions were answered.

    Examples:

      opsloom slo --since 30m

      opsloom slo --tenant local --json
    """
    import dataclasses
    import time

    from cli.durations import since_s
    from cli.options import settings_of
    from cli.output import print_json, show, waiting
    from cli.stores import clickhouse as connected
    from sinks.queries.slo import slo as read

    window_s = since_s(since)
    settings = settings_of(clickhouse_url=clickhouse, data_dir=data)
    with waiting("Asking ClickHouse …"), connected(settings) as client:
        report = read(client, window_s, time.time(), tenant_id=tenant)
    if json_output:
        print_json(report)
        return
    from cli.render.slo import render_slo

    show(render_slo(dataclasses.asdict(report)))
    if not report.answers:
        typer.echo("Nothing was answered in this time; look further back with --since.", err=True)
