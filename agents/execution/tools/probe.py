"""`probe`: a tool that does what it is told and touches nothing. For benchmarks and for trying a road out.

Only a pack that declares a tool of this type makes it reachable.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from agents.execution.tool import Invocation, Parameters
from schemas.calls import Column, Shape, ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error


class ProbeParameters(Parameters):
    value: str | int | float | None = None
    """Comes back as the fact `value`."""
    sleep_s: Annotated[float, Field(ge=0, le=3_600)] = 0.0
    fail_code: str | None = None
    """Fail with this error code instead."""
    rows: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """How many rows exist; no more than the cap and one come back."""
    row_characters: Annotated[int, Field(ge=0, le=100_000)] = 0
    """With so many characters in each row."""
    only: str | None = None
    """Sleep and fail only where this is the tool that was called: so a fallback may do better."""
    skew: Annotated[int, Field(ge=-1_000_000, le=1_000_000)] = 0
    """Added to the value by the tool that `only` names: so two probes contradict each other."""


_COLUMNS = (Column(name="n", unit=Unit.NUMBER),)
_BODY = (Column(name="body"),)
_UNITS = {"value": Unit.NUMBER, "row_count": Unit.NUMBER}


class Probe:
    """See the module. Never waits unless it is told to sleep."""

    tool_type = "probe"
    parameters = ProbeParameters
    statement_field = None

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """An output with the fact `value` and the rows asked for, or the failure asked for."""
        params = invocation.params
        told = params["only"] is None or params["only"] == invocation.tool.id
        if params["sleep_s"] and told:
            await asyncio.sleep(params["sleep_s"])
        if params["fail_code"] is not None and told:
            if params["fail_code"] not in ErrorCode.__members__:
                return ops_error(ErrorCode.INVALID_PARAMS, "There is no such error code.")
            return ops_error(ErrorCode(params["fail_code"]), detail="as asked")
        body = ["x" * params["row_characters"]] if params["row_characters"] else []
        rows: list[list[Any]] = [[n, *body] for n in range(min(params["rows"], invocation.row_cap + 1))]
        return ToolOutput(
            shape=Shape.TABLE if rows else Shape.FACTS,
            columns=(_COLUMNS + _BODY if body else _COLUMNS) if rows else (),
            rows=rows,
            facts={"value": _skewed(params, invocation.tool.id), "row_count": len(rows)},
            fact_units=_UNITS,
            query=invocation.tool.id,
        )

    async def close(self) -> None:
        """Nothing to release."""


def _skewed(params: Mapping[str, Any], tool_id: str) -> Any:
    value, skew = params["value"], params["skew"]
    return value + skew if skew and params["only"] == tool_id and isinstance(value, int | float) else value
