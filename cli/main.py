"""`opsloom`: the command line. Heavy imports stay inside the commands, so that `--help` comes at once."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.commands import (
    ask,
    assets,
    breakers,
    dead_letters,
    demo,
    doctor,
    documents,
    evaluate,
    guard,
    migrate,
    plant,
    schemas,
    slo,
    tools,
    topics,
    trace,
    up,
    version,
    web,
    worker,
)


class Commands(TyperGroup):
    """The one border of all commands: expected failures become a sentence, Ctrl-C ends quietly."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command inside the border."""
        from cli.user_errors import user_errors

        with user_errors():
            return super().invoke(ctx)


app = typer.Typer(
    name="opsloom",
    cls=Commands,
    help="Ask operations questions over Kafka and get one honest answer, woven from many tools.",
    epilog='First steps:  opsloom demo   ·   opsloom up   ·   opsloom ask "how full are the disks?"',
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ASKING, RUNNING, LOOKING_AFTER = "Ask", "Run", "Look after"


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option("--version", help="Say which version this is.", is_eager=True, callback=version.shown),
    ] = False,
) -> None:
    pass


app.command(rich_help_panel=ASKING)(ask.ask)
app.command(rich_help_panel=ASKING)(demo.demo)
app.command(rich_help_panel=ASKING)(evaluate.evaluate)
app.command(rich_help_panel=RUNNING)(up.up)
app.command(rich_help_panel=RUNNING)(worker.worker)
app.add_typer(plant.commands, name="plant", rich_help_panel=RUNNING)
app.command(rich_help_panel=RUNNING)(web.web)
app.add_typer(trace.commands, name="trace", rich_help_panel=LOOKING_AFTER)
app.command(rich_help_panel=LOOKING_AFTER)(slo.slo)
app.add_typer(tools.commands, name="tools", rich_help_panel=LOOKING_AFTER)
app.command(rich_help_panel=LOOKING_AFTER)(doctor.doctor)
app.add_typer(assets.commands, name="assets", rich_help_panel=LOOKING_AFTER)
app.command(rich_help_panel=LOOKING_AFTER)(breakers.breakers)
app.add_typer(guard.commands, name="guard", rich_help_panel=LOOKING_AFTER)
app.add_typer(dead_letters.commands, name="dead-letters", rich_help_panel=LOOKING_AFTER)
app.add_typer(topics.commands, name="topics", rich_help_panel=LOOKING_AFTER)
app.command(rich_help_panel=LOOKING_AFTER)(migrate.migrate)
app.add_typer(documents.commands, name="documents", rich_help_panel=LOOKING_AFTER)
app.add_typer(schemas.commands, name="schemas", rich_help_panel=LOOKING_AFTER)
app.command(rich_help_panel=LOOKING_AFTER)(version.version)


def main() -> None:
    """Run the command line; the process ends with the command's exit code."""
    app()


if __name__ == "__main__":
    main()
