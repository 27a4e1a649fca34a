"""`dynamic`: a table asked by fields and operators. The statement is built here and guarded like any other; engines
are those of `direct_query`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agents.execution.guards.verdict import Refuse
from agents.execution.tool import Built, Invocation
from agents.execution.tools.dynamic_parameters import Derived, DynamicParameters
from agents.execution.tools.dynamic_statement import TOTAL, build_statement
from agents.execution.tools.engines.by_name import Engines
from agents.execution.tools.engines.engine import Found, Question
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.threads import Threads
from registry.assets import SourceAsset
from registry.datasets import DatasetAsset
from schemas.calls import ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error


class Dynamic:
    """Counts, lists and figures of one table and of what it refers to."""

    tool_type = "dynamic"
    parameters = DynamicParameters
    statement_field = "statement"

    def __init__(self, engines: Engines, *, threads: int = 8, clock: Callable[[], float] = time.time) -> None:
        self._engines = engines
        self._threads = Threads(threads, "dynamic")
        self._clock = clock

    def build(
        self,
        params: Mapping[str, Any],
        source: SourceAsset | None,
        datasets: Sequence[DatasetAsset],
        now: float,
    ) -> Built | Refuse:
        """The statement of a validated call, for the guard to judge."""
        if source is None:
            return Refuse(ErrorCode.ASSET_LOAD_FAILED, "A tool of the plan is not available.")
        return build_statement(DynamicParameters.model_construct(**params), source, datasets, now)

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Rows as a table; `total` among the facts where it was asked for; the engine's errors as they are."""
        source, built = invocation.source, invocation.built
        engine = self._engines.of(invocation)
        if isinstance(engine, OpsError):
            return engine
        if source is None or built is None:
            return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} has no SQL source")
        question = Question(
            source,
            invocation.tenant_id,
            invocation.statement,
            invocation.params,
            invocation.row_cap + 1,
            invocation.timeout_s,
        )
        found = await self._threads.run(lambda stop: engine.ask(question, stop))
        if isinstance(found, OpsError):
            return found
        total, found = _without_total(found)
        found, derived_units = _derived(found, invocation.given.get("derived") or ())
        return rows_output(
            invocation,
            found.columns,
            found.rows,
            self._clock(),
            units={**built.units, **derived_units},
            facts={} if total is None else {"total": total},
            fact_units={} if total is None else {"total": Unit.NUMBER},
        )

    async def close(self) -> None:
        """End the threads and the engines."""
        await self._threads.close()
        self._engines.close()


def _without_total(found: Found) -> tuple[int | None, Found]:
    """The number of all rows, which each row carries, and the rows without it."""
    if not found.columns or found.columns[-1] != TOTAL:
        return None, found
    total = int(found.rows[0][-1]) if found.rows else 0
    return total, Found(found.columns[:-1], [row[:-1] for row in found.rows])


def _derived(found: Found, wanted: Sequence[Derived]) -> tuple[Found, dict[str, Unit]]:
    """The rows with the figures worked out of two others; one that cannot be is None."""
    columns, rows = found.columns, found.rows
    units: dict[str, Unit] = {}
    for each in wanted:
        if each.left not in columns or each.right not in columns:
            continue
        left, right = columns.index(each.left), columns.index(each.right)
        rows = [[*row, _worked_out(each.op, row[left], row[right])] for row in rows]
        columns = (*columns, each.as_)
        units[each.as_] = Unit.NUMBER if each.op == "difference" else Unit.PERCENT
    return Found(columns, rows), units


def _worked_out(op: str, left: Any, right: Any) -> float | int | None:
    if not isinstance(left, int | float) or not isinstance(right, int | float):
        return None
    if op == "difference":
        return left - right
    if right == 0:
        return None
    return 100.0 * ((left - right) if op == "change_percent" else left) / right
