"""What the documents say of paths, topics, settings and commands is so."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import typer

from cli.main import app
from streams.settings import Settings
from streams.topics import DAY_MS, Topics

ROOT = Path(__file__).resolve().parents[2]
USAGE_ERROR = cast("type[Exception]", typer.BadParameter.__bases__[0])
"""Base of all that is wrong with a command line, from whichever click typer brings."""
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.md"),
        ROOT / "dashboards/README.md",
    ]
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FOLDERS = sorted(
    path.name
    for path in ROOT.iterdir()
    if path.is_dir() and any(path.rglob("*.py")) and not path.name.startswith(".")
)
"""Folders with code: a path in a document that begins with one of them must exist."""


@cache
def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """The page without its code blocks."""
    return FENCE.sub("", text_of(page))


def anchors_of(page: Path) -> set[str]:
    """Names of a page's headings, as the forges make them."""
    headings = HEADING.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def paths_in(page: str) -> Iterator[str]:
    """What stands in backquotes and begins with a folder of the house."""
    for word in CODE.findall(prose_of(page)):
        path = word.split(":")[0].rstrip("/")
        looks_like_one = re.fullmatch(r"[\w./-]+", path) and "/" in word
        if looks_like_one and path.split("/")[0] in FOLDERS:
            yield path


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    """Every link to a file finds it, and its heading too."""
    broken = []
    for target in LINK.findall(prose_of(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        if not path.exists() or (anchor and anchor not in anchors_of(path)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES)
def test_paths_that_are_named_exist(page: str) -> None:
    """A file or folder of the house that a page names is there."""
    base = (ROOT / page).parent
    missing = [path for path in paths_in(page) if not (ROOT / path).exists() and not (base / path).exists()]
    assert missing == []


def tree_of_the_page() -> set[str]:
    """Paths of the folders and files in the tree of docs/architecture.md."""
    section = text_of("docs/architecture.md").split("## The tree")[1]
    match = FENCE.search(section)
    assert match is not None
    found, parents = set(), [""]
    for line in match[2].splitlines():
        name, depth = line.split()[0], (len(line) - len(line.lstrip())) // 2
        parents[depth + 1 :] = [f"{parents[depth]}{name}"]
        found.add(f"{parents[depth]}{name}".rstrip("/"))
    return found


def test_the_tree_names_what_is_there() -> None:
    """Each line of the tree exists; each folder with code at the top, and each package, has its line."""
    tree = tree_of_the_page()
    packages = {
        path.parent.relative_to(ROOT).as_posix()
        for folder in FOLDERS
        if folder != "tests"
        for path in (ROOT / folder).rglob("__init__.py")
    }

    assert [path for path in sorted(tree) if not (ROOT / path).exists()] == []
    assert sorted({*packages, *FOLDERS} - tree) == []


def rows_under(page: str, heading: str) -> list[list[str]]:
    """Cells of the first table under a heading, without its head."""
    section = text_of(page).split(f"{heading}\n", 1)[1]
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_table_of_topics_is_what_is_declared() -> None:
    """docs/architecture.md and streams/topics.py say the same, in the same order."""
    declared = [
        [
            f"`{spec.name}`",
            spec.key,
            ", ".join(f"`{event.__name__}`" for event in spec.events),
            "n" if spec.partitions > 1 else "1",
            spec.cleanup,
            "for ever"
            if spec.cleanup == "compact"
            else f"{spec.retention_ms // DAY_MS} day{'s' if spec.retention_ms > DAY_MS else ''}",
        ]
        for spec in Topics().all()
    ]

    assert rows_under("docs/architecture.md", "### Topics") == declared


def shown(default: Any) -> str:
    """A default as the table writes it."""
    if default is None:
        return "none"
    if default in ("", ()):
        return "empty"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`"
    return f"`{str(default).replace(str(Path.home()), '~')}`"


OF_TESTS = {"OPSLOOM_TEST_EFFORT", "OPSLOOM_FUZZ_S"}
"""Variables that tests read, not opsloom."""


def all_commands() -> Iterator[Any]:
    """Every command that does something."""
    waiting: list[Any] = [typer.main.get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        yield command


def _variables(parameter: Any) -> list[str]:
    """Environment variables that stand for an option."""
    envvar = getattr(parameter, "envvar", None)
    return [envvar] if isinstance(envvar, str) else list(envvar or ())


def test_every_setting_is_explained_with_its_default() -> None:
    """docs/operations.md has each OPSLOOM_ variable, in the order of the declaration, and no other."""
    rows = rows_under("docs/operations.md", "## Settings")

    assert sorted((row[0], row[1]) for row in rows) == sorted(
        (f"`OPSLOOM_{name.upper()}`", shown(field.default)) for name, field in Settings.model_fields.items()
    )
    known = {f"OPSLOOM_{name.upper()}" for name in Settings.model_fields} | OF_TESTS
    known |= {
        name for command in all_commands() for parameter in command.params for name in _variables(parameter)
    }
    named = {name for page in PAGES for name in re.findall(r"OPSLOOM_[A-Z_]*[A-Z]", text_of(page))}
    assert named - known == set()


def command_lines(page: str) -> Iterator[str]:
    """Lines of shell blocks, and words in backquotes, that call opsloom with arguments."""
    for language, block in FENCE.findall(text_of(page)):
        if language in ("sh", "bash", "shell", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                line = line.strip().removeprefix("$ ").removeprefix(".venv/bin/")
                if re.match(r"opsloom [a-z-]", line):
                    yield line
    for word in CODE.findall(prose_of(page)):
        if re.match(r"opsloom [a-z-]", word):
            yield word


def parse(line: str) -> None:
    """Parse a command line as far as the command itself, without running it. Raises USAGE_ERROR."""
    words = shlex.split(line.replace("…", "x"), comments=True)[1:]
    command: Any = typer.main.get_command(app)
    context = None
    while hasattr(command, "commands"):
        if not words or words[0].startswith("-"):
            command.make_context(command.name, words or ["--help"], parent=context)
            return
        context = command.make_context(command.name, words[:1], parent=context, resilient_parsing=True)
        _, found, rest = command.resolve_command(context, words)
        if found is None:
            raise typer.BadParameter(f"there is no command {words[0]}")
        command, words = found, rest
    wants = [parameter for parameter in command.params if parameter.param_type_name == "argument"]
    if not words and any(parameter.required for parameter in wants):
        return  # only named, as in "`opsloom ask`"
    command.make_context(command.name, words, parent=context)


@pytest.mark.parametrize("page", PAGES)
def test_command_lines_parse(page: str) -> None:
    """Every `opsloom …` in a shell block or in backquotes is a command with options that exist."""
    wrong = []
    for line in command_lines(page):
        try:
            parse(line)
        except typer.Exit:
            pass  # --help and --version end by themselves
        except USAGE_ERROR as exc:
            wrong.append(f"{line}: {exc}")
    assert wrong == []


def test_every_command_is_named() -> None:
    """The README or the pages for operators name each command."""
    named = " ".join(text_of(page) for page in PAGES)
    group: Any = typer.main.get_command(app)
    assert [
        name for name in group.commands if not re.search(rf"opsloom {re.escape(name)}\b|`{name}`", named)
    ] == []


def test_every_decision_is_in_the_index() -> None:
    """docs/adr/README.md lists each page beside it, under its number."""
    folder = ROOT / "docs" / "adr"
    pages = sorted(path.name for path in folder.glob("[0-9]*.md"))

    assert re.findall(r"\((\d{4}-[\w-]+\.md)\)", text_of("docs/adr/README.md")) == pages
    assert [int(page[:4]) for page in pages] == list(range(1, len(pages) + 1))


def test_targets_of_make_that_are_named_exist() -> None:
    """`make x` in a page is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", text_of("Makefile"), re.MULTILINE))
    named = {
        name for page in PAGES for name in re.findall(r"(?:^|`)make ([a-z-]+)", text_of(page), re.MULTILINE)
    }
    assert named - targets == set()
