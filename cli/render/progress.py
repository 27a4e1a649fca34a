"""A question while it is worked on: its stages and tools as they run."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line
from cli.render.figures import counted, ms_text
from schemas.plans import PlanKind
from schemas.progress import Planned, ProgressEvent, ToolEnded, ToolStarted

_SIGNS = {
    "success": ("✔", "green"),
    "error": ("✘", "red"),
    "timeout": ("◷", "red"),
    "skipped": ("↷", "yellow"),
}
_KINDS = {PlanKind.DIRECT: "answered without tools", PlanKind.REJECT: "not a question for any tool here"}


@dataclass
class _Call:
    tool_id: str
    began_s: float
    ended: ToolEnded | None = None


class Watched:
    """Draws itself, as often as it is asked to; gives a line of text for each event besides."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives monotonic seconds."""
        self._clock = clock
        self._began_s = clock()
        self._stage = "Asking …"
        self._calls: dict[str, _Call] = {}
        self._spinner = Spinner("dots")

    def take(self, event: ProgressEvent) -> str | None:
        """Note an event; what to say of it where nothing can be drawn."""
        match event:
            case Planned():
                self._stage = _plan(event)
                return f"planned: {self._stage}"
            case ToolStarted():
                self._calls[event.call_id] = _Call(event.tool_id, self._clock())
                return f"started: {line(event.tool_id)}"
            case ToolEnded():
                call = self._calls.setdefault(
                    event.call_id or event.step_id, _Call(event.tool_id, self._clock())
                )
                call.ended = event
                return f"ended: {line(event.tool_id)}: {_outcome(event)}"
        return None

    def __rich__(self) -> RenderableType:
        now = self._clock()
        self._spinner.update(text=Text(f"{self._stage}  {ms_text((now - self._began_s) * 1_000)}"))
        table = Table.grid(padding=(0, 2))
        for call in self._calls.values():
            if call.ended is None:
                row = Text("…", style="cyan"), Text(ms_text((now - call.began_s) * 1_000), style="dim")
            else:
                sign, colour = _SIGNS[call.ended.status]
                row = Text(sign, style=colour), Text(_outcome(call.ended), style="dim")
            table.add_row(row[0], Text(line(call.tool_id)), row[1])
        return Group(self._spinner, table) if self._calls else self._spinner


def _plan(event: Planned) -> str:
    if not event.steps:
        return _KINDS.get(event.kind, "a plan without steps")
    again = f", attempt {event.attempt + 1}" if event.attempt else ""
    return f"{counted(len(event.steps), 'step')} by {line(event.planner)}{again}"


def _outcome(event: ToolEnded) -> str:
    if event.status == "skipped":
        return "skipped"
    code = f" ({event.error.code.value})" if event.error is not None else ""
    return f"{event.status}, {ms_text(event.duration_ms)}{code}"
