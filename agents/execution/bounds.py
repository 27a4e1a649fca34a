"""What leaves a tool is bounded in rows and bytes, and checked to be what it says it is."""

from dataclasses import replace

import msgspec

from schemas.calls import ToolOutput
from schemas.errors import ErrorCode, OpsError, ops_error

_encode = msgspec.json.Encoder().encode


def bounded(output: object, row_cap: int, max_bytes: int) -> ToolOutput | OpsError:
    """The output within its caps, `truncated` where it was cut; an error for what is no proper output."""
    if not isinstance(output, ToolOutput):
        return _malformed(f"a {type(output).__name__} instead of an output")
    rows = output.rows
    if rows:
        width = len(output.columns)
        if any(len(row) != width for row in rows):
            return _malformed("a row with more or fewer values than columns")
        if len(rows) > row_cap:
            output = _cut(output, row_cap)
    try:
        size = len(_encode(output))
        while size > max_bytes and output.rows:
            output = _cut(output, min(len(output.rows) - 1, len(output.rows) * max_bytes // size))
            size = len(_encode(output))
    except (TypeError, ValueError, OverflowError, UnicodeError) as error:
        return _malformed(f"a value that is not JSON: {error}")
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
