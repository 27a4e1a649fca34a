"""The blocks of an answer, each drawn for a terminal."""

from typing import Final

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from agents.aggregation.clean import line, lines
from cli.render.figures import cell_text, clock_text, counted, numbers_of, sparkline
from cli.render.graph import graph_tree
from schemas.answers import Block, BlockKind, Reference
from schemas.calls import Column, Unit

MAX_COLUMNS: Final = 8
_FIGURES: Final = frozenset({Unit.BYTES, Unit.PERCENT, Unit.SECONDS, Unit.NUMBER})
_UNIT_WORD: Final = {Unit.BYTES: " bytes", Unit.SECONDS: " s", Unit.PERCENT: " percent"}
_WHOLE: Final = _FIGURES | {Unit.TIMESTAMP}


def block_view(block: Block, told: str) -> RenderableType | None:
    """The block, or None when there is nothing to draw that the text `told` does not say already."""
    match block.kind:
        case BlockKind.TABLE:
            return Group(_heading(block), _table(block), *_left_out(block, "row"))
        case BlockKind.TIME_SERIES:
            return Group(_heading(block), *_series(block), *_left_out(block, "older point"))
        case BlockKind.GRAPH:
            return Group(_heading(block), *graph_tree(block.rows, block.rows_left_out))
        case BlockKind.MARKDOWN:
            plain = lines(block.text.replace("\\", ""), 8_000)
            return None if plain in told.replace("\\", "") else Group(_heading(block), Text(plain))
        case BlockKind.REFERENCES:
            return None


def reference_line(reference: Reference) -> Text:
    """ "[1] host_config · host.memory · 1 row · 12:03:04Z"."""
    parts = [reference.tool_id, reference.query or reference.source, counted(reference.row_count, "row")]
    parts.append(clock_text(reference.read_at))
    said = " · ".join([line(part, 120) for part in parts if part])
    return Text.assemble((f"[{line(reference.reference_id, 8)}] ", "cyan"), (said, "dim"))


def _heading(block: Block) -> Text:
    marks = "".join([f" [{line(number, 8)}]" for number in block.references])
    return Text.assemble((line(block.title), "bold"), (marks, "cyan"))


def _left_out(block: Block, noun: str) -> list[Text]:
    if block.rows_left_out <= 0:
        return []
    return [Text(f"… {counted(block.rows_left_out, f'more {noun}')}", style="dim")]


def _table(block: Block) -> RenderableType:
    columns = block.columns or tuple(Column(name="") for _ in (block.rows[0] if block.rows else ()))
    if not columns:
        return Text("(no columns)", style="dim")
    if len(block.rows) == 1 and len(columns) > 3:
        return _record(columns, block)
    shown = columns[:MAX_COLUMNS]
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="dim"
    )
    for column in shown:
        figure = column.unit in _FIGURES
        table.add_column(
            Text(_name(column), justify="right" if figure else "left"),
            justify="right" if figure else "left",
            no_wrap=column.unit in _WHOLE,
            overflow="fold",
        )
    for row in block.rows:
        cells = [cell_text(value, column.unit) for value, column in zip(row, shown, strict=False)]
        table.add_row(*[Text(cell) for cell in cells])
    if len(columns) == len(shown):
        return table
    rest = ", ".join([_name(column) for column in columns[MAX_COLUMNS:]])
    return Group(table, Text(f"… more columns: {rest}", style="dim"))


def _name(column: Column) -> str:
    """With blanks, at which a narrow terminal can break it, and without the unit that the figures carry."""
    name = line(column.name).replace("_", " ")
    return name.removesuffix(_UNIT_WORD.get(column.unit, "")) or name


def _record(columns: tuple[Column, ...], block: Block) -> Table:
    """One row of many columns reads better down than across."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for column, value in zip(columns, block.rows[0], strict=False):
        table.add_row(Text(_name(column)), Text(cell_text(value, column.unit)))
    return table


def _series(block: Block) -> list[Text]:
    """Sparkline with lowest, highest and last value, and the times of the first and the last point."""
    rows = [row for row in block.rows if len(row) >= 2 and numbers_of(row[1:2])]
    values = numbers_of([row[1] for row in rows])
    if not values:
        return [Text("no points", style="dim")]
    unit = block.columns[1].unit if len(block.columns) > 1 else Unit.NUMBER
    low, high, last = (cell_text(value, unit) for value in (min(values), max(values), values[-1]))
    first_at, last_at = (cell_text(row[0], Unit.TIMESTAMP) for row in (rows[0], rows[-1]))
    return [
        Text(sparkline(values), style="green"),
        Text(f"min {low} · max {high} · last {last} · {counted(len(values), 'point')}"),
        Text(f"{first_at} – {last_at}", style="dim"),
    ]
