"""A replay on the terminal: one line a tool and tenant, each figure before and after where they differ."""

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line
from agents.execution.replay_figures import Figures, ToolFigures
from cli.render.figures import counted, ms_text
from cli.replay import ReplayReport

_FIGURES = {
    "allowed": "allowed",
    "refused": "refused",
    "remembered": "remembered",
    "denied": "denied",
    "rate_limited": "RATE_LIMITED",
    "circuit_open": "CIRCUIT_OPEN",
    "no_place": "no place",
    "timed_out": "timed out",
    "failed": "failed",
    "cut": "rows cut",
}


def render_replay(report: ReplayReport) -> RenderableType:
    """Columns in which nothing ever happened are left out."""
    head = Text(f"{', '.join(report.policies)} over {counted(report.calls, 'call')}", style="bold")
    told = [f"limits {counted(len(report.tools_changed), 'tool')}: {line(', '.join(report.tools_changed))}"]
    agree = sum(row.as_recorded for row in report.rows)
    told.append(f"under the policy they met, {agree} of {report.calls} end in the replay as they really did")
    parts: list[RenderableType] = [head, *(Text(each, style="dim") for each in told), Text()]
    parts += [_table(report.rows), Text()]
    parts += [Text(f"• {each}", style="yellow") for each in _unsure(report)]
    parts += [Text(f"• {each}", style="dim") for each in report.notes]
    return Group(*parts)


def _table(rows: tuple[ToolFigures, ...]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    shown = [
        name
        for name in _FIGURES
        if name == "allowed" or any(getattr(each, name) for row in rows for each in (row.before, row.after))
    ]
    waits = any(each.waited for row in rows for each in (row.before, row.after))
    table.add_column("tool", overflow="fold")
    table.add_column("tenant", overflow="fold")
    table.add_column("calls", justify="right", no_wrap=True)
    for name in shown:
        table.add_column(_FIGURES[name], justify="right", overflow="fold")
    if waits:
        table.add_column("waited", overflow="fold")
    for row in rows:
        cells = [
            _change(str(getattr(row.before, name)), str(getattr(row.after, name)), name == "allowed")
            for name in shown
        ]
        if waits:
            cells.append(_change(_wait(row.before), _wait(row.after), False))
        table.add_row(line(row.tool_id), line(row.tenant_id), str(row.calls), *cells)
    return table


def _change(before: str, after: str, good: bool) -> Text:
    if before == after:
        return Text(before, style="" if good or before not in ("0", "–") else "dim")
    return Text(f"{before} → {after}", style="bold")


def _wait(figures: Figures) -> str:
    if not figures.waited:
        return "–"
    longest = ms_text(figures.longest_wait_s * 1000)
    return f"{figures.waited}, {ms_text(figures.waited_s * 1000)} in all, {longest} at most"


def _unsure(report: ReplayReport) -> list[str]:
    """What this very replay could not know, in figures."""
    said = []

    def of(name: str) -> int:
        return sum(int(getattr(row, name)) for row in report.rows)

    if count := of("estimated"):
        said.append(
            f"{counted(count, 'call')} never ran: how long they would take and how they end is estimated."
        )
    if count := of("tables_unknown"):
        said.append(
            f"Of {counted(count, 'call')} the record does not say which tables they asked; they count as allowed."
        )
    if count := of("rows_unknown"):
        said.append(f"{counted(count, 'result')} was cut already: how many rows there were is not recorded.")
    if report.other_versions:
        said.append(
            f"{counted(report.other_versions, 'call')} met a version of the policy that nobody knows any more; "
            "they are replayed under the present one."
        )
    if report.untold:
        said.append(f"{counted(report.untold, 'call')} was told by no worker, and is not replayed.")
    if report.left_out:
        said.append(f"{counted(report.left_out, 'later call')} is left out: the stretch of time is too long.")
    return said
