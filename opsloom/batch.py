"""How far a batch of questions has come."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

BatchProgress = Callable[[int], AbstractContextManager[Callable[[], None]]]
"""Given how many there are, a block that gives what to call once for each that is done."""


@contextlib.contextmanager
def no_progress(_total: int) -> Iterator[Callable[[], None]]:
    """Draw nothing."""
    yield lambda: None


def progress_bar(title: str = "Asking") -> BatchProgress:
    """A bar on standard error with the count, the rate and the time that is left. Needs the package `rich`."""

    @contextlib.contextmanager
    def bar(total: int) -> Iterator[Callable[[], None]]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as drawn:
            task = drawn.add_task(title, total=total)
            yield lambda: drawn.advance(task)

    return bar
