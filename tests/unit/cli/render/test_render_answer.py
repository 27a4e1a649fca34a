"""Answers as a terminal shows them."""

import dataclasses
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from cli.render.answer import render_answer
from schemas.answers import (
    AnswerComposed,
    Block,
    BlockKind,
    BudgetSummary,
    PhaseBudget,
    Reference,
    Status,
    ToolResult,
)
from schemas.calls import Column, Unit
from schemas.errors import ErrorCode, ops_error
from schemas.plans import PlanKind

AT = datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC)


def shown(part: RenderableType, width: int = 80, *, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(), width=width, force_terminal=colour, color_system="standard" if colour else "auto"
    )
    console.print(part)
    stream = console.file
    assert isinstance(stream, io.StringIO)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def an_answer(*blocks: Block, **fields: Any) -> AnswerComposed:
    answer = AnswerComposed(
        answer_id="a",
        trace_id="t",
        question_id="q",
        tenant_id="acme",
        user_id="u",
        question="how full are the disks?",
        mode="all",
        status=Status.PARTIAL_SUCCESS,
        plan_kind=PlanKind.PLAN,
        text="/data is at 90.9% [1].\nhost_metrics did not answer in time (TOOL_TIMEOUT), so “CPU” is missing.",
        results=(
            ToolResult(
                step_id="s1",
                tool_id="host_config",
                call_id="1",
                success=True,
                status="success",
                duration_ms=12,
            ),
            ToolResult(
                step_id="s2",
                tool_id="host_metrics",
                call_id="2",
                success=False,
                status="timeout",
                duration_ms=3000,
                retries=1,
                error_code=ErrorCode.TOOL_TIMEOUT,
            ),
            ToolResult(
                step_id="s3",
                tool_id="graph",
                call_id="3",
                success=False,
                status="skipped",
                duration_ms=0,
                cause="s2",
            ),
        ),
        budget=BudgetSummary(
            total_ms=3000,
            elapsed_ms=3120,
            remaining_ms=0,
            exhausted=True,
            phases=(
                PhaseBudget(
                    phase="planning", budget_ms=3000, elapsed_ms=8, remaining_ms=2992, exhausted=False
                ),
                PhaseBudget(
                    phase="execution", budget_ms=3000, elapsed_ms=3112, remaining_ms=0, exhausted=True
                ),
                PhaseBudget(
                    phase="response", budget_ms=3000, elapsed_ms=0, remaining_ms=3000, exhausted=False
                ),
            ),
        ),
        blocks=blocks,
        references=(
            Reference(
                reference_id="1",
                step_id="s1",
                call_id="1",
                tool_id="host_config",
                source="host.config",
                query="host.disks",
                row_count=2,
                read_at=AT,
            ),
        ),
        suggestions=("how much memory is free?",),
        asked_at=AT,
        answered_at=AT,
    )
    return dataclasses.replace(answer, **fields)


DISKS = Block(
    kind=BlockKind.TABLE,
    title="Disks",
    columns=(
        Column(name="mount"),
        Column(name="used", unit=Unit.BYTES),
        Column(name="full", unit=Unit.PERCENT),
    ),
    rows=(("/데이터", 10**11, 90.9), ("/[red]x[/red]", None, 3.14)),
    rows_left_out=5,
    references=("1",),
)


def test_answer_shows_text_table_sources_tools_and_time() -> None:
    """The whole of a partial answer, to the letter."""
    assert shown(render_answer(an_answer(DISKS))) == (
        "◐ partial success  how full are the disks?\n"
        "\n"
        "  /data is at 90.9% [1].\n"
        "  host_metrics did not answer in time (TOOL_TIMEOUT), so “CPU” is missing.\n"
        "\n"
        "  Disks [1]\n"
        "  mount              used   full\n"
        "  ──────────────────────────────\n"
        "  /데이터        93.1 GiB  90.9%\n"
        "  /[red]x[/red]         –   3.1%\n"
        "  … 5 more rows\n"
        "\n"
        "  [1] host_config · host.disks · 2 rows · 14:13:20 UTC\n"
        "\n"
        "  ✔  host_config     12 ms\n"
        "  ◷  host_metrics      3 s  TOOL_TIMEOUT · 1 retry\n"
        "  ↷  graph         skipped  waited for s2, which did not succeed\n"
        "\n"
        "  3.1 s of 3 s · planning 8 ms · execution 3.1 s (exhausted) · budget exhausted\n"
        "\n"
        "  See also:\n"
        "  • how much memory is free?"
    )


def test_series_is_a_sparkline_with_its_ends() -> None:
    """Lowest, highest and last value in their unit, and the times of the ends."""
    block = Block(
        kind=BlockKind.TIME_SERIES,
        title="Load",
        columns=(Column(name="at", unit=Unit.TIMESTAMP), Column(name="load", unit=Unit.NUMBER)),
        rows=(
            (AT.timestamp(), 1.0),
            (AT.timestamp() + 60, None),
            (AT.timestamp() + 120, 8.0),
            (AT.timestamp() + 180, 4.5),
        ),
        references=("1",),
    )

    assert (
        "  Load [1]\n  ▁█▅\n  min 1 · max 8 · last 4.5 · 3 points\n  2026-09-21 14:13:20 – 14:16:20 UTC\n"
    ) in shown(render_answer(an_answer(block)))


def test_graph_is_a_tree_that_ends_in_cycles() -> None:
    """A node drawn before is marked, not drawn again; links that were left out are counted."""
    block = Block(
        kind=BlockKind.GRAPH,
        title="Depends",
        rows=(
            ("app", "needs", "db"),
            ("db", "needs", "disk"),
            ("disk", "serves", "db"),
            ("app", "needs", "web"),
        ),
        rows_left_out=2,
    )

    assert (
        "  Depends\n"
        "  app\n"
        "  ├── needs db\n"
        "  │   └── needs disk\n"
        "  │       └── serves db (above)\n"
        "  └── needs web\n"
        "  … 2 more links\n"
    ) in shown(render_answer(an_answer(block)))


def test_graph_of_a_pure_cycle_is_drawn_too() -> None:
    """Where every node is pointed at, the first one begins."""
    block = Block(kind=BlockKind.GRAPH, title="Ring", rows=(("a", "to", "b"), ("b", "to", "a")))

    assert "  a\n  └── to b\n      └── to a (above)\n" in shown(render_answer(an_answer(block)))


def test_large_graph_stays_readable() -> None:
    """What does not fit is counted."""
    block = Block(kind=BlockKind.GRAPH, title="Star", rows=tuple(("hub", "to", f"n{n}") for n in range(100)))

    text = shown(render_answer(an_answer(block)))

    assert "… 61 more links" in text
    assert "n39" not in text


def test_one_wide_row_is_shown_as_a_record() -> None:
    """Many columns of a single row go down, not across."""
    block = Block(
        kind=BlockKind.TABLE,
        title="Host",
        columns=tuple(Column(name=name) for name in ("name", "kernel", "cores", "arch")),
        rows=(("edge", "6.1", 2, "x86_64"),),
    )

    assert "  name    edge\n  kernel  6.1\n  cores   2\n  arch    x86_64\n" in shown(
        render_answer(an_answer(block))
    )


def test_failed_answer_says_why_and_what_to_ask() -> None:
    """The error's code and message, and suggestions instead of an answer."""
    answer = an_answer(
        status=Status.FAILED,
        text="I know nothing of that.",
        results=(),
        references=(),
        error=ops_error(ErrorCode.PLAN_INVALID, "I know nothing of that.").public(),
    )

    text = shown(render_answer(answer))

    assert text.startswith("✘ failed  how full are the disks?\n")
    assert text.count("I know nothing of that.") == 1
    assert "\n  PLAN_INVALID\n" in text
    assert "You could ask:\n  • how much memory is free?" in text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """Wide characters, many columns and endless words included."""
    wide = Block(
        kind=BlockKind.TABLE,
        title="한국어 제목 " * 20,
        columns=tuple(Column(name=f"column_{n}", unit=Unit.BYTES if n % 2 else Unit.TEXT) for n in range(12)),
        rows=tuple(tuple("데이터" * 30 if n % 2 == 0 else 10**12 for n in range(12)) for _ in range(3)),
    )
    points = tuple((float(n), float(n % 17)) for n in range(500))
    series = Block(
        kind=BlockKind.TIME_SERIES, title="s", columns=(Column(name="a"), Column(name="b")), rows=points
    )

    text = shown(render_answer(an_answer(wide, series, text="長い文章 " * 40 + "x" * 300)), width)

    assert max(cell_len(line) for line in text.splitlines()) <= width


def test_nothing_from_the_answer_steers_the_terminal() -> None:
    """Escapes and markup in any text are inert, with and without colour."""
    evil = "\x1b[31mred\x1b]0;t\x07[bold]b[/bold]"
    block = dataclasses.replace(DISKS, title=evil, rows=((evil, 1, 2),))

    answer = an_answer(block, question=evil, text=evil, suggestions=(evil,))

    assert "\x1b" not in shown(render_answer(answer))
    assert "red[bold]b[/bold]" in shown(render_answer(answer))
    assert "\x1b[31mred" not in shown(render_answer(answer), colour=True)
    assert "\x1b" in shown(render_answer(answer), colour=True)
