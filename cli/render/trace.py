"""One trace on the terminal: when each call ran, how the phases went, and the tree of spans."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from agents.aggregation.clean import line, lines
from cli.render.answer import badge
from cli.render.figures import clock_text, ms_text

_BAR_WIDTH: Final = 20
_COLOURS: Final = {"success": "green", "ok": "green", "skipped": "yellow", "warning": "yellow"}


def render_trace(record: Mapping[str, Any]) -> RenderableType:
    """The record of a trace, as the fields of the sink's trace query by name, nested ones as mappings too."""
    answer = record.get("answer")
    head = (
        badge(str(answer["status"]), str(answer["question"]))
        if answer
        else Text("no answer yet", style="bold")
    )
    about = [f"trace {line(str(record['trace_id']))}", f"tenant {line(str(record['tenant_id']))}"]
    about.append(f"asked {record['started_at'].strftime('%Y-%m-%d')} {clock_text(record['started_at'])}")
    parts: list[RenderableType] = [head, Text(" · ".join(about), style="dim")]
    if answer:
        parts += [Text(), Text(lines(str(answer.get("text", "")), 8_000))]
    if record.get("reasons"):
        parts += [Text(), Text("Why this plan", style="bold")]
        parts += [Text(f"• {line(str(reason))}") for reason in record["reasons"]]
    if record.get("tool_calls"):
        parts += [Text(), Text("Calls", style="bold"), _calls(record["tool_calls"])]
    if record.get("replans"):
        parts += [Text(), Text("Planned again", style="bold"), *map(_replan, record["replans"])]
    if record.get("stages"):
        parts += [Text(), Text("Phases", style="bold"), _stages(record["stages"])]
    if record.get("usage"):
        parts += [Text(), Text("Language model", style="bold"), *map(_usage, record["usage"])]
    if record.get("spans"):
        parts += [Text(), *[_span_tree(span) for span in record["spans"]]]
    return Group(*parts)


def _replan(replan: Mapping[str, Any]) -> Text:
    """What another plan was asked for, and what it changed."""
    told = [
        f"• {replan['attempt']}. after {ms_text(replan['requested_ms'])}, {replan['trigger']}"
        f" ({replan['severity']}): {line(str(replan['reason']))}"
    ]
    patch = replan.get("patch") or {}
    told += [
        f"    {line(str(each['step_id']))}: {line(str(each['tool_before']))} → {line(str(each['tool_after']))}"
        f" ({line(str(each['reason']))})"
        for each in patch.get("replaced", ())
    ]
    if replan["decision"] != "changed":
        told.append(
            f"    {replan['decision']}: {line(str(patch.get('reason') or 'no decision has come yet'))}"
        )
    return Text("\n".join(told))


def _calls(calls: Sequence[Mapping[str, Any]]) -> Table:
    """One line a call, with a bar that shows when it ran beside the others."""
    end_ms = max([float(call["end_ms"]) for call in calls] + [1.0])
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    table.add_column("group", justify="right")
    table.add_column("tool", overflow="fold")
    table.add_column("version", no_wrap=True)
    table.add_column(f"0 – {ms_text(end_ms)}", no_wrap=True)
    table.add_column("took", justify="right", no_wrap=True)
    table.add_column("outcome", overflow="fold")
    for call in calls:
        outcome = [line(str(call["status"]))]
        if call.get("error_code"):
            outcome.append(line(str(call["error_code"])))
        if call.get("retry_count"):
            outcome.append(f"tried {call['retry_count'] + 1} times")
        if float(call.get("waited_ms") or 0.0) >= 1.0:
            outcome.append(f"waited {ms_text(call['waited_ms'])}")
        if call.get("cached"):
            outcome.append("remembered")
        if call.get("lifted"):
            outcome.append(f"lifted by {line(', '.join(map(str, call['lifted'])))}")
        if call.get("cause"):
            outcome.append(f"waited for {line(str(call['cause']))}")
        colour = _COLOURS.get(call["status"], "red")
        table.add_row(
            str(call["execution_group_index"]),
            Text(line(str(call["tool_name"] or call["tool_asset_id"]))),
            Text(_versions(call), style="dim"),
            Text(_bar(float(call["start_ms"]), float(call["end_ms"]), end_ms), style=colour),
            ms_text(call["duration_ms"]),
            Text(" · ".join(outcome), style="" if colour == "green" else colour),
        )
    return table


def _versions(call: Mapping[str, Any]) -> str:
    """ "3, policy 2": of the assets that were in force; nothing where the call met none."""
    told = [str(call["tool_asset_version"])] if call.get("tool_asset_version") else []
    told += [f"policy {call['policy_version']}"] if call.get("policy_version") else []
    return ", ".join(told)


def _bar(start_ms: float, end_ms: float, whole_ms: float) -> str:
    start = min(_BAR_WIDTH - 1, max(0, int(start_ms / whole_ms * _BAR_WIDTH)))
    end = min(_BAR_WIDTH, max(start + 1, round(end_ms / whole_ms * _BAR_WIDTH)))
    return "·" * start + "█" * (end - start) + "·" * (_BAR_WIDTH - end)


def _stages(stages: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for name in ("phase", "status"):
        table.add_column(name)
    for name in ("took", "budget"):
        table.add_column(name, justify="right", no_wrap=True)
    for stage in stages:
        status = str(stage["status"])
        table.add_row(
            Text(line(str(stage["stage_name"])).replace("_", " ")),
            Text(line(status), style=_COLOURS.get(status, "red")),
            ms_text(stage["duration_ms"]),
            ms_text(stage["budget_ms"]),
        )
    return table


def _usage(usage: Mapping[str, Any]) -> Text:
    """ "planning: small, 2 calls, 1,204 tokens in, 96 out, 1.2 s" """
    calls = int(usage["calls"])
    return Text(
        f"{line(str(usage['stage_name']))}: {line(str(usage['model']))}, {calls} call{'' if calls == 1 else 's'}, "
        f"{int(usage['prompt_tokens']):,} tokens in, {int(usage['completion_tokens']):,} out, "
        f"{ms_text(usage['latency_ms'])}"
    )


def _span_tree(span: Mapping[str, Any], tree: Tree | None = None) -> Tree:
    status = str(span["status"])
    label = Text.assemble(
        line(str(span["name"])),
        (f" {ms_text(span['duration_ms'])}", "dim"),
        (f" {line(status)}", _COLOURS.get(status, "red")),
        (f" {line(str(span['error_code']))}" if span.get("error_code") else "", "red"),
    )
    branch = Tree(label) if tree is None else tree.add(label)
    for child in span.get("children", ()):
        _span_tree(child, branch)
    return branch
