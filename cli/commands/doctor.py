"""`opsloom doctor`: what is missing, and what to do."""

from typing import TYPE_CHECKING, Any

import typer

from cli import parameters

if TYPE_CHECKING:
    from cli.doctor.finding import Finding

_SIGNS = {"ok": ("✔", "green"), "warn": ("!", "yellow"), "fail": ("✘", "red")}


def doctor(
    pack: parameters.Pack = None,
    broker: parameters.Broker = None,
    clickhouse: parameters.ClickHouse = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Look at everything opsloom needs and say what is missing, with what to do about it.

    Exit code 1 when something fails that is needed; warnings alone are 0.
    """
    from cli.options import settings_of
    from cli.output import print_json, waiting

    settings = settings_of(
        broker=broker,
        clickhouse_url=clickhouse,
        topic_prefix=topic_prefix,
        data_dir=data,
        packs=tuple(pack) if pack else None,
    )
    with waiting("Looking …"):
        findings = _look(settings)
    failed = any(finding.state == "fail" for finding in findings)
    if json_output:
        print_json({"ok": not failed, "findings": findings})
    else:
        _draw(findings)
    if failed:
        raise typer.Exit(1)


def _look(settings: Any) -> "list[Finding]":
    import asyncio
    import time

    from cli.doctor import machine, road, stores

    findings = [machine.python(), *machine.extras(), *machine.data_folder(settings.data_dir)]
    findings += [*stores.packs(settings), road.schemas()]
    findings += asyncio.run(road.broker(settings))
    if all(finding.state == "ok" for finding in findings if finding.name in ("broker", "topics")):
        findings.append(asyncio.run(road.workers(settings, time.time())))
    return findings + stores.tables(settings)


def _draw(findings: "list[Finding]") -> None:
    from rich.table import Table
    from rich.text import Text

    from cli.output import show

    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")
    for finding in findings:
        sign, colour = _SIGNS[finding.state]
        said = Text(finding.what)
        if finding.hint and finding.state != "ok":
            said.append(f"\n{finding.hint}", style="dim")
        table.add_row(Text(sign, style=colour), Text(finding.name), said)
    show(table)
