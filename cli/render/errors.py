"""How the command line ends: with an exit code that says how it went, and errors of one sentence and a hint."""

from typing import Final, NoReturn

from rich.console import Console
from rich.text import Text

from agents.aggregation.clean import line
from schemas.answers import Status

EXIT_USAGE: Final = 2
EXIT_PARTIAL: Final = 3
EXIT_FAILED: Final = 4
EXIT_NO_ANSWER: Final = 5

_EXIT_OF: Final = {
    Status.SUCCESS: 0,
    Status.PARTIAL_SUCCESS: EXIT_PARTIAL,
    Status.DEGRADED: EXIT_PARTIAL,
    Status.FAILED: EXIT_FAILED,
}


def exit_code_of(status: Status) -> int:
    """0 success, 3 partial or degraded, 4 failed."""
    return _EXIT_OF[status]


def fail(
    sentence: str, hint: str | None = None, exit_code: int = 1, *, console: Console | None = None
) -> NoReturn:
    """Say on stderr in one sentence what is wrong, and what to do; then leave with the exit code."""
    console = console or Console(stderr=True, highlight=False)
    console.print(Text.assemble(("error: ", "bold red"), line(sentence)), soft_wrap=True)
    if hint:
        console.print(Text.assemble(("hint: ", "bold"), line(hint)), soft_wrap=True)
    raise SystemExit(exit_code)
