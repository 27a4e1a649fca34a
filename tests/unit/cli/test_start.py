"""The command line as a whole: help, start, and what goes wrong before anything is asked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.commands.ask import ModeName
from cli.main import app
from schemas.questions import Mode

RUNNER = CliRunner()
ROOT = Path(__file__).resolve().parents[3]
NOBODY = "127.0.0.1:1"
"""Nothing listens on port 1."""


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `opsloom up` of this machine and no variable of this shell takes part."""
    monkeypatch.setenv("OPSLOOM_DATA_DIR", str(tmp_path))
    for name in ("OPSLOOM_BROKER", "OPSLOOM_CLICKHOUSE_URL", "OPSLOOM_TOPIC_PREFIX"):
        monkeypatch.delenv(name, raising=False)


def commands() -> Iterator[tuple[str, ...]]:
    """Every command with the names that lead to it."""

    def below(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                yield from below(command, (*path, name))
            else:
                yield (*path, name)

    return below(typer.main.get_command(app), ())


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_explains_itself(path: tuple[str, ...]) -> None:
    """`--help` works, and no option goes without a word."""
    result = RUNNER.invoke(app, [*path, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output
    command: Any = typer.main.get_command(app)
    for name in path:
        command = command.commands[name]
    assert command.help
    assert [parameter.name for parameter in command.params if not getattr(parameter, "help", None)] == []


NEVER_FOR_PEOPLE = {
    ("guard", name) for name in ("check", "run", "postgres-setup", "mysql-setup", "clickhouse-setup")
}
"""They print JSON lines, or statements to run, whoever reads them."""


@pytest.mark.parametrize("path", [each for each in commands() if each not in NEVER_FOR_PEOPLE], ids=" ".join)
def test_every_command_speaks_json(path: tuple[str, ...]) -> None:
    """All that print data can print it for machines."""
    assert "--json" in RUNNER.invoke(app, [*path, "--help"], env={"COLUMNS": "200"}).output


def test_help_needs_nothing_heavy() -> None:
    """The command line's import stays light; what is heavy is imported by the command that needs it."""
    heavy = ("pydantic", "faust", "aiokafka", "clickhouse_connect", "chdb", "sqlglot", "numpy")
    script = f"import sys, cli.main; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_modes_offered_are_those_of_the_words() -> None:
    """They are spelled twice, so that help needs no pydantic."""
    assert set(ModeName.__args__) == {str(mode) for mode in Mode}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["ask"], 2, "Missing argument"),
        (["ask", "why?", "--mode", "magic"], 2, "magic"),
        (["ask", "why?", "--deadline-s", "900"], 2, "--deadline-s"),
        (["ask", "why?", "--plan", "/nowhere.json"], 2, "The plan /nowhere.json can't be read"),
        (["ask", "why?", "--broker", NOBODY], 1, f"No Kafka broker answers at {NOBODY}."),
        (["topics", "check", "--broker", NOBODY], 1, f"No Kafka broker answers at {NOBODY}."),
        (["topics", "create", "--broker", NOBODY], 1, "opsloom up"),
        (["topics", "create", "--partitions", "0"], 2, "--partitions"),
        (["slo"], 1, "No ClickHouse is named."),
        (["slo", "--since", "yesterday"], 2, "'yesterday' is no stretch of time."),
        (
            ["slo", "--clickhouse", "http://127.0.0.1:1"],
            1,
            "ClickHouse at http://127.0.0.1:1 does not answer.",
        ),
        (["slo", "--clickhouse", "nonsense"], 1, "is not a ClickHouse URL"),
        (["trace", "show", "abc"], 1, "No ClickHouse is named."),
        (["migrate", "--dry-run"], 1, "--clickhouse http://HOST:PORT"),
        (["migrate", "--pack", "/nowhere"], 1, "/nowhere"),
        (["dead-letters", "list", "--broker", NOBODY], 1, f"No Kafka broker answers at {NOBODY}."),
        (["dead-letters", "list", "--code", "OOPS"], 2, "'OOPS' is no error code."),
        (["dead-letters", "show", "17"], 2, "'17' is no letter's id."),
        (["dead-letters", "redrive"], 2, "It is not clear which letters to put back."),
        (["dead-letters", "redrive", "--all"], 2, "--code CODE"),
        (["dead-letters", "redrive", "a-1-2", "--all", "--code", "NOT_JSON"], 2, "not clear"),
        (["nonsense"], 2, "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_users_mistake_is_a_sentence_and_not_a_traceback(
    arguments: list[str], code: int, sentence: str
) -> None:
    """Exit code, one sentence on standard error, nothing on standard output."""
    result = RUNNER.invoke(app, arguments, env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert result.exit_code == code, result.output
    assert sentence in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{not json", "is not JSON"),
        ('"a text"', "neither a JSON object nor a list"),
        ('{"steps": [{"tool_id": "a"}]}', "plan.steps.0.step_id"),
        ('{"steps": []}', "plan.steps"),
    ],
)
def test_a_bad_plan_is_told_before_it_is_sent(
    text: str, sentence: str, tmp_path: Path, broker: Any, topic_prefix: str
) -> None:
    """Exit code 2: it is the user's to mend."""
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    at = ["--broker", broker.address, "--topic-prefix", topic_prefix]
    assert RUNNER.invoke(app, ["topics", "create", *at]).exit_code == 0

    result = RUNNER.invoke(app, ["ask", "why?", "--plan", str(plan), *at])

    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())


def test_version_is_the_packages_own() -> None:
    """One number, wherever it is asked for."""
    from importlib.metadata import version

    import opsloom

    assert RUNNER.invoke(app, ["--version"]).stdout.strip() == f"opsloom {opsloom.__version__}"
    assert opsloom.__version__ == version("opsloom")


def test_schemas_on_disk_are_those_of_the_events(tmp_path: Path) -> None:
    """A check passes here; export into an empty folder writes all of them, and then nothing more."""
    assert RUNNER.invoke(app, ["schemas", "check"]).exit_code == 0
    assert "QuestionAsked" in RUNNER.invoke(app, ["schemas", "check", "--folder", str(tmp_path)]).stdout
    first = RUNNER.invoke(app, ["schemas", "export", "--folder", str(tmp_path)])
    assert "wrote QuestionAsked.v1.avsc" in first.stdout
    assert RUNNER.invoke(app, ["schemas", "check", "--folder", str(tmp_path)]).exit_code == 0
    assert "Nothing to do" in RUNNER.invoke(app, ["schemas", "export", "--folder", str(tmp_path)]).stdout
