"""Sentences about what the steps found, each figure followed by the mark of its reference; and plain words
for what went wrong. All of it plain text, deterministic, from the plan and the outputs alone."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from agents.aggregation.clean import inline, line
from agents.aggregation.figures import written
from schemas.calls import Shape, ToolOutput, Unit
from schemas.errors import ErrorCode, PublicError
from schemas.plans import Step
from schemas.word import Json

_HOLE: Final = re.compile(r"\{([^{}|]+)(?:\|([^{}|]*))?\}")
_FIGURE: Final = re.compile(r"(?<![\w.-])-?\d")
"""A number of its own: 0.4.3 and 23.4 GiB are figures, eth0 and db-7 are names."""
_UNITS: Final = {unit.value: unit for unit in Unit}
_TITLE_CHARACTERS: Final = 120

Part = str | tuple[str, Unit | None]
"""A literal, or a hole: the name that fills it and the unit the template asks for."""

_BECAUSE: Final[dict[ErrorCode, str]] = {
    ErrorCode.TOOL_TIMEOUT: "did not answer in time",
    ErrorCode.UPSTREAM_UNAVAILABLE: "could not reach what it asks",
    ErrorCode.RATE_LIMITED: "is at its limit for now",
    ErrorCode.CIRCUIT_OPEN: "failed repeatedly and is resting",
    ErrorCode.POLICY_DENY: "was not allowed to run",
    ErrorCode.PERMISSION_DENIED: "may not be used with this role",
    ErrorCode.SQL_BLOCKED: "was refused its query",
}


def rows_of(output: ToolOutput) -> int:
    """How many rows were found, also where only the first of them travelled."""
    return len(output.rows) if output.claim is None else output.claim.row_count


def title_of(step: Step) -> str:
    title = step.render.title if step.render is not None else ""
    return line(title or step.tool_id, _TITLE_CHARACTERS)


def found_nothing_text(step: Step) -> str:
    return f"{title_of(step)}: nothing was found."


def failure_text(step: Step, error: PublicError) -> str:
    """ "host_metrics did not answer in time (TOOL_TIMEOUT), so “CPU load” is missing." """
    tool = line(step.tool_id, _TITLE_CHARACTERS)
    because = _BECAUSE.get(error.code)
    if because is None:
        because = f"failed: {inline(error.message).rstrip('.')}"
    return f"{tool} {because} ({error.code.value}){_missing(step, tool)}."


def skipped_text(step: Step, cause: str) -> str:
    tool = line(step.tool_id, _TITLE_CHARACTERS)
    return f"{tool} was skipped because step {cause} did not succeed{_missing(step, tool)}."


def _missing(step: Step, tool: str) -> str:
    title = title_of(step)
    return f", so “{title}” is missing" if title != tool else ""


def truncation_text(step: Step, output: ToolOutput) -> str:
    kept = written(len(output.rows), Unit.NUMBER)
    points = output.facts.get("count")
    if output.shape is Shape.SERIES and isinstance(points, int) and points > len(output.rows):
        all_points = written(points, Unit.NUMBER)
        return f"{title_of(step)}: {kept} of {all_points} points are shown; the figures use all of them."
    return f"{title_of(step)}: there is more than the {kept} rows that may be read; it was cut."


def success_text(
    step: Step, output: ToolOutput, mark: str, escape: Callable[[str], str] | None = None
) -> str:
    """What the step found, by its template or else by the shape of its output. `escape` is put over each
    value."""
    template = step.render.text if step.render is not None else ""
    if template:
        return _fill(_parts(template), step, output, mark, escape)
    title = title_of(step)
    if not output.rows and not output.facts:
        return f"{title}: nothing was found {mark}."
    if output.shape is Shape.SERIES and output.rows:
        return f"{title}: {_series(output, mark)}."
    if output.rows:
        noun = "link" if output.shape is Shape.GRAPH else "hit" if output.shape is Shape.DOCUMENTS else "row"
        count = rows_of(output)
        return f"{title}: {count:,} {mark} {noun}{'' if count == 1 else 's'}."
    spoken = [
        f"{inline(name)} {_said(value, output.fact_units.get(name, Unit.TEXT), escape)} {mark}"
        for name, value in list(output.facts.items())[:12]
    ]
    return f"{title}: {', '.join(spoken)}."


def _said(value: Json, unit: Unit, escape: Callable[[str], str] | None) -> str:
    text = written(value, unit)
    return text if escape is None else escape(text)


def _series(output: ToolOutput, mark: str) -> str:
    unit = output.columns[1].unit if len(output.columns) > 1 else Unit.NUMBER
    values = [row[1] for row in output.rows if len(row) > 1 and isinstance(row[1], int | float)]
    if not values:
        return f"nothing was found {mark}"
    last, low, high = (written(value, unit) for value in (values[-1], min(values), max(values)))
    return f"last {last} {mark}, lowest {low} {mark}, highest {high} {mark}"


@lru_cache(maxsize=2048)
def _parts(template: str) -> tuple[Part, ...]:
    parts: list[Part] = []
    end = 0
    for hole in _HOLE.finditer(template):
        if hole.start() > end:
            parts.append(template[end : hole.start()])
        parts.append((hole[1].strip(), _UNITS.get((hole[2] or "").strip())))
        end = hole.end()
    if end < len(template):
        parts.append(template[end:])
    return tuple(parts)


def _fill(
    parts: tuple[Part, ...], step: Step, output: ToolOutput, mark: str, escape: Callable[[str], str] | None
) -> str:
    """Fill the holes. A value with a figure in it gets the mark; where none has, the last
    value gets it. A name that neither facts nor first row know is said to be unknown."""
    text: list[str] = []
    last, marked, missed = -1, False, False
    for part in parts:
        if isinstance(part, str):
            text.append(part)
            continue
        name, asked = part
        value, unit, known = _value(output, name)
        missed = missed or not known
        unit = asked or unit
        spoken = _said(value, unit, escape)
        if name == "row_count" and output.truncated:
            spoken = f"more than {spoken}"
        last = len(text)
        if _FIGURE.search(spoken):
            spoken = f"{spoken} {mark}"
            marked = True
        text.append(spoken)
    if missed and not output.rows:
        return f"{title_of(step)}: nothing was found {mark}."
    if last < 0:
        text.append(f" {mark}")
    elif not marked:
        text[last] = f"{text[last]} {mark}"
    return "".join(text)


def _value(output: ToolOutput, name: str) -> tuple[Json, Unit, bool]:
    """A named figure, its unit and whether it is known: from the facts, else from the first row, else from what
    every output has, `row_count` and `read_at`."""
    if name in output.facts:
        return output.facts[name], output.fact_units.get(name, Unit.TEXT), True
    if output.rows:
        first = output.rows[0]
        for index, column in enumerate(output.columns):
            if column.name == name and index < len(first):
                return first[index], column.unit, True
    if name == "row_count":
        return len(output.rows), Unit.NUMBER, True
    if name == "read_at" and output.read_at:
        return output.read_at, Unit.TIMESTAMP, True
    return None, Unit.TEXT, False
