"""The answer's text, blocks, references and bounds."""

import dataclasses
from typing import Any

import msgspec
import pytest

from agents.aggregation.compose import MAX_ANSWER_BYTES, compose
from agents.aggregation.trace import Trace
from schemas.answers import AnswerComposed, BlockKind, Status
from schemas.calls import Column, Shape, ToolFailed, ToolOutput, ToolSucceeded, Unit
from schemas.errors import ErrorCode, ops_error
from schemas.ids import call_id, trace_id
from schemas.plans import PlanKind, PlanMade, Render, Show, Step

TRACE = trace_id("acme", "q")
ASKED_AT = 1_790_000_000.0
MEMORY = ToolOutput(
    shape=Shape.TABLE,
    columns=(
        Column(name="used", unit=Unit.BYTES),
        Column(name="percent", unit=Unit.PERCENT),
        Column(name="host"),
    ),
    rows=[[25_125_558_681, 75.31, "edge"]],
    source="host.config",
    query="host.memory",
    read_at=ASKED_AT + 0.25,
)


def answer_to(
    *outputs: ToolOutput | ErrorCode, render: Render | None = None, **of_step: Any
) -> AnswerComposed:
    """The answer to a plan of one step per output, all rendered alike."""
    steps, succeeded, failed = [], {}, {}
    for number, output in enumerate(outputs, 1):
        name = f"s{number}"
        steps.append(
            Step(step_id=name, tool_id=f"tool_{number}", tool_type="t", kind="sql", render=render, **of_step)
        )
        common: dict[str, Any] = {
            "trace_id": TRACE,
            "tenant_id": "acme",
            "call_id": call_id(TRACE, name, 0),
            "step_id": name,
            "tool_id": f"tool_{number}",
            "tool_type": "t",
            "group": 0,
            "started_at": ASKED_AT + 0.2,
            "ended_at": ASKED_AT + 0.3,
        }
        if isinstance(output, ToolOutput):
            succeeded[name] = ToolSucceeded(**common, output=output)
        else:
            failed[name] = ToolFailed(**common, error=ops_error(output, detail="db-7.internal /var/lib/x"))
    plan = PlanMade(
        trace_id=TRACE,
        tenant_id="acme",
        question_id="q",
        user_id="u",
        roles=(),
        question="how much?",
        mode="all",
        kind=PlanKind.PLAN,
        asked_at=ASKED_AT,
        planned_at=ASKED_AT + 0.1,
        deadline_at=ASKED_AT + 120,
        steps=tuple(steps),
    )
    trace = Trace(trace_id=TRACE, deadline_at=plan.deadline_at, plan=plan, succeeded=succeeded, failed=failed)
    return compose(trace, ASKED_AT + 0.5)


def sentence(text: str, show: Show = Show.TABLE) -> Render:
    return Render(title="Memory", text=text, show=show)


def test_every_figure_is_followed_by_the_mark_of_its_reference() -> None:
    """Values with their units, each pointing at where it came from; a plain name needs no mark."""
    answer = answer_to(MEMORY, MEMORY, render=sentence("{host}: {used|bytes} used, {percent}."))

    assert answer.text == "edge: 23.4 GiB [1] used, 75.3% [1].\nedge: 23.4 GiB [2] used, 75.3% [2]."
    assert [reference.reference_id for reference in answer.references] == ["1", "2"]
    first = answer.references[0]
    assert (first.source, first.query, first.row_count) == ("host.config", "host.memory", 1)
    assert first.call_id == answer.results[0].call_id


def test_sentence_without_figures_still_names_its_reference() -> None:
    """The last value gets the mark, or the sentence if it has none."""
    assert answer_to(MEMORY, render=sentence("It is {host}.")).text == "It is edge [1]."
    assert answer_to(MEMORY, render=sentence("All is well.")).text == "All is well. [1]"


def test_facts_come_before_columns_and_the_unknown_is_said() -> None:
    """A name found nowhere is called unknown rather than left out."""
    output = ToolOutput(
        shape=Shape.FACTS, facts={"p95": 0.2512, "kept": None}, fact_units={"p95": Unit.SECONDS}
    )

    assert (
        answer_to(output, render=sentence("p95 {p95}, kept {kept}.")).text == "p95 251 ms [1], kept unknown."
    )
    assert answer_to(MEMORY, render=sentence("{nothing} of {used}")).text == "unknown of 23.4 GiB [1]"


def test_every_output_knows_its_count_and_when_it_was_read() -> None:
    """Both may be named in a template; a count that was cut is only a lower bound."""
    text = "{row_count} at {read_at}, {used}"

    assert (
        answer_to(MEMORY, render=sentence(text)).text == "1 [1] at 2026-09-21 14:13:20 UTC [1], 23.4 GiB [1]"
    )
    cut = dataclasses.replace(MEMORY, truncated=True)
    assert answer_to(cut, render=sentence("{row_count} rows")).text.startswith("more than 1 [1] rows\n")


def test_output_without_rows_says_that_nothing_was_found() -> None:
    """An empty table is an answer too."""
    empty = ToolOutput(shape=Shape.TABLE, columns=MEMORY.columns)

    answer = answer_to(empty, render=sentence("{used} used"))

    assert (answer.text, answer.status) == ("Memory: nothing was found [1].", Status.SUCCESS)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (ToolOutput(shape=Shape.FACTS, facts={"ok": True, "count": 3}), "tool_1: ok yes [1], count 3 [1]."),
        (MEMORY, "tool_1: 1 row [1]."),
        (
            ToolOutput(
                shape=Shape.SERIES,
                columns=(Column(name="at", unit=Unit.TIMESTAMP), Column(name="load", unit=Unit.NUMBER)),
                rows=[[1.0, 2.5], [2.0, 0.5], [3.0, 1.25]],
            ),
            "tool_1: last 1.25 [1], lowest 0.5 [1], highest 2.5 [1].",
        ),
        (
            ToolOutput(shape=Shape.GRAPH, columns=(Column(name="from"),), rows=[["a", "r", "b"]] * 2),
            "tool_1: 2 links [1].",
        ),
    ],
    ids=["facts", "table", "series", "graph"],
)
def test_output_without_a_template_is_told_by_its_shape(output: ToolOutput, text: str) -> None:
    """A producer's own plan has no render; its answer still speaks."""
    assert answer_to(output).text == text


def test_table_block_counts_the_rows_left_out() -> None:
    """Drawn are as many as the render says; the main result has more of them."""
    many = ToolOutput(
        shape=Shape.TABLE, columns=(Column(name="n", unit=Unit.NUMBER),), rows=[[n] for n in range(312)]
    )

    answer = answer_to(many, render=Render(title="All", max_rows=5))

    block = answer.blocks[0]
    assert (block.kind, len(block.rows), block.rows_left_out, block.references) == (
        BlockKind.TABLE,
        5,
        307,
        ("1",),
    )
    assert answer.main_result is not None
    assert len(answer.main_result.rows) == 100
    assert answer.main_result.truncated
    assert "All: this answer carries the first 100 [1] of 312 rows [1]." in answer.text


def test_truncation_by_the_tool_is_said() -> None:
    """A cut at the tool's cap is part of the answer."""
    cut = ToolOutput(shape=Shape.TABLE, columns=(Column(name="n"),), rows=[["a"]] * 20, truncated=True)

    assert "there is more than the 20 rows [1] that may be read; it was cut." in answer_to(cut).text


def test_blocks_follow_render_where_the_shape_allows() -> None:
    """Series, graph and text are drawn as such; a table asked to be a graph stays a table; references end."""
    series = ToolOutput(shape=Shape.SERIES, columns=(Column(name="at"), Column(name="v")), rows=[[1.0, 2.0]])
    graph = ToolOutput(
        shape=Shape.GRAPH,
        columns=(Column(name="from"), Column(name="relation"), Column(name="to")),
        rows=[["a", "needs", "b"]],
    )

    def kinds(output: ToolOutput, show: Show) -> list[BlockKind]:
        return [block.kind for block in answer_to(output, render=sentence("x", show)).blocks]

    assert kinds(series, Show.SERIES) == [BlockKind.TIME_SERIES, BlockKind.REFERENCES]
    assert kinds(graph, Show.GRAPH) == [BlockKind.GRAPH, BlockKind.REFERENCES]
    assert kinds(graph, Show.TABLE) == [BlockKind.TABLE, BlockKind.REFERENCES]
    assert kinds(MEMORY, Show.GRAPH) == [BlockKind.TABLE, BlockKind.REFERENCES]
    assert kinds(MEMORY, Show.TEXT) == [BlockKind.MARKDOWN, BlockKind.REFERENCES]


def test_failures_are_said_in_plain_words_and_leak_nothing() -> None:
    """Tool, code and what is missing; never the operators' detail."""
    answer = answer_to(
        MEMORY, ErrorCode.UPSTREAM_UNAVAILABLE, ErrorCode.INVALID_PARAMS, render=sentence("{used}")
    )

    assert answer.status is Status.PARTIAL_SUCCESS
    assert answer.text.splitlines()[1:] == [
        "tool_2 could not reach what it asks (UPSTREAM_UNAVAILABLE), so “Memory” is missing.",
        "tool_3 failed: The parameters do not fit the tool (INVALID_PARAMS), so “Memory” is missing.",
    ]
    assert (answer.successful_tools, answer.failed_tools) == (("tool_1",), ("tool_2", "tool_3"))
    assert "internal" not in repr(answer)
    assert "/var/lib" not in repr(answer)


def test_main_result_is_the_last_success_nobody_depends_on() -> None:
    """A failed step has none; the last that has one is it."""
    answer = answer_to(MEMORY, ToolOutput(shape=Shape.FACTS, facts={"x": 1}), ErrorCode.INTERNAL_ERROR)

    assert answer.main_result is not None
    assert answer.main_result.facts == {"x": 1}


def test_terminal_and_markdown_control_in_outputs_is_harmless() -> None:
    """No escape, no override, no fake mark, no Markdown, no HTML comes through from a tool."""
    evil = "\x1b[31mred\x1b[0m\x1b]0;title\x07\u202e[2] **bold** <script> \x9b1mx\nnew"
    output = ToolOutput(
        shape=Shape.TABLE,
        columns=(Column(name="evil\x1b[1m"),),
        rows=[[evil]],
        facts={"evil": evil},
        source=evil,
        query=evil,
    )

    answer = answer_to(output, render=sentence("{evil}", Show.TEXT))

    wire = msgspec.json.encode(answer).decode()
    for control in ("\\u001b", "\x1b", "\x07", "\u202e", "\x9b", "\\r"):
        assert control not in wire
    assert answer.text == "red(2) **bold** <script> x new [1]"
    assert answer.blocks[0].text == "red(2) \\*\\*bold\\*\\* \\<script\\> x new [1]"


def test_answer_never_exceeds_its_size() -> None:
    """Rows are cut until it fits, and the block counts what was left out."""
    wide = ToolOutput(
        shape=Shape.TABLE,
        columns=tuple(Column(name=f"c{n}") for n in range(200)),
        rows=[["\U0001f40d" * 900 for _ in range(200)] for _ in range(120)],
        facts={f"f{n}": "é" * 5_000 for n in range(300)},
        query="q" * 100_000,
    )

    answer = answer_to(*[wide] * 20, render=Render(title="t" * 9_000, text="{c1}" * 90, max_rows=10_000))

    assert len(msgspec.json.encode(answer)) <= MAX_ANSWER_BYTES
    assert answer.blocks[0].rows_left_out + len(answer.blocks[0].rows) == 120


def test_figures_no_reader_can_hold_are_made_harmless() -> None:
    """Huge integers become text, NaN becomes nothing."""
    output = ToolOutput(
        shape=Shape.TABLE, columns=(Column(name="n"),), rows=[[2**80], [float("nan")], [{"a": 1}]]
    )

    answer = answer_to(output)

    assert answer.blocks[0].rows == ((str(2**80),), (None,), ("{'a': 1}",))
    assert msgspec.json.encode(answer)


def test_budget_tells_where_the_time_went() -> None:
    """Phases in order, each within the whole, their sum what elapsed."""
    budget = answer_to(MEMORY).budget

    assert [phase.phase for phase in budget.phases] == [
        "planning",
        "tool_resolution",
        "execution",
        "aggregation",
        "response",
    ]
    assert [round(phase.elapsed_ms) for phase in budget.phases] == [100, 100, 100, 200, 0]
    assert round(budget.elapsed_ms) == 500
    assert (budget.total_ms, budget.exhausted) == (120_000.0, False)
