"""Every number in a text is followed by a mark, and is in what the mark points at."""

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.aggregation.citing import Cited, cited
from agents.aggregation.figures import written
from agents.aggregation.marks import marked
from agents.aggregation.voice import PLAIN, voice_of
from schemas.answers import AnswerComposed
from schemas.calls import Column, Shape, ToolOutput, Unit
from schemas.plans import Render, Show
from tests.unit.agents.aggregation.test_telling import answer_to

QUOTED = re.compile(r"“[^”]*”")
NUMBER = re.compile(r"(?<![\w.:/\[(#-])[-−]?\d[\d,.:/-]*\d|(?<![\w.:/\[#-])[-−]?\d")
NAMES = ("alpha", "beta", "gamma")
values = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(-1e6, 1e6).map(lambda value: round(value, 4)),
    st.sampled_from(["db-7", "1.13.0", "2026-11-20 15:02:00", "plain words", "web-1 up 3 days"]),
    st.booleans(),
    st.none(),
)
units = st.sampled_from([Unit.NUMBER, Unit.BYTES, Unit.PERCENT, Unit.SECONDS, Unit.TEXT])
holes = st.sampled_from(
    ["{alpha}", "{beta|number}", "{gamma|number|ms}", "{alpha|number|row|rows}", "{row_count}건"]
)
literals = st.sampled_from([" and ", ", of 7 days: ", " ms, ", " — p95 ", ". ", "개, "])
templates = st.lists(st.one_of(holes, literals), min_size=1, max_size=6).map("".join)


@st.composite
def outputs(draw: Any) -> ToolOutput:
    """Facts, a table of some rows, or nothing."""
    if draw(st.booleans()):
        facts = draw(st.dictionaries(st.sampled_from(NAMES), values, max_size=3))
        return ToolOutput(shape=Shape.FACTS, facts=facts, fact_units={name: draw(units) for name in facts})
    rows = draw(st.lists(st.lists(values, min_size=3, max_size=3), max_size=4))
    columns = tuple(Column(name=name, unit=draw(units)) for name in NAMES)
    return ToolOutput(shape=Shape.TABLE, columns=columns, rows=rows, truncated=draw(st.booleans()))


def unmarked(text: str) -> list[str]:
    """Numbers outside quotation marks that no mark follows before the next number."""
    found = []
    marks_hidden = re.sub(r" \[\d+\]", " \x00", text)
    for bare in QUOTED.sub("“”", marks_hidden).splitlines():
        for number in NUMBER.finditer(bare):
            behind = bare[number.end() :]
            following = NUMBER.search(behind)
            reach = behind[: following.start()] if following is not None else behind
            if "\x00" not in reach and not _same_value(bare, number.end(), following):
                found.append(number.group())
    return found


def _same_value(text: str, end: int, following: re.Match[str] | None) -> bool:
    """ "3 min 20 s [1]", "2026-11-20 15:02:00 UTC [1]": two numbers of one value."""
    return following is not None and len(text[end : end + following.start()].strip(" :hmind일시간분")) == 0


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(outputs(), templates), min_size=1, max_size=3),
    st.sampled_from(["en", "ko"]),
    st.booleans(),
)
def test_every_number_is_followed_by_a_mark(
    steps: list[tuple[ToolOutput, str]], language: str, drawn: bool
) -> None:
    """In the text and in markdown blocks, whatever was found, whatever the template says."""
    show = Show.TEXT if drawn else Show.TABLE
    answer = answer_to(
        *[(output, Render(title="Of 12 things", text=text, show=show)) for output, text in steps],
        language=language,
    )

    assert unmarked(answer.text) == [], answer.text
    for block in answer.blocks:
        assert unmarked(block.text) == [], block.text
    known = {reference.reference_id for reference in answer.references}
    assert set(re.findall(r"\[(\d+)\]", answer.text)) <= known


@settings(max_examples=100, deadline=None)
@given(st.lists(outputs(), min_size=1, max_size=3))
def test_marked_figures_are_in_the_output_that_the_mark_names(found: list[ToolOutput]) -> None:
    """Each value of the default texts is a value of its step's output, as written."""
    answer = answer_to(*[(output, None) for output in found])

    for output, text in zip(found, answer.text.splitlines(), strict=False):
        if output.shape is Shape.FACTS and output.facts:
            for name, value in output.facts.items():
                assert written(value, output.fact_units[name]) in text
    assert_counts(answer, found)


def assert_counts(answer: AnswerComposed, found: list[ToolOutput]) -> None:
    for reference, output in zip(answer.references, found, strict=True):
        assert reference.row_count == len(output.rows)


def test_text_of_another_writer_is_marked_by_where_its_figures_are() -> None:
    """The first output that holds a figure, by the order of the steps; the writer's own marks go."""
    one = ToolOutput(shape=Shape.FACTS, facts={"latency": 165.5, "load": 7})
    two = ToolOutput(shape=Shape.FACTS, facts={"errors": 42, "load": 7})
    text = "1. Latency is 165.5 ms [9] on db-7.\n2. There were 42 errors at load 7."

    assert cited(text, [Cited("[1]", one), Cited("[2]", two)], "?", PLAIN) == (
        "1. Latency is 165.5 ms [1] on db-7.\n2. There were 42 [2] errors at load 7 [1]."
    )


def test_moment_is_found_on_the_clocks_of_the_asker() -> None:
    """A model may write a moment in the asker's zone."""
    two = ToolOutput(shape=Shape.FACTS, facts={"at": 1_790_000_000})

    text = cited("It was at 2026-09-21 23:13.", [Cited("[1]", ToolOutput(shape=Shape.FACTS)), Cited("[2]", two)],
                 "?", voice_of("en", "Asia/Seoul"))  # fmt: skip

    assert text == "It was at 2026-09-21 23:13 [2]."


def test_marking_leaves_names_alone() -> None:
    """eth0, p95 and db-7 are names; days and dates are figures."""
    assert marked("eth0 of db-7, p95 over 7 days to 2026-11-20", "[1]") == (
        "eth0 of db-7, p95 over 7 days [1] to 2026-11-20 [1]"
    )
