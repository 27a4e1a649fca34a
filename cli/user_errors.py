"""The border of every command: an expected failure becomes a sentence and a hint, a bug keeps its traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

EXIT_INTERRUPTED = 130


@contextmanager
def user_errors() -> Iterator[None]:
    """Turn what a user can mend into one sentence and a hint; exit code 1, or 130 after Ctrl-C.

    Every error of the house that a user can mend says why and what to do in `reason` and `hint`.
    """
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    except BrokenPipeError:
        _close_quietly()
        raise typer.Exit(0) from None
    except (
        Exception
    ) as exc:  # border: what has words for the user is told in them, all else is a bug and goes on
        words = _words_of(exc)
        if words is None:
            raise
        from cli.render.errors import fail

        fail(*words)


def _words_of(exc: Exception) -> tuple[str, str, int] | None:
    """Sentence, hint and exit code."""
    reason, hint = getattr(exc, "reason", None), getattr(exc, "hint", None)
    if isinstance(reason, str) and isinstance(hint, str):
        place = getattr(exc, "path", None)
        where = "" if place is None else f"{place}: "
        return _sentence(where + reason), hint, int(getattr(exc, "exit_code", 1))
    match type(exc).__name__:
        case "SchemaError" | "SecretError":
            return _sentence(str(exc)), "", 1
        case "WorkerCrashed":
            hint = "Start it again; what was unfinished will be done again."
            return _sentence(f"The worker stopped: {exc}"), hint, 1
    return None


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?")) else text + "."


def _close_quietly() -> None:
    """Whoever read standard output has gone (`| head`): say nothing more, not even at exit."""
    import os
    import sys

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
