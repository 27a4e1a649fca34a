"""Sentences about what the steps found, each figure followed by the mark of its reference. All of it plain text,
deterministic, from the plan and the outputs alone, in the language of the question."""

import re
from collections.abc import Callable
from typing import Final

from agents.aggregation.clean import inline, line
from agents.aggregation.figures import written
from agents.aggregation.hits import told_hit
from agents.aggregation.marks import FIGURE, Hole, Part, counted, marked, parts_of
from agents.aggregation.voice import PLAIN, Voice
from schemas.calls import Shape, ToolOutput, Unit
from schemas.plans import Render, Step
from schemas.word import Json

_TITLE_CHARACTERS: Final = 120
_MOST_FACTS: Final = 12
_ARGUMENT: Final = re.compile(r"\{([^{}]*)\}")
_NOUNS: Final = {
    "en": {Shape.GRAPH: ("link", "links"), Shape.DOCUMENTS: ("hit", "hits"), Shape.TABLE: ("row", "rows")},
    "ko": {Shape.GRAPH: ("개 연결",) * 2, Shape.DOCUMENTS: ("개 문서",) * 2, Shape.TABLE: ("행",) * 2},
}


def rows_of(output: ToolOutput) -> int:
    """How many rows were found, also where only the first of them travelled."""
    return len(output.rows) if output.claim is None else output.claim.row_count


def title_of(step: Step, voice: Voice = PLAIN) -> str:
    """What the step is about, in the voice's language where the plan has it; else its tool."""
    render = step.render
    if render is None:
        return line(step.tool_id, _TITLE_CHARACTERS)
    title = (render.title_ko if voice.korean else "") or render.title
    if "{" in title:
        title = _with_arguments(title, step)
    return line(title or step.tool_id, _TITLE_CHARACTERS)


def _with_arguments(title: str, step: Step) -> str:
    """The title with the arguments of the step's call; "…" for one that only an earlier result will tell."""
    given = step.params.get("args")
    args = given if isinstance(given, dict) else step.params

    def told(hole: re.Match[str]) -> str:
        value = args.get(hole[1].strip())
        return inline(str(value)) if isinstance(value, str | int | float) else "…"

    return _ARGUMENT.sub(told, title)


def quoted_title(step: Step, voice: Voice) -> str:
    """Between quotation marks: words of the question or of a pack, no figures that a tool found."""
    return f"“{title_of(step, voice).replace('“', '‘').replace('”', '’')}”"


def template_of(render: Render | None, voice: Voice) -> str:
    if render is None:
        return ""
    return (render.text_ko if voice.korean else "") or render.text


def found_nothing_text(step: Step, mark: str, voice: Voice = PLAIN) -> str:
    title = marked(title_of(step, voice), mark)
    return f"{title}: 찾은 것이 없습니다 {mark}." if voice.korean else f"{title}: nothing was found {mark}."


def success_text(
    step: Step,
    output: ToolOutput,
    mark: str,
    escape: Callable[[str], str] | None = None,
    voice: Voice = PLAIN,
) -> str:
    """What the step found, by its template or else by the shape of its output. `escape` is put over each
    value."""
    template = template_of(step.render, voice)
    if template:
        return _fill(parts_of(template), step, output, mark, escape, voice)
    if not output.rows and not output.facts:
        return found_nothing_text(step, mark, voice)
    title = marked(title_of(step, voice), mark)
    if output.shape is Shape.SERIES and output.rows:
        return f"{title}: {_series(output, mark, voice)}."
    if output.rows:
        count = rows_of(output)
        nouns = _NOUNS[voice.language]
        one, many = nouns.get(output.shape) or nouns[Shape.TABLE]
        return f"{title}: {counted(f'{count:,}', count, one, many)} {mark}."
    spoken = [
        f"{marked(inline(name), mark)} {_said(value, output.fact_units.get(name, Unit.TEXT), escape, voice)} {mark}"
        for name, value in list(output.facts.items())[:_MOST_FACTS]
    ]
    return f"{title}: {', '.join(spoken)}."


def _said(value: Json, unit: Unit, escape: Callable[[str], str] | None, voice: Voice) -> str:
    text = written(value, unit, voice)
    return text if escape is None else escape(text)


def _series(output: ToolOutput, mark: str, voice: Voice) -> str:
    unit = output.columns[1].unit if len(output.columns) > 1 else Unit.NUMBER
    values = [row[1] for row in output.rows if len(row) > 1 and isinstance(row[1], int | float)]
    if not values:
        return f"찾은 것이 없습니다 {mark}" if voice.korean else f"nothing was found {mark}"
    last, low, high = (written(value, unit, voice) for value in (values[-1], min(values), max(values)))
    if voice.korean:
        return f"마지막 {last} {mark}, 최저 {low} {mark}, 최고 {high} {mark}"
    return f"last {last} {mark}, lowest {low} {mark}, highest {high} {mark}"


def _fill(
    parts: tuple[Part, ...],
    step: Step,
    output: ToolOutput,
    mark: str,
    escape: Callable[[str], str] | None,
    voice: Voice,
) -> str:
    """Fill the holes. A value with a figure in it gets the mark, behind its unit; where none has, the last value gets
    it. A name that neither facts nor first row know is said to be unknown."""
    text: list[str] = []
    last, has_mark, missed = -1, False, False
    for part in parts:
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, Hole):
            value, unit, known = _value(output, part.name, voice)
            missed = missed or not known
            spoken = _said(value, part.unit or unit, escape, voice)
            if part.many and value is not None:
                spoken = counted(spoken, value, part.one, part.many)
            if part.name == "row_count" and output.truncated:
                spoken = f"{spoken} 이상" if voice.korean else f"more than {spoken}"
            spoken += part.bound
            last = len(text)
            if FIGURE.search(spoken):
                spoken = f"{spoken} {mark}"
                has_mark = True
            text.append(spoken)
        else:
            text.append(f" {mark}")
    if missed and not output.rows:
        return found_nothing_text(step, mark, voice)
    if last < 0:
        text.append(f" {mark}")
    elif not has_mark:
        text[last] = f"{text[last]} {mark}"
    return "".join(text)


def _value(output: ToolOutput, name: str, voice: Voice) -> tuple[Json, Unit, bool]:
    """A named figure, its unit and whether it is known: from the facts, else from the first row, else from what
    every output has, `row_count` and `read_at`."""
    if name in output.facts:
        return output.facts[name], output.fact_units.get(name, Unit.TEXT), True
    if output.rows:
        first = output.rows[0]
        if output.shape is Shape.DOCUMENTS:
            hit = told_hit(output, name, voice)
            if hit is not None:
                return hit, Unit.TEXT, True
        for index, column in enumerate(output.columns):
            if column.name == name and index < len(first):
                return first[index], column.unit, True
    if name == "row_count":
        return rows_of(output), Unit.NUMBER, True
    if name == "read_at" and output.read_at:
        return output.read_at, Unit.TIMESTAMP, True
    return None, Unit.TEXT, False
