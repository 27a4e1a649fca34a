"""`opsloom evaluate`: ask questions whose truths are known, and say how many plans and figures are right."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli import parameters

if TYPE_CHECKING:
    from regression.evaluation.report import Report


def evaluate(
    file: Annotated[Path, typer.Argument(help="Questions with their truths, one JSON object a line.")],
    goal: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit with 1 unless both shares reach it, such as 0.95."),
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, max=256, help="Questions under way side by side.")] = 8,
    plant: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The plant's SQLite that truths are read from; default: in --data."
        ),
    ] = None,
    timeout_s: Annotated[float, typer.Option(min=1, max=120, help="Wait so long for an answer.")] = 30.0,
    pack: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|DIR", help="What to start, if nothing runs; default: plant."),
    ] = None,
    broker: parameters.Broker = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Ask each question through the broker; print the share of right plans and of right figures, and each miss.

    Without --broker it asks the `opsloom up` that runs over --data, or starts one of its own over a folder of its own
    and stops it afterwards.

    Exit code: 0; 1 if a --goal is not reached or a line cannot be read.

    Examples:

      opsloom evaluate packs/plant/questions/measured_only.jsonl --goal 0.95

      opsloom evaluate mine.jsonl --broker 127.0.0.1:9092 --plant /srv/plant/plant.db --json
    """
    from cli.evaluating.asking import evaluated
    from cli.evaluating.place import standing
    from cli.output import print_json
    from regression.evaluation.cases import read_cases

    cases = read_cases(_lines(file))
    with standing(broker, topic_prefix, data, tuple(pack or ("plant",)), plant) as place:
        report: Report = evaluated(cases, place, at_once=at_once, timeout_s=timeout_s)
    if json_output:
        print_json({"file": str(file), "goal": goal, **report.as_json()})
    else:
        for line in report.lines():
            typer.echo(line)
    raise typer.Exit(0 if goal is None or report.reaches(goal) else 1)


def _lines(file: Path) -> list[str]:
    from cli.render.errors import EXIT_USAGE, fail

    try:
        return file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.", "Give a file of questions.", EXIT_USAGE)
    except UnicodeDecodeError:
        fail(f"{file} is not UTF-8 text.", "Give a file of questions.", EXIT_USAGE)
