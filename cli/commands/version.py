"""`opsloom version`."""

import platform

import typer

from cli import parameters


def version(json_output: parameters.Json = False) -> None:
    """Say which version this is, and of what it is made."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    found = {"opsloom": _own(), "python": platform.python_version()}
    for name in ("faust-streaming", "aiokafka", "clickhouse-connect", "noida-db", "chdb-core", "ladybug"):
        try:
            found[name] = installed(name)
        except PackageNotFoundError:
            found[name] = ""
    if json_output:
        from cli.output import print_json

        print_json(found)
        return
    for name, number in found.items():
        typer.echo(f"{name} {number or '(not installed)'}")


def shown(wanted: bool) -> None:
    """The callback of `opsloom --version`."""
    if wanted:
        typer.echo(f"opsloom {_own()}")
        raise typer.Exit


def _own() -> str:
    from opsloom.version import __version__

    return __version__
