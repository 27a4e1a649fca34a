"""How the demo speaks: drawn for people, or one JSON line an event."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from agents.aggregation.clean import line
from cli.demo.truths import Truth
from cli.output import print_json, waiting
from cli.render.answer import render_answer
from cli.render.slo import render_slo
from schemas.answers import AnswerComposed


class Telling:
    """Everything the demo prints goes through here."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(highlight=False)

    @contextlib.contextmanager
    def starting(self) -> Iterator[Callable[[str], None]]:
        """While the stage is set up; gives where to tell the progress."""
        with waiting("Starting …") as update:
            yield lambda text: update(f"Starting: {line(text)} …")

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """A spinner with a text."""
        with waiting(line(text)):
            yield

    def stage(self, ready: Mapping[str, Any], took_s: float) -> None:
        """Where everything runs."""
        if self._as_json:
            print_json({"event": "ready", "took_s": round(took_s, 2), **ready})
            return
        self._console.print(
            f"Started in {took_s:.1f} s: Kafka protocol at {ready['broker']}, ClickHouse at {ready['clickhouse']},"
            " one worker. The questions are about this very machine.\n"
        )

    def answer(self, kind: str, answer: AnswerComposed, truth: Truth) -> None:
        """One answer, and whether the system itself says the same."""
        if self._as_json:
            checked = {"ok": truth.ok, "against": truth.against, "difference": truth.difference}
            print_json({"event": "answer", "kind": kind, "checked": checked, "answer": answer})
            return
        self._console.print(Rule(Text(kind), align="left", style="dim"))
        self._console.print(render_answer(answer))
        outcome = "ok" if truth.ok else f"WRONG: {line(truth.difference)}"
        style = "green" if truth.ok else "bold red"
        self._console.print(Text(f"  checked against {truth.against}: {outcome}\n", style=style))

    def hanging(self, deadline_s: float) -> None:
        """What comes now."""
        if not self._as_json:
            self._console.print(
                f"Now a question with a plan of its own: one tool that is quick, and one that hangs. The deadline"
                f" is {deadline_s:g} s.\n"
            )

    def report(self, report: Mapping[str, Any]) -> None:
        """The SLO table as ClickHouse has it."""
        if self._as_json:
            print_json({"event": "slo", "report": report})
            return
        self._console.print(Rule(Text("read back from ClickHouse"), align="left", style="dim"))
        self._console.print(render_slo(report))

    def end(self, asked: int, faults: Sequence[str], took_s: float, folder: Path) -> None:
        """The last word."""
        if self._as_json:
            print_json({"event": "end", "asked": asked, "faults": list(faults), "took_s": round(took_s, 2)})
            return
        self._console.print()
        for fault in faults:
            self._console.print(Text(f"✘ {line(fault, 400)}", style="bold red"))
        if not faults:
            self._console.print(
                Text(
                    f"✔ {asked} questions, every answer as it should be, in {took_s:.1f} s.",
                    style="bold green",
                )
            )
        self._console.print(
            Text(
                f'Ask your own: opsloom up, then opsloom ask "…" in another terminal. State: {folder}',
                style="dim",
            )
        )
