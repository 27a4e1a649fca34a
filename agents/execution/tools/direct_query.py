"""`direct_query`: one guarded SQL statement against SQLite or ClickHouse."""

import time
from collections.abc import Callable, Mapping
from typing import Annotated

from pydantic import Field

from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.engines.engine import Engine, Question
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.threads import Threads
from schemas.calls import ToolOutput
from schemas.errors import ErrorCode, OpsError, ops_error


class DirectQueryParameters(Parameters):
    sql: Annotated[str, Field(min_length=1)]
    """One SELECT; values are named, as in `:name`."""
    args: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class DirectQuery:
    """Asks the engine of the tool's source, in a thread. Row order, names and values are the store's."""

    tool_type = "direct_query"
    parameters = DirectQueryParameters
    statement_field = "sql"

    def __init__(
        self, engines: Mapping[str, Engine], *, threads: int = 8, clock: Callable[[], float] = time.time
    ) -> None:
        self._engines = engines
        self._threads = Threads(threads, "direct-query")
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Rows as a table, with `row_count`; the engine's errors as they are."""
        source = invocation.source
        engine = self._engines.get(source.engine) if source is not None else None
        if source is None or engine is None:
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
        return rows_output(invocation, found.columns, found.rows, self._clock())

    async def close(self) -> None:
        """End the threads and the engines."""
        await self._threads.close()
        for engine in self._engines.values():
            engine.close()
