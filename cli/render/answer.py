"""An answer on the terminal: what it says, how sure it is, and where every figure came from."""

import re
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line, lines
from agents.aggregation.voice import voice_of
from cli.render.blocks import block_view, reference_line
from cli.render.figures import counted, ms_text
from schemas.answers import AnswerComposed, Status, ToolResult

BADGES: Final = {
    "success": ("✔", "green"),
    "partial_success": ("◐", "yellow"),
    "degraded": ("◐", "yellow"),
    "failed": ("✘", "red"),
}
_MARKS: Final = {
    "success": ("✔", "green"),
    "error": ("✘", "red"),
    "timeout": ("◷", "red"),
    "skipped": ("↷", "yellow"),
}
_LABELS: Final = {"en": ("You could ask:", "See also:"), "ko": ("이렇게 물어보세요:", "참고:")}
_MARK: Final = re.compile(r"\[\d+\]")
_MAX_TEXT_CHARACTERS: Final = 20_000


def render_answer(answer: AnswerComposed) -> RenderableType:
    """The whole answer: badge and question, text, blocks, sources, tools with their times, budget, suggestions."""
    parts: list[RenderableType] = [badge(answer.status.value, answer.question), Text()]
    text = Text(lines(answer.text, _MAX_TEXT_CHARACTERS))
    text.highlight_regex(_MARK, "cyan")
    parts.append(_indented(text))
    voice = voice_of(answer.language, answer.time_zone)
    for block in answer.blocks:
        view = block_view(block, answer.text, voice)
        if view is not None:
            parts += [Text(), _indented(view)]
    if answer.error is not None and answer.error.code.value not in answer.text:
        parts += [Text(), _indented(_error(answer))]
    if answer.references:
        parts += [Text(), _indented(Group(*[reference_line(each, voice) for each in answer.references]))]
    if answer.results:
        parts += [Text(), _indented(_tools(answer.results))]
    parts += [Text(), _indented(_time(answer))]
    if answer.suggestions:
        failed, also = _LABELS.get(answer.language, _LABELS["en"])
        asked = failed if answer.status is Status.FAILED else also
        said = [Text(f"• {line(suggestion)}") for suggestion in answer.suggestions]
        parts += [Text(), _indented(Group(Text(asked, style="bold"), *said))]
    return Group(*parts)


def badge(status: str, title: str) -> Text:
    """One line: the status as a sign and a word, then the title."""
    sign, colour = BADGES.get(status, ("?", "white"))
    return Text.assemble(
        (f"{sign} {line(status).replace('_', ' ')}", f"bold {colour}"), "  ", (line(title), "bold")
    )


def _indented(part: RenderableType) -> Padding:
    return Padding(part, (0, 0, 0, 2))


def _error(answer: AnswerComposed) -> Text:
    error = answer.error
    if error is None:
        return Text()
    text = Text(error.code.value, style="bold red")
    if error.message not in answer.text:
        text.append(f" {line(error.message)}", style="not bold default")
    if error.suggestion and error.suggestion not in answer.suggestions:
        text.append(f"\n{line(error.suggestion)}", style="dim")
    return text


def _tools(results: tuple[ToolResult, ...]) -> Table:
    """One line a step: sign, tool, time, and what went wrong."""
    table = Table.grid(padding=(0, 2))
    table.add_column(width=1)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    for result in results:
        sign, colour = _MARKS[result.status]
        remarks = []
        if result.error_code is not None:
            remarks.append(result.error_code.value)
        if result.retries:
            remarks.append(counted(result.retries, "retry").replace("retrys", "retries"))
        if result.cause:
            remarks.append(f"waited for {line(result.cause)}, which did not succeed")
        ran = result.status != "skipped"
        table.add_row(
            Text(sign, style=colour),
            Text(line(result.tool_id)),
            Text(ms_text(result.duration_ms) if ran else "skipped"),
            Text(" · ".join(remarks), style="dim"),
        )
    return table


def _time(answer: AnswerComposed) -> Text:
    """ "0.4 s of 120 s · planning 10 ms · execution 300 ms" — phases that took no time are left out."""
    budget = answer.budget
    parts = [f"{ms_text(budget.elapsed_ms)} of {ms_text(budget.total_ms)}"]
    parts += [
        f"{phase.phase.replace('_', ' ')} {ms_text(phase.elapsed_ms)}{' (exhausted)' if phase.exhausted else ''}"
        for phase in budget.phases
        if phase.elapsed_ms >= 0.01
    ]
    if budget.exhausted:
        parts.append("budget exhausted")
    return Text(" · ".join(parts), style="dim")
