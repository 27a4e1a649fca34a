"""The blocks of an answer, each drawn for a terminal."""

from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line, lines
from agents.aggregation.hits import NAME_COLUMN, TEXT_COLUMN, shortened, without_name
from agents.aggregation.voice import PLAIN, Voice
from cli.render.figures import (
    cell_text,
    clock_text,
    counted,
    is_moment,
    moment_text,
    numbers_of,
    span_text,
    sparkline,
)
from cli.render.graph import graph_tree
from schemas.answers import Block, BlockKind, Reference
from schemas.calls import Column, Unit

MAX_COLUMNS: Final = 8
_FEW: Final = 3
_HITS: Final = 3
_HIT_CHARACTERS: Final = 240
_QUERY_CHARACTERS: Final = 240
_FIGURES: Final = frozenset({Unit.BYTES, Unit.PERCENT, Unit.SECONDS, Unit.NUMBER})
_UNIT_WORD: Final = {Unit.BYTES: " bytes", Unit.SECONDS: " s", Unit.PERCENT: " percent"}
_WHOLE: Final = _FIGURES | {Unit.TIMESTAMP}


def block_view(block: Block, told: str, voice: Voice = PLAIN) -> RenderableType | None:
    """The block, or None when there is nothing to draw that the text `told` does not say already."""
    match block.kind:
        case BlockKind.TABLE if _is_hits(block):
            return Group(_heading(block), *_hits(block))
        case BlockKind.TABLE if _is_told(block, told):
            return None
        case BlockKind.TABLE:
            return Group(_heading(block), _table(block, voice), *_left_out(block, "row"))
        case BlockKind.TIME_SERIES:
            return Group(_heading(block), *_series(block, voice), *_left_out(block, "older point"))
        case BlockKind.GRAPH:
            return Group(_heading(block), *graph_tree(block.rows, block.rows_left_out))
        case BlockKind.MARKDOWN:
            plain = lines(block.text.replace("\\", ""), 8_000)
            return None if plain in told.replace("\\", "") else Group(_heading(block), Text(plain))
        case BlockKind.REFERENCES:
            return None


def _is_told(block: Block, told: str) -> bool:
    """Whether the one row there is, of few columns, stands in the text word for word."""
    if len(block.rows) != 1 or not 0 < len(block.columns) <= _FEW or block.rows_left_out > 0:
        return False
    cells = zip(block.rows[0], block.columns, strict=False)
    return all(value is not None and cell_text(value, column.unit) in told for value, column in cells)


def reference_line(reference: Reference, voice: Voice = PLAIN) -> Text:
    """ "[1] host_config · host.memory · 1 row · 12:03:04 UTC"."""
    parts = [reference.tool_id, reference.query or reference.source, counted(reference.row_count, "row")]
    parts.append(clock_text(reference.read_at, voice))
    said = " · ".join([line(part, _QUERY_CHARACTERS) for part in parts if part])
    return Text.assemble((f"[{line(reference.reference_id, 8)}] ", "cyan"), (said, "dim"))


def _is_hits(block: Block) -> bool:
    names = {column.name for column in block.columns}
    return {NAME_COLUMN, TEXT_COLUMN} <= names


def _hits(block: Block) -> list[Text]:
    """The best hits of a search, each its document and what it says; the rest is counted."""
    at = {column.name: index for index, column in enumerate(block.columns)}
    drawn: list[Text] = []
    shown = [row for row in block.rows if len(row) > max(at[NAME_COLUMN], at[TEXT_COLUMN])][:_HITS]
    for row in shown:
        document, text = row[at[NAME_COLUMN]], str(row[at[TEXT_COLUMN]])
        said = shortened(without_name(line(text, 1_000), document), _HIT_CHARACTERS)
        drawn.append(Text.assemble(("• ", "cyan"), (f"{line(str(document), 120)}: ", "bold"), said))
    rest = len(block.rows) - len(shown) + block.rows_left_out
    return [*drawn, Text(f"… {counted(rest, 'more hit')}", style="dim")] if rest > 0 else drawn


def _heading(block: Block) -> Text:
    marks = "".join([f" [{line(number, 8)}]" for number in block.references])
    return Text.assemble((line(block.title), "bold"), (marks, "cyan"))


def _left_out(block: Block, noun: str) -> list[Text]:
    if block.rows_left_out <= 0:
        return []
    return [Text(f"… {counted(block.rows_left_out, f'more {noun}')}", style="dim")]


def _table(block: Block, voice: Voice) -> RenderableType:
    columns = block.columns or tuple(Column(name="") for _ in (block.rows[0] if block.rows else ()))
    if not columns:
        return Text("(no columns)", style="dim")
    if len(block.rows) == 1 and len(columns) > 3:
        return _record(columns, block, voice)
    shown = columns[:MAX_COLUMNS]
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    moments = [_is_of_moments(block, index, column) for index, column in enumerate(shown)]
    for column, of_moments in zip(shown, moments, strict=True):
        figure = column.unit in _FIGURES
        table.add_column(
            Text(_name(column, voice if of_moments else None), justify="right" if figure else "left"),
            justify="right" if figure else "left",
            no_wrap=column.unit in _WHOLE or of_moments,
            overflow="fold",
        )
    for row in block.rows:
        cells = [
            moment_text(value, voice) if of_moments and value is not None else cell_text(value, column.unit)
            for value, column, of_moments in zip(row, shown, moments, strict=False)
        ]
        table.add_row(*[Text(cell) for cell in cells])
    if len(columns) == len(shown):
        return table
    rest = ", ".join([_name(column) for column in columns[MAX_COLUMNS:]])
    return Group(table, Text(f"… more columns: {rest}", style="dim"))


def _is_of_moments(block: Block, index: int, column: Column) -> bool:
    cells = [row[index] for row in block.rows if index < len(row) and row[index] is not None]
    return bool(cells) and all(is_moment(value, column.unit) for value in cells)


def _name(column: Column, voice: Voice | None = None) -> str:
    """With blanks, at which a narrow terminal can break it, and without the unit that the figures carry; of moments
    with the zone that all of them are in."""
    name = line(column.name)
    own = name.rpartition(".")[2]  # of a looked-up field the field alone: host_id.hostname
    name = (own if own.isidentifier() else name).replace("_", " ")
    name = name.removesuffix(_UNIT_WORD.get(column.unit, "")) or name
    return name if voice is None else f"{name} ({voice.zone})"


def _record(columns: tuple[Column, ...], block: Block, voice: Voice) -> Table:
    """One row of many columns reads better down than across."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for column, value in zip(columns, block.rows[0], strict=False):
        unit = Unit.TIMESTAMP if is_moment(value, column.unit) else column.unit
        table.add_row(Text(_name(column)), Text(cell_text(value, unit, voice=voice)))
    return table


def _series(block: Block, voice: Voice) -> list[Text]:
    """Sparkline with lowest, highest and last value, and the times of the first and the last point."""
    rows = [row for row in block.rows if len(row) >= 2 and numbers_of(row[1:2])]
    values = numbers_of([row[1] for row in rows])
    if not values:
        return [Text("no points", style="dim")]
    unit = block.columns[1].unit if len(block.columns) > 1 else Unit.NUMBER
    low, high, last = (cell_text(value, unit) for value in (min(values), max(values), values[-1]))
    return [
        Text(sparkline(values), style="green"),
        Text(f"min {low} · max {high} · last {last} · {counted(len(values), 'point')}"),
        Text(span_text(rows[0][0], rows[-1][0], voice), style="dim"),
    ]
