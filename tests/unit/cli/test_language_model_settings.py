"""What a worker is told when a language model is asked for and cannot be had."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from agents.execution.toolbox import MissingExtra
from cli.language_model import llm_client, with_llm_tools
from registry.registry import Registry
from streams.settings import Settings

THERE = {"llm_url": "http://127.0.0.1:9/v1", "llm_model": "small"}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"planner": "llm"}, "planner"),
        ({"composer": "llm"}, "composer"),
        ({"llm_url": "http://127.0.0.1:9/v1"}, "llm_model"),
    ],
)
def test_half_a_configuration_names_the_setting_that_is_wrong(given: dict[str, str], named: str) -> None:
    """Before anything starts."""
    with pytest.raises(ValidationError) as caught:
        Settings(**given)  # type: ignore[arg-type]

    assert [error["loc"] for error in caught.value.errors()] == [(named,)]


def test_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to install it; without a model nothing is missing."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    with pytest.raises(MissingExtra, match=r"opsloom\[llm\]"):
        llm_client(Settings(**THERE))  # type: ignore[arg-type]
    assert llm_client(Settings()) is None


def test_tools_of_the_model_come_with_it() -> None:
    """`llm_tool` wherever there is a model, the composer where it is to write; neither without a model."""
    registry = Registry.of()

    without = with_llm_tools(registry, Settings())
    planning = with_llm_tools(registry, Settings(**THERE))  # type: ignore[arg-type]
    writing = with_llm_tools(registry, Settings(**THERE, composer="llm"))  # type: ignore[arg-type]

    assert set(without.tools) == set()
    assert set(planning.tools) == {"llm_tool"}
    assert set(writing.tools) == {"llm_tool", "composer"}
    tool, composer = writing.tool("llm_tool"), writing.tool("composer")
    assert tool is not None
    assert (tool.execution_mode, tool.timeout_seconds, tool.rate_limit_per_minute) == ("serial", 120.0, 30)
    assert composer is not None
    policy = writing.policy_for(composer)
    assert policy is not None
    assert policy.over_limit == "refuse"
