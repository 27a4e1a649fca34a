"""What goes to standard output, and what a person sees on a terminal while waiting."""

import contextlib
import dataclasses
import logging
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any


def print_json(document: Any) -> None:
    """One JSON document on one line."""
    import orjson

    sys.stdout.write(orjson.dumps(document, default=_plain).decode() + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


def show(*parts: Any) -> None:
    """Draw for people on standard output."""
    from rich.console import Console

    console = Console(highlight=False)
    for part in parts:
        console.print(part)


@contextlib.contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """A spinner on standard error while the block runs, on terminals only. Gives a way to change its text.

    What the Kafka client logs meanwhile stays off the screen: the error it raises says it all.
    """
    with _quiet("aiokafka"):
        if not sys.stderr.isatty():
            yield lambda _text: None
            return
        from rich.console import Console

        with Console(stderr=True).status(text) as status:
            yield status.update


@contextlib.contextmanager
def following() -> Iterator[Callable[[Any], None]]:
    """Gives what to call with each event of a question; drawn live on a terminal, as lines where there is none, in
    both cases on standard error."""
    import time

    from cli.render.progress import Watched

    watched = Watched(time.monotonic)
    with _quiet("aiokafka"):
        if not sys.stderr.isatty():
            yield lambda event: _say(watched.take(event))
            return
        from rich.console import Console
        from rich.live import Live

        with Live(watched, console=Console(stderr=True), transient=True, refresh_per_second=10):
            yield lambda event: _drop(watched.take(event))


def _say(text: str | None) -> None:
    if text:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def _drop(_text: str | None) -> None:
    """It is drawn already."""


@contextlib.contextmanager
def _quiet(logger_name: str) -> Iterator[None]:
    logger = logging.getLogger(logger_name)
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
