"""Rows of a store as an output: units, cut at the cap, where it came from."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.execution.tool import Invocation
from schemas.calls import Column, Shape, ToolOutput, Unit


def rows_output(
    invocation: Invocation,
    columns: Sequence[str],
    rows: list[list[Any]],
    read_at: float,
    *,
    shape: Shape = Shape.TABLE,
    facts: Mapping[str, Any] | None = None,
    fact_units: Mapping[str, Unit] | None = None,
    units: Mapping[str, Unit] | None = None,
    truncated: bool = False,
) -> ToolOutput:
    """An output of at most the cap's rows, `truncated` if there were more. The template's units come first, then
    the adapter's, then what the values look like."""
    declared = {**(units or {}), **(invocation.template.units if invocation.template is not None else {})}
    cut = len(rows) > invocation.row_cap
    if cut:
        rows = rows[: invocation.row_cap]
    return ToolOutput(
        shape=shape,
        columns=tuple(
            Column(name=name, unit=declared.get(name) or _looks_like(rows, index))
            for index, name in enumerate(columns)
        ),
        rows=rows,
        facts={"row_count": len(rows), **(facts or {})},
        fact_units={"row_count": Unit.NUMBER, **(fact_units or {})},
        truncated=cut or truncated,
        source=invocation.source.id if invocation.source is not None else "",
        query=invocation.in_words(),
        read_at=read_at,
    )


def _looks_like(rows: list[list[Any]], index: int) -> Unit:
    """NUMBER if the first value there is a number, else TEXT."""
    for row in rows:
        value = row[index]
        if value is not None:
            return (
                Unit.NUMBER if isinstance(value, int | float) and not isinstance(value, bool) else Unit.TEXT
            )
    return Unit.TEXT
