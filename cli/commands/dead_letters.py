"""`opsloom dead-letters`: look through what could not be taken, and put it back."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from cli import parameters

if TYPE_CHECKING:
    from cli.letters.letter import Letter, Origin
    from cli.letters.redrive import Redriven
    from cli.letters.source import Letters
    from streams.topics import Topics

commands = typer.Typer(
    help="List and show events that could not be taken, and put them back on the road.", no_args_is_help=True
)

Source = Annotated[
    Literal["auto", "clickhouse", "topic"],
    typer.Option(help="Where to read: ClickHouse, or the topic itself; auto takes ClickHouse if it answers."),
]
Code = Annotated[str | None, typer.Option(metavar="CODE", help="Only letters with this error code.")]
LetterId = Annotated[str, typer.Argument(metavar="ID", help="TOPIC-PARTITION-OFFSET of the event.")]

MOST_AT_ONCE = 10_000


@commands.command("list")
def list_letters(
    since: parameters.Since = "7d",
    code: Code = None,
    limit: Annotated[
        int, typer.Option(min=1, max=MOST_AT_ONCE, help="At most so many, the newest first.")
    ] = 50,
    source: Source = "auto",
    broker: parameters.Broker = None,
    clickhouse: parameters.ClickHouse = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """List dead letters, the newest first. With --json one line a letter."""
    import time

    from cli.durations import since_s
    from cli.letters.drawing import plain, table
    from cli.letters.source import letters_of
    from cli.options import settings_of
    from cli.output import print_json, show, waiting

    window_s = since_s(since)
    _check_code(code)
    settings = settings_of(broker=broker, clickhouse_url=clickhouse, topic_prefix=topic_prefix, data_dir=data)
    with waiting("Reading dead letters …"), letters_of(settings, source) as letters:
        found = letters.newest(window_s, time.time(), code, limit)
    if json_output:
        for letter in found:
            print_json(plain(letter))
    elif found:
        show(table(found))
    else:
        typer.echo(f"No dead letters in the last {since}.", err=True)


@commands.command()
def show(
    letter_id: LetterId,
    source: Source = "auto",
    broker: parameters.Broker = None,
    clickhouse: parameters.ClickHouse = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Show one dead letter in full: why, when, its headers and what was sent."""
    from cli.letters.drawing import plain_whole, whole
    from cli.letters.source import letters_of
    from cli.options import settings_of
    from cli.output import print_json, waiting
    from cli.output import show as draw
    from cli.render.errors import fail

    origin = _origin(letter_id)
    settings = settings_of(broker=broker, clickhouse_url=clickhouse, topic_prefix=topic_prefix, data_dir=data)
    with waiting("Reading dead letters …"), letters_of(settings, source) as letters:
        letter = letters.find(origin)
    if letter is None:
        fail(f"There is no dead letter {letter_id}.", "`opsloom dead-letters list` shows which there are.")
    if json_output:
        print_json(plain_whole(letter))
    else:
        draw(whole(letter))


@commands.command()
def redrive(
    letter_ids: Annotated[
        list[str] | None, typer.Argument(metavar="[ID]...", help="TOPIC-PARTITION-OFFSET, one or more.")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="All letters with --code, of the time --since.")
    ] = False,
    code: Code = None,
    since: parameters.Since = "7d",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be put back.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    source: Source = "auto",
    broker: parameters.Broker = None,
    clickhouse: parameters.ClickHouse = None,
    topic_prefix: parameters.TopicPrefix = None,
    data: parameters.DataDir = None,
    json_output: parameters.Json = False,
) -> None:
    """Put events back on the topic they came from, byte for byte, with their key and headers.

    A question that was answered meanwhile is not answered again: the same question_id is the same trace.

    Examples:

      opsloom dead-letters redrive ops.questions-2-17

      opsloom dead-letters redrive --all --code UNKNOWN_SCHEMA --since 1d --dry-run
    """
    import asyncio

    from cli.letters.redrive import redrive as put_back
    from cli.letters.source import letters_of
    from cli.options import settings_of
    from cli.output import waiting
    from cli.render.errors import EXIT_USAGE, fail
    from streams.topics import Topics

    if bool(letter_ids) == everything or (everything and code is None):
        fail(
            "It is not clear which letters to put back.",
            "Name them by id, or use --all with --code CODE.",
            EXIT_USAGE,
        )
    _check_code(code)
    settings = settings_of(broker=broker, clickhouse_url=clickhouse, topic_prefix=topic_prefix, data_dir=data)
    with waiting("Reading dead letters …"), letters_of(settings, source) as letters:
        origins = [_origin(each) for each in letter_ids or ()] or _all_of(letters, since, code)
        chosen, stuck = _chosen(letters, origins, Topics.of(settings))
    if dry_run:
        _tell([*_planned(chosen), *stuck], json_output, "would put back")
        raise typer.Exit(1 if stuck else 0)
    if chosen and not yes:
        _confirm(len(chosen), everything)
    with waiting(f"Putting back {len(chosen)} …"):
        done = asyncio.run(put_back(settings, chosen)) if chosen else []
    _tell([*done, *stuck], json_output, "put back")
    raise typer.Exit(1 if stuck else 0)


def _origin(letter_id: str) -> "Origin":
    from cli.letters.letter import origin_of
    from cli.render.errors import EXIT_USAGE, fail

    origin = origin_of(letter_id)
    if origin is None:
        fail(
            f"{letter_id!r} is no letter's id.",
            "It is TOPIC-PARTITION-OFFSET, such as ops.questions-2-17.",
            EXIT_USAGE,
        )
    return origin


def _check_code(code: str | None) -> None:
    from cli.render.errors import EXIT_USAGE, fail
    from schemas.errors import ErrorCode

    if code is not None and code not in ErrorCode.__members__:
        fail(
            f"{code!r} is no error code.",
            "docs/errors.md lists them; they are written in capitals.",
            EXIT_USAGE,
        )


def _all_of(letters: "Letters", since: str, code: str | None) -> "list[Origin]":
    import time

    from cli.durations import since_s

    return [letter.origin for letter in letters.newest(since_s(since), time.time(), code, MOST_AT_ONCE)]


def _chosen(
    letters: "Letters", origins: "list[Origin]", topics: "Topics"
) -> "tuple[list[Letter], list[Redriven]]":
    """The letters to put back, and those that can't be, with the reason."""
    from cli.letters.redrive import Redriven, problem_of

    chosen, stuck = [], []
    for origin in dict.fromkeys(origins):
        letter = letters.find(origin)
        problem = problem_of(letter, origin, topics)
        if problem or letter is None:
            stuck.append(Redriven(str(origin), None, problem))
        else:
            chosen.append(letter)
    return chosen, stuck


def _planned(chosen: "list[Letter]") -> "list[Redriven]":
    from cli.letters.redrive import Redriven

    return [Redriven(str(letter.origin), letter.origin.topic) for letter in chosen]


def _confirm(count: int, everything: bool) -> None:
    """On a terminal a person says yes; without one, `--all` needs --yes."""
    import sys

    from cli.render.errors import EXIT_USAGE, fail

    if sys.stdin.isatty():
        if not typer.confirm(f"Put {count} event{'' if count == 1 else 's'} back on the road?", err=True):
            raise typer.Exit(1)
    elif everything:
        fail("Nobody is there to ask.", "Say --yes, or look first with --dry-run.", EXIT_USAGE)


def _tell(outcomes: "list[Redriven]", json_output: bool, done: str) -> None:
    from cli.output import print_json

    for outcome in outcomes:
        if json_output:
            print_json(outcome)
        elif outcome.redriven_to is None:
            typer.echo(f"{outcome.letter_id}: {outcome.problem}", err=True)
        else:
            typer.echo(f"{done} {outcome.letter_id} → {outcome.redriven_to}")
    if not outcomes:
        typer.echo("There is nothing to put back.", err=True)
