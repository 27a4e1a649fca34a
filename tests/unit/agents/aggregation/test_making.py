"""Words made quickly are the very words."""

import dataclasses
from typing import Any

import pytest

from agents.aggregation.making import maker
from agents.aggregation.trace import Trace
from schemas.answers import AnswerComposed, Block, BudgetSummary, PhaseBudget, Reference, ToolResult
from schemas.calls import ToolCalled, ToolOutput


@pytest.mark.parametrize(
    "word",
    [AnswerComposed, Block, BudgetSummary, PhaseBudget, Reference, ToolCalled, ToolOutput, ToolResult, Trace],
)
def test_made_word_equals_the_constructed_one(word: type[Any]) -> None:
    """Same class, same fields, same defaults, just as frozen."""
    optional = (dataclasses.MISSING, dataclasses.MISSING)
    given = {
        f.name: f"a {f.name}" for f in dataclasses.fields(word) if (f.default, f.default_factory) == optional
    }

    made = maker(word)(**given)

    assert type(made) is word
    assert made == word(**given)
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, dataclasses.fields(word)[0].name, "other")


def test_defaults_are_not_shared() -> None:
    """Each instance has its own mutable default."""
    make = maker(Trace)

    assert make(trace_id="a").calls is not make(trace_id="b").calls


def test_wrong_field_is_refused() -> None:
    """As the constructor does it."""
    with pytest.raises(TypeError):
        maker(Trace)(trace_id="a", color="red")  # type: ignore[call-arg]  # that is the test
    with pytest.raises(TypeError):
        maker(Trace)()  # type: ignore[call-arg]  # that is the test
