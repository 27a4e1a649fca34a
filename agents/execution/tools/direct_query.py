"""`direct_query`: one guarded SQL statement against SQLite or ClickHouse."""

import time
from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.engines.by_name import Engines
from agents.execution.tools.engines.engine import Question
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.threads import Threads
from schemas.calls import ToolOutput
from schemas.errors import OpsError


class DirectQueryParameters(Parameters):
    sql: Annotated[str, Field(min_length=1)]
    """One SELECT; values are named, as in `:name`."""
    args: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class DirectQuery:
    """Asks the engine of the tool's source, in a thread. Row order, names and values are the store's."""

    tool_type = "direct_query"
    parameters = DirectQueryParameters
    statement_field = "sql"

    def __init__(self, engines: Engines, *, threads: int = 8, clock: Callable[[], float] = time.time) -> None:
        self._engines = engines
        self._threads = Threads(threads, "direct-query")
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Rows as a table, with `row_count`; the engine's errors as they are."""
        source = invocation.source
        engine = self._engines.of(invocation)
        if isinstance(engine, OpsError):
            return engine
        assert source is not None, "an engine comes with its source"
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
        self._engines.close()
