"""`graph_query`: one guarded Cypher statement against the embedded graph store or Neo4j."""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import Field

from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.engines.by_name import Engines
from agents.execution.tools.engines.engine import Question
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.threads import Threads
from schemas.calls import Shape, ToolOutput
from schemas.errors import OpsError

_EDGE = ("from", "relation", "to")


class GraphQueryParameters(Parameters):
    cypher: Annotated[str, Field(min_length=1)]
    """One reading query; values are named, as in `$name`."""
    args: dict[str, str | int | float | bool | None] = Field(default_factory=dict)


class GraphQuery:
    """Asks the graph in a thread. Rows whose first columns are from, relation, to are a graph, others a table."""

    tool_type = "graph_query"
    parameters = GraphQueryParameters
    statement_field = "cypher"

    def __init__(self, engines: Engines, *, threads: int = 4, clock: Callable[[], float] = time.time) -> None:
        self._engines = engines
        self._threads = Threads(threads, "graph-query")
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Rows, with `row_count`; the engine's errors as they are."""
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
        shape = Shape.GRAPH if _are_edges(found.columns) else Shape.TABLE
        return rows_output(invocation, found.columns, found.rows, self._clock(), shape=shape)

    async def close(self) -> None:
        """End the threads and close the stores."""
        await self._threads.close()
        self._engines.close()


def _are_edges(columns: Sequence[str]) -> bool:
    return tuple(columns[: len(_EDGE)]) == _EDGE
