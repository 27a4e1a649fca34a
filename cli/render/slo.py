"""The nine SLO metrics as a table."""

from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line
from agents.aggregation.figures import written
from cli.render.figures import NONE, counted, ms_text, rate_text
from schemas.calls import Unit

_MEANING: Final = {
    "latency_p50": "half of the answers",
    "latency_p95": "95 of 100 answers",
    "latency_p99": "99 of 100 answers",
    "tool_execution_latency": "of tool calls",
    "stage_latency": "of the phases",
    "tool_fail_rate": "failed calls",
    "fallback_rate": "a tool stood in",
    "replan_rate": "planned again",
    "timeout_rate": "time ran out",
}


def render_slo(report: Mapping[str, Any]) -> RenderableType:
    """The report of a window, as the fields of the sink's SLO query by name: latencies in ms, rates from 0 to 1,
    quantiles as {p50, p95, p99, count}. What was not measured shows a dash."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    table.add_column("metric", no_wrap=True)
    table.add_column("p50 / value", justify="right", no_wrap=True)
    table.add_column("p95", justify="right", no_wrap=True)
    table.add_column("p99", justify="right", no_wrap=True)
    table.add_column("count", justify="right", no_wrap=True)
    table.add_column("meaning", style="dim", overflow="fold")
    for name, meaning in _MEANING.items():
        value = report.get(name)
        if name == "stage_latency":
            _quantiles(table, name, None, meaning)
            for stage, quantiles in (value or {}).items():
                _quantiles(table, f"  {line(str(stage))}", quantiles, "")
        elif name == "tool_execution_latency":
            _quantiles(table, name, value, meaning)
        else:
            shown = rate_text(value) if name.endswith("_rate") else ms_text(value)
            table.add_row(name, shown, "", "", "", meaning)
    return Group(_heading(report), Text(), table)


def _quantiles(table: Table, name: str, quantiles: Mapping[str, Any] | None, meaning: str) -> None:
    if quantiles is None:
        table.add_row(name, "" if name == "stage_latency" else NONE, "", "", "", meaning)
        return
    shown = [ms_text(quantiles[each]) for each in ("p50", "p95", "p99")]
    table.add_row(Text(name), *shown, f"{quantiles['count']:,}", meaning)


def _heading(report: Mapping[str, Any]) -> Text:
    """How many answers, over how long, for whom, and how they ended."""
    since = written(float(report.get("since_s", 0)), Unit.SECONDS)
    tenant = report.get("tenant_id")
    text = Text.assemble(
        (counted(int(report.get("answers", 0)), "answer"), "bold"),
        f" in the last {since}, {f'tenant {line(str(tenant))}' if tenant else 'all tenants'}",
    )
    by_status = report.get("answers_by_status") or {}
    if by_status:
        parts = [f"{line(str(status)).replace('_', ' ')} {count:,}" for status, count in by_status.items()]
        text.append(f"\n{' · '.join(parts)}", style="dim")
    return text
