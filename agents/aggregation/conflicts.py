"""Results that contradict one another: said, both figures with their references, and left to the reader to judge.

Rules, made so that nothing that is merely different is called a contradiction:

1. Two calls asked the same when they went to different tools and either their parameters are equal, or both are of
   one measure (`Render.measure`) with equal arguments. Then every figure that both name alike (facts, and columns of
   an output of one row) must agree within 1 %; texts of one row must be equal, letter case and blanks aside. Moments
   are not compared, nor how many rows were read.
2. A series of a measure and an aggregate over a table asked the same mean when the table's filters are: equal to the
   measure, equal to each name among the series' arguments, and the same period, and nothing else. Then the mean and
   the average must agree within 5 %: the table's values are means themselves. Lowest, highest and last are not
   compared, for those of the days' means are not those of the minutes.

A call whose parameters came from another result, or that has none, asks nothing that could be asked twice.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import combinations
from typing import Any, Final, NamedTuple

import orjson

from agents.aggregation.figures import written
from agents.aggregation.outcomes import Outcome
from agents.aggregation.voice import PLAIN, Voice
from agents.aggregation.wording import quoted_title
from agents.references import has_references
from schemas.calls import ToolOutput, Unit
from schemas.plans import Step
from schemas.word import Json

MAX_TOLD: Final = 3
SAME_WITHIN: Final = 0.01
MEANS_WITHIN: Final = 0.05
_NOT_ASKED: Final = frozenset({"limit", "max_rows", "top_k", "functions"})
"""Parameters that say how much to give, not of what."""
_NOT_COMPARED: Final = frozenset({"row_count", "read_at", "total"})
_Value = tuple[Json, Unit]


class Found(NamedTuple):
    """A step that found something, and the mark of its reference."""

    outcome: Outcome
    output: ToolOutput
    mark: str


def conflicts(found: Sequence[Found], voice: Voice = PLAIN) -> list[str]:
    """One sentence for each contradiction, at most `MAX_TOLD`, in the order of the steps."""
    if len({each.outcome.result.tool_id for each in found}) < 2:
        return []
    told: list[str] = []
    for one, other in combinations(found, 2):
        if one.outcome.result.tool_id == other.outcome.result.tool_id:
            continue
        for name, first, second in _disagreements(one, other):
            told.append(_sentence(name, one, first, other, second, voice))
            if len(told) == MAX_TOLD:
                return told
    return told


def _disagreements(one: Found, other: Found) -> Iterator[tuple[str, _Value, _Value]]:
    key = _asked(one.outcome.step)
    if key is not None and key == _asked(other.outcome.step):
        ours, theirs = _figures(one.output), _figures(other.output)
        for name, value in ours.items():
            if name in theirs and not agree(value[0], theirs[name][0], SAME_WITHIN):
                yield name, value, theirs[name]
        return
    for series, table in ((one, other), (other, one)):
        average = _average_of_the_same(series.outcome.step, table.outcome.step)
        ours, theirs = _figures(series.output), _figures(table.output)
        if average is None or "mean" not in ours or average not in theirs:
            continue
        mean, of_table = ours["mean"], theirs[average]
        if not agree(mean[0], of_table[0], MEANS_WITHIN):
            yield "mean", *((mean, of_table) if series is one else (of_table, mean))


def agree(one: Json, other: Json, within: float) -> bool:
    """Whether two values may be called the same. What cannot be compared counts as the same."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other or not (isinstance(one, bool) and isinstance(other, bool))
    if isinstance(one, int | float) and isinstance(other, int | float):
        return not abs(one - other) > within * max(abs(one), abs(other))
    if isinstance(one, str) and isinstance(other, str):
        return " ".join(one.split()).casefold() == " ".join(other.split()).casefold() or _is_moment(one)
    return True


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _asked(step: Step) -> str | None:
    """What was asked, whichever tool it went to; None for what cannot be asked twice."""
    if has_references(step.params):
        return None
    measure = step.render.measure if step.render is not None else ""
    args = step.params.get("args")
    if measure and isinstance(args, dict) and args:
        return f"{measure}:{_written_out(args)}"
    asked = {name: value for name, value in step.params.items() if name not in _NOT_ASKED}
    return _written_out(asked) if asked else None


def _written_out(params: dict[str, Json]) -> str:
    return orjson.dumps(params, default=str, option=orjson.OPT_SORT_KEYS).decode()


def _figures(output: ToolOutput) -> dict[str, _Value]:
    """The named values of an output: its facts, and the columns of its row if it has but one."""
    values: dict[str, _Value] = {
        name: (value, output.fact_units.get(name, Unit.NUMBER)) for name, value in output.facts.items()
    }
    if len(output.rows) == 1 and not output.truncated:
        for column, value in zip(output.columns, output.rows[0], strict=False):
            values.setdefault(column.name, (value, column.unit))
    return {
        name: (value, unit)
        for name, (value, unit) in values.items()
        if name not in _NOT_COMPARED and not name.endswith("_at") and unit is not Unit.TIMESTAMP
    }


def _average_of_the_same(series: Step, table: Step) -> str | None:
    """The column of the table's average, if that is over the same measure, names and period as the series."""
    measure = series.render.measure if series.render is not None else ""
    args, filters, aggregates = (
        series.params.get("args"),
        table.params.get("filters"),
        table.params.get("aggregates"),
    )
    if not measure or not isinstance(args, dict) or table.params.get("group_by"):
        return None
    if not isinstance(filters, list | tuple) or not isinstance(aggregates, list | tuple):
        return None
    names = {value for value in args.values() if isinstance(value, str)} | {measure}
    period = sorted(float(value) for value in args.values() if _is_number(value))
    equal: set[Any] = set()
    bounds: dict[str, float | None] = {}
    for each in filters:
        op, value = (each.get("op"), each.get("value")) if isinstance(each, dict) else (None, None)
        if op == "eq" and isinstance(value, str):
            equal.add(value)
        elif op in ("gte", "lt") and op not in bounds:
            bounds[op] = _instant(value)
        else:
            return None
    if equal != names or len(period) != 2 or [bounds.get("gte"), bounds.get("lt")] != period:
        return None
    averages = [
        each
        for each in aggregates
        if isinstance(each, dict) and each.get("fn") == "avg" and not each.get("where")
    ]
    return str(averages[0].get("as")) if len(averages) == 1 else None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _instant(value: Json) -> float | None:
    """Unix seconds of a moment as a filter names it: a number, or text that is UTC where it names no offset."""
    if _is_number(value):
        return float(value)
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _sentence(name: str, one: Found, first: _Value, other: Found, second: _Value, voice: Voice) -> str:
    """ "Two tools disagree on mean of “Latency”: plant.table says 170.5 [1], plant.metrics says 221 [2]." """
    title = quoted_title(one.outcome.step, voice)
    by = [each.outcome.result.tool_id for each in (one, other)]
    said = [f"{written(value, unit, voice)}" for value, unit in (first, second)]
    if voice.korean:
        return (
            f"두 도구의 결과가 서로 다릅니다. {title}의 {name}: {by[0]} {said[0]} {one.mark}, "
            f"{by[1]} {said[1]} {other.mark}."
        )
    return (
        f"Two tools disagree on {name} of {title}: {by[0]} says {said[0]} {one.mark}, "
        f"{by[1]} says {said[1]} {other.mark}."
    )
