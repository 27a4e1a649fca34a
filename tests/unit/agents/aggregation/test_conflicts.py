"""Which results contradict one another, and which are merely different."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from agents.aggregation.conflicts import SAME_WITHIN, Found, agree, conflicts
from agents.aggregation.outcomes import Outcome
from agents.aggregation.voice import voice_of
from schemas.answers import ToolResult
from schemas.calls import Column, Shape, ToolOutput, Unit
from schemas.plans import Render, Step

DAY = {"series": "checkout", "range_from": 1_795_132_800.0, "range_to": 1_795_219_200.0}
OF_THE_DAY = [
    {"field": "metric", "op": "eq", "value": "latency_p95_ms"},
    {"field": "service", "op": "eq", "value": "checkout"},
    {"field": "day", "op": "gte", "value": "2026-11-20"},
    {"field": "day", "op": "lt", "value": "2026-11-21"},
]


def found(number: int, params: dict[str, Any], figures: dict[str, Any], measure: str = "") -> Found:
    """A step of a tool of its own that found these figures."""
    tool = f"tool_{number}"
    render = Render(title="Latency", measure=measure)
    step = Step(step_id=f"s{number}", tool_id=tool, tool_type="t", kind="sql", params=params, render=render)
    result = ToolResult(
        step_id=step.step_id,
        tool_id=tool,
        call_id=str(number),
        success=True,
        status="success",
        duration_ms=1.0,
    )
    output = ToolOutput(shape=Shape.FACTS, facts=figures, fact_units=dict.fromkeys(figures, Unit.NUMBER))
    return Found(Outcome(step, result, output), output, f"[{number}]")


def series(number: int, mean: float, **args: Any) -> Found:
    return found(
        number, {"template": "t", "args": {**DAY, **args}}, {"mean": mean, "max": 802}, "latency_p95_ms"
    )


def table(number: int, average: float, filters: list[dict[str, Any]]) -> Found:
    aggregates = [
        {"fn": "avg", "field": "value", "as": "level"},
        {"fn": "max", "field": "value", "as": "max"},
    ]
    params = {"table": "metrics_daily", "filters": filters, "aggregates": aggregates}
    return found(number, params, {"level": average, "max": 170})


def test_same_question_with_two_figures_is_one_sentence_with_both() -> None:
    """Equal parameters, two tools: both figures with their references, in the language of the question."""
    pair = [found(1, {"host": "db-7"}, {"load": 10}), found(2, {"host": "db-7"}, {"load": 20})]

    assert conflicts(pair) == [
        "Two tools disagree on load of “Latency”: tool_1 says 10 [1], tool_2 says 20 [2]."
    ]
    assert conflicts(pair, voice_of("ko", "UTC")) == [
        "두 도구의 결과가 서로 다릅니다. “Latency”의 load: tool_1 10 [1], tool_2 20 [2]."
    ]


def test_series_and_days_must_agree_on_the_mean_alone() -> None:
    """Their extremes differ by nature; their means may differ a little."""
    assert conflicts([table(1, 170.5, OF_THE_DAY), series(2, 171.9)]) == []
    told = conflicts([table(1, 170.5, OF_THE_DAY), series(2, 221.0)])
    assert told == ["Two tools disagree on mean of “Latency”: tool_1 says 170.5 [1], tool_2 says 221 [2]."]


def test_what_is_asked_differently_is_no_contradiction() -> None:
    """Another name, another period, one more condition, another measure, no parameters, the same tool."""
    one = table(1, 170.5, OF_THE_DAY)
    region = {"field": "region", "op": "eq", "value": "us-east"}
    assert conflicts([one, series(2, 999, series="payments")]) == []
    assert conflicts([one, series(2, 999, range_to=1_795_300_000.0)]) == []
    assert conflicts([table(1, 170.5, [*OF_THE_DAY, region]), series(2, 999)]) == []
    assert conflicts([found(1, {}, {"load": 1}), found(2, {}, {"load": 9})]) == []
    assert conflicts([found(1, {"a": 1}, {"load": 1}), found(1, {"a": 1}, {"load": 9})]) == []
    reference = {"$from": "s0", "path": "rows[0].x"}
    assert conflicts([found(1, {"a": reference}, {"n": 1}), found(2, {"a": reference}, {"n": 9})]) == []


def test_rows_of_one_are_compared_moments_are_not() -> None:
    """Texts of a single row must be equal but for case and blanks."""

    def row(number: int, owner: str, at: str) -> Found:
        each = found(number, {"service": "search"}, {})
        output = ToolOutput(
            shape=Shape.TABLE, columns=(Column(name="owner"), Column(name="seen")), rows=[[owner, at]]
        )
        return each._replace(output=output, outcome=each.outcome._replace(output=output))

    assert (
        conflicts([row(1, "Team Data", "2026-11-20 10:00:00"), row(2, "team  data", "2026-11-20 11:00:00")])
        == []
    )
    assert len(conflicts([row(1, "data", "2026-11-20"), row(2, "core", "2026-11-20")])) == 1


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12))
def test_agreement_is_symmetric_and_relative(one: float, other: float) -> None:
    """Neither order nor scale decides; a figure agrees with itself."""
    assert agree(one, other, SAME_WITHIN) == agree(other, one, SAME_WITHIN)
    assert agree(one, one, SAME_WITHIN)
    assert agree(one, other, SAME_WITHIN) == agree(one * 4, other * 4, SAME_WITHIN)


@given(st.dictionaries(st.sampled_from("abcd"), st.integers(-1000, 1000), min_size=1), st.integers(2, 6))
def test_equal_results_are_never_called_a_contradiction(figures: dict[str, int], tools: int) -> None:
    """However many tools say the same."""
    assert conflicts([found(n, {"of": "x"}, figures) for n in range(tools)]) == []
