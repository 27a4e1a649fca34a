"""Parts of the answer to draw, cut to size: rows cleaned, counted, and never more of them than there is
room for."""

from collections.abc import Sequence
from typing import Final

from agents.aggregation.clean import as_markdown, cell, line
from agents.aggregation.hits import in_order
from agents.aggregation.voice import PLAIN, Voice
from agents.aggregation.wording import rows_of, success_text, title_of
from schemas.answers import Block, BlockKind
from schemas.calls import Column, Shape, ToolOutput
from schemas.plans import Show, Step
from schemas.word import Json

MAX_POINTS: Final = 500
MAX_EDGES: Final = 200
MAX_MAIN_ROWS: Final = 100
MAX_COLUMNS: Final = 64
MAX_FACTS: Final = 100
_COLUMN_CHARACTERS: Final = 64
_ROWS_OF_DEFAULT: Final = 12
_SCALAR_CHARACTERS: Final = 12
_HIT_COLUMNS: Final = ("document_name", "chunk_text", "page_number", "relevance_score")


class Room:
    """Characters that the rows of one answer may still take; an estimate, rounded up nowhere."""

    __slots__ = ("left",)

    def __init__(self, characters: int) -> None:
        self.left = characters

    def rows(self, rows: Sequence[Sequence[Json]], at_most: int) -> list[list[Json]]:
        """The first rows, cleaned: at most so many, and no more than there is room for."""
        kept: list[list[Json]] = []
        for row in rows[:at_most]:
            cells = [cell(value) for value in row[:MAX_COLUMNS]]
            self.left -= sum(
                [len(value) + 3 if type(value) is str else _SCALAR_CHARACTERS for value in cells], 2
            )
            if self.left < 0:
                break
            kept.append(cells)
        return kept


def columns_of(output: ToolOutput) -> tuple[Column, ...]:
    """The output's columns with safe names; the very same tuple where nothing had to change."""
    columns = output.columns
    if len(columns) <= MAX_COLUMNS and all(
        len(column.name) <= _COLUMN_CHARACTERS and column.name.isprintable() for column in columns
    ):
        return columns
    return tuple(
        Column(name=line(column.name, _COLUMN_CHARACTERS), unit=column.unit)
        for column in columns[:MAX_COLUMNS]
    )


def block_of(
    step: Step, output: ToolOutput, reference: str, mark: str, room: Room, voice: Voice = PLAIN
) -> Block | None:
    """How a step's output is drawn: as its render says where the shape allows it, else as the shape suggests.
    None when there is nothing to draw beyond the answer's text."""
    show = step.render.show if step.render is not None else None
    if show is Show.TEXT:
        return Block(
            kind=BlockKind.MARKDOWN,
            title=title_of(step, voice),
            text=success_text(step, output, mark, as_markdown, voice),
            references=(reference,),
        )
    if not output.rows:
        return None
    at_most = step.render.max_rows if step.render is not None else _ROWS_OF_DEFAULT
    kind = BlockKind.TABLE
    if output.shape is Shape.SERIES and show in (None, Show.SERIES):
        return _series_block(step, output, reference, room, voice)
    if output.shape is Shape.GRAPH and show in (None, Show.GRAPH):
        kind, at_most = BlockKind.GRAPH, MAX_EDGES
    columns, rows = columns_of(output), output.rows
    if output.shape is Shape.DOCUMENTS:
        columns, rows = _hits(columns, in_order(output, voice))
    kept = room.rows(rows, at_most)
    return Block(
        kind=kind,
        title=title_of(step, voice),
        columns=columns,
        rows=tuple([tuple(row) for row in kept]),
        rows_left_out=_there(output) - len(kept),
        references=(reference,),
    )


def _there(output: ToolOutput) -> int:
    """How many rows there are: those that were found, or all that the tool counted beyond what it was to list."""
    total = output.facts.get("total")
    return max(rows_of(output), total) if type(total) is int else rows_of(output)


def _series_block(step: Step, output: ToolOutput, reference: str, room: Room, voice: Voice) -> Block:
    """The newest points: a series is read at its end."""
    kept = room.rows(output.rows[-MAX_POINTS:], MAX_POINTS)
    return Block(
        kind=BlockKind.TIME_SERIES,
        title=title_of(step, voice),
        columns=columns_of(output),
        rows=tuple([tuple(row) for row in kept]),
        rows_left_out=rows_of(output) - len(kept),
        references=(reference,),
    )


def _hits(columns: tuple[Column, ...], rows: list[list[Json]]) -> tuple[tuple[Column, ...], list[list[Json]]]:
    """Of a search hit, what a reader wants to see; ids stay in the main result."""
    index_of = {column.name: index for index, column in enumerate(columns)}
    wanted = [index_of[name] for name in _HIT_COLUMNS if name in index_of]
    if len(wanted) < 2:
        return columns, rows
    picked = [[row[index] for index in wanted if index < len(row)] for row in rows]
    return tuple(columns[index] for index in wanted), picked


def main_result_of(output: ToolOutput, room: Room) -> ToolOutput:
    """The output as it may leave: cleaned and bounded; `truncated` if anything was cut here or by the
    tool."""
    if output.shape is Shape.SERIES:
        rows = room.rows(output.rows[-MAX_POINTS:], MAX_POINTS)
    else:
        rows = room.rows(output.rows, MAX_MAIN_ROWS)
    facts: dict[str, Json] = {}
    for name, value in output.facts.items():
        safe = cell(value)
        room.left -= len(name) + (len(safe) if type(safe) is str else _SCALAR_CHARACTERS)
        if room.left < 0 or len(facts) == MAX_FACTS:
            break
        facts[line(name, _COLUMN_CHARACTERS)] = safe
    cut = len(rows) < rows_of(output) or len(facts) < len(output.facts)
    return ToolOutput(
        shape=output.shape,
        columns=columns_of(output),
        rows=rows,
        facts=facts,
        fact_units={name: unit for name, unit in output.fact_units.items() if name in facts},
        truncated=output.truncated or cut,
        source=line(output.source, _COLUMN_CHARACTERS * 2),
        query=line(output.query, _COLUMN_CHARACTERS * 8),
        read_at=output.read_at,
        claim=output.claim,
    )
