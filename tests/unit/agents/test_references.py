"""References to earlier results: what they may say, what they find, and what no path can do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.references import (
    MAX_VALUE_BYTES,
    Unresolved,
    fault_of,
    has_references,
    references_in,
    resolved,
)
from schemas.calls import ClaimCheck, Column, Shape, ToolOutput

OUTPUT = ToolOutput(
    shape=Shape.TABLE,
    columns=(Column(name="name"), Column(name="n")),
    rows=[["x", 3], ["y", 9], ["z", None]],
    facts={"total": 12, "none": None},
)


def found(path: str, output: ToolOutput | None = OUTPUT) -> object:
    return resolved({"$from": "a", "path": path}, lambda _: output)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("rows[0].name", "x"),
        ("rows[*].n", [3, 9]),
        ("rows[?n > `3`].name | [0]", "y"),
        ("max_by(rows[?n], &n).name", "y"),
        ("facts.total", 12),
        ("columns", ["name", "n"]),
        ("row_count", 3),
        ("truncated", False),
        ("rows[1:].{who: name}", [{"who": "y"}, {"who": "z"}]),
    ],
)
def test_a_path_finds_its_value(path: str, value: object) -> None:
    """Rows by column, facts by name; numbers stay numbers."""
    assert found(path) == value


@pytest.mark.parametrize("path", ["rows[7].n", "facts.none", "rows[2].n", "nowhere", "avg(rows[].name)"])
def test_nothing_and_null_are_nothing(path: str) -> None:
    """A reference that leads nowhere says so."""
    answer = found(path)
    assert isinstance(answer, Unresolved)
    assert path in answer.message


@pytest.mark.parametrize(
    "path",
    [
        "",
        "rows[[",
        "x" * 300,
        "map(&n, rows)",
        "[@,@][]|[@,@][]|[@,@][]",
        "[" + ",".join(["@"] * 30) + "]",
        "merge(@, @)",
    ],
)
def test_paths_that_are_none_or_could_grow_without_bound_are_refused(path: str) -> None:
    """The language is a whitelist: nothing multiplies its own result."""
    assert fault_of({"$from": "a", "path": path})


@pytest.mark.parametrize(
    "reference", [{"$from": "a"}, {"$from": 1, "path": "x"}, {"$from": "a", "path": "x", "more": 1}]
)
def test_a_malformed_reference_is_refused(reference: dict[str, object]) -> None:
    """Exactly two texts."""
    assert fault_of(reference)
    assert isinstance(resolved(reference, lambda _: OUTPUT), Unresolved)


def test_a_value_is_bounded() -> None:
    """A call does not grow with what an earlier step found."""
    large = ToolOutput(shape=Shape.FACTS, facts={"text": "x" * (MAX_VALUE_BYTES + 1)})
    assert isinstance(found("facts.text", large), Unresolved)


def test_a_claimed_result_is_seen_by_its_first_rows_and_its_whole_count() -> None:
    """The join reads no store."""
    claim = ClaimCheck(reference="r", digest="d", size_bytes=9, row_count=500)
    output = ToolOutput(shape=Shape.TABLE, columns=OUTPUT.columns, rows=[["x", 3]], claim=claim)
    assert found("row_count", output) == 500
    assert found("length(rows)", output) == 1


def test_references_are_found_at_any_depth_and_replaced_in_place() -> None:
    """Lists, objects, side by side."""
    params = {
        "a": [{"b": {"$from": "s", "path": "facts.total"}}],
        "c": {"$from": "t", "path": "row_count"},
        "d": 1,
    }
    assert [each["$from"] for each in references_in(params)] == ["s", "t"]
    assert resolved(params, lambda _: OUTPUT) == {"a": [{"b": 12}], "c": 3, "d": 1}


@given(st.text(max_size=40))
def test_no_text_breaks_the_reader_of_paths(path: str) -> None:
    """A fault or a value, never an exception."""
    reference = {"$from": "a", "path": path}
    fault_of(reference)
    resolved(reference, lambda _: OUTPUT)


@given(
    st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3))
)
def test_parameters_without_references_stay_as_they_are(params: object) -> None:
    """Equal, whatever they are."""
    assert not has_references(params)
    assert resolved(params, lambda _: None) == params
