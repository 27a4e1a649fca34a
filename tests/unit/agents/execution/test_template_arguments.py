"""Arguments of a template: strict, bounded, known, with defaults."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.execution.arguments import template_arguments
from agents.execution.guards.verdict import Refuse
from registry.assets import TemplateAsset
from schemas.errors import ErrorCode


def template(statement: str = "SELECT 1") -> TemplateAsset:
    return TemplateAsset.model_validate(
        {
            "id": "t",
            "title": "T",
            "tool": "tool",
            "mode": "config",
            "examples": ["t?"],
            "statement": statement,
            "parameters": {
                "name": {"type": "string", "resolver": "entity", "values": ["a"]},
                "level": {"type": "string", "resolver": "enum", "values": ["low", "high"], "default": "low"},
                "n": {"type": "integer", "resolver": "top_n", "default": 5, "minimum": 1, "maximum": 100},
                "share": {"type": "number", "resolver": "number", "default": 0.5, "minimum": 0, "maximum": 1},
                "range": {"type": "time_range", "resolver": "time_range", "default": "last 1 hour"},
            },
        }
    )


GIVEN = {"name": "x", "range_from": 1.0, "range_to": 2}


def test_defaults_fill_what_is_not_given() -> None:
    assert template_arguments(template(), GIVEN) == {**GIVEN, "level": "low", "n": 5, "share": 0.5}


def test_without_a_statement_a_time_range_becomes_from_and_to() -> None:
    values = template_arguments(template(""), GIVEN)

    assert values == {"name": "x", "from": 1.0, "to": 2, "level": "low", "n": 5, "share": 0.5}


def test_without_a_statement_a_time_range_may_be_left_to_the_tool() -> None:
    assert template_arguments(template(""), {"name": "x"}) == {
        "name": "x",
        "level": "low",
        "n": 5,
        "share": 0.5,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"name": 1},
        {"name": None},
        {"name": "x" * 2_001},
        {"name": "a\x00b"},
        {"level": "medium"},
        {"n": "5"},
        {"n": 5.0},
        {"n": True},
        {"n": 0},
        {"n": 101},
        {"share": "0.5"},
        {"share": float("nan")},
        {"share": float("inf")},
        {"share": 1.1},
        {"range_from": "yesterday"},
        {"range": "last 1 hour"},
        {"unknown": 1},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    verdict = template_arguments(template(), {**GIVEN, **change})

    assert isinstance(verdict, Refuse)
    assert verdict.code is ErrorCode.INVALID_PARAMS


@pytest.mark.parametrize("missing", ["name", "range_from", "range_to"])
def test_what_has_no_default_must_be_given(missing: str) -> None:
    given_args = {name: value for name, value in GIVEN.items() if name != missing}

    assert isinstance(template_arguments(template(), given_args), Refuse)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*GIVEN, "n", "share", "level", "other"]), _JSON, max_size=6))
def test_any_arguments_get_a_verdict(args: dict[str, Any]) -> None:
    """Values of the declared types, or a refusal; never an exception."""
    values = template_arguments(template(), args)

    if not isinstance(values, Refuse):
        assert isinstance(values["name"], str)
        assert 1 <= values["n"] <= 100
        assert 0 <= values["share"] <= 1
