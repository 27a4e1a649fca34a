"""`opsloom demo`: this very machine answers questions about itself."""

from typing import Annotated

import typer

from cli import parameters


def demo(
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="DIR", help="Where state is kept; default ~/.cache/opsloom/demo."),
    ] = None,
    json_output: parameters.Json = False,
) -> None:
    """Start everything here, ask real questions about this machine and check the figures; needs no network.

    Exit code 0 only if every question was answered as it should be, the figures are what the system itself
    says, the question with the hanging tool came back in time, and ClickHouse counted every answer.
    """
    from cli.demo.run import run_demo

    raise typer.Exit(run_demo(data, json_output))
