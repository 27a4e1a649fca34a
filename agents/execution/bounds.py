"""What leaves a tool is bounded in rows and bytes, and checked to be what it says it is."""

from dataclasses import replace

import msgspec

from schemas.calls import ToolOutput
from schemas.errors import ErrorCode, OpsError, ops_error

_encode = msgspec.json.Encoder().encode


def bounded(output: object, row_cap: int, max_bytes: int) -> ToolOutput | OpsError:
    """The output within its caps, `truncated` where it was cut; an error for what is no proper output."""
    return measured(output, row_cap, max_bytes)[0]


def measured(output: object, row_cap: int, max_bytes: int) -> tuple[ToolOutput | OpsError, int]:
    """The same, and how many bytes it takes as JSON; 0 for an error."""
    if not isinstance(output, ToolOutput):
        return _malformed(f"a {type(output).__name__} instead of an output"), 0
    rows = output.rows
    if rows:
        width = len(output.columns)
        if any(len(row) != width for row in rows):
            return _malformed("a row with more or fewer values than columns"), 0
        if len(rows) > row_cap:
            output = _cut(output, row_cap)
    try:
        size = len(_encode(output))
        if size > max_bytes:
            cut = cut_to(output, size, max_bytes)
            return cut, 0 if isinstance(cut, OpsError) else len(_encode(cut))
    except (TypeError, ValueError, OverflowError, UnicodeError) as error:
        return _malformed(f"a value that is not JSON: {error}"), 0
    return output, size


def cut_to(output: ToolOutput, size: int, max_bytes: int) -> ToolOutput | OpsError:
    """The output of this size with only so many of its first rows as fit; an error where none would help."""
    while size > max_bytes and output.rows:
        output = _cut(output, min(len(output.rows) - 1, len(output.rows) * max_bytes // size))
        size = len(_encode(output))
    if size > max_bytes:
        return ops_error(
            ErrorCode.MAX_ROWS_EXCEEDED, detail=f"{size} bytes without any row, {max_bytes} are allowed"
        )
    return output


def _cut(output: ToolOutput, rows: int) -> ToolOutput:
    facts = output.facts
    if "row_count" in facts:
        facts = {**facts, "row_count": rows}
    return replace(output, rows=output.rows[:rows], facts=facts, truncated=True)


def _malformed(detail: str) -> OpsError:
    return ops_error(ErrorCode.INTERNAL_ERROR, detail=f"malformed tool output: {detail}")
