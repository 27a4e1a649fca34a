"""`prometheus`: instant and range queries, every selector bound to the asker's tenant by the PromQL guard."""

import time
from collections.abc import Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import ConfigDict, Field

from agents.execution.guards.promql.guard import promql_guard
from agents.execution.guards.verdict import Refuse
from agents.execution.outbound.client import GuardedClient, Reply, Request, refused_error
from agents.execution.outbound.sources import headers_of, rules_of, spec_of
from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.http_reply import document_of, status_error
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.own_task import in_own_task
from agents.execution.tools.prometheus_query import Ask, ask_of
from agents.execution.tools.prometheus_reply import read_reply
from registry.assets import SourceAsset
from registry.outbound_assets import HttpCall, PromCall
from schemas.calls import ToolOutput
from schemas.errors import ErrorCode, OpsError, ops_error

_ANY_JSON = HttpCall()
_NO_QUERIES = PromCall()


class PrometheusParameters(Parameters):
    """One of `query` and `promql`. With `from` a range, else one moment; times are Unix seconds."""

    model_config = ConfigDict(extra="allow")

    query: Annotated[str | None, Field(max_length=128)] = None
    """Name of a query that the tool declares."""
    promql: Annotated[str | None, Field(max_length=4_000)] = None
    values: dict[str, str | int | float] = Field(default_factory=dict)
    """What fills the holes of a declared query; a template's arguments do so too."""
    from_: Annotated[float | int | None, Field(alias="from")] = None
    to: float | int | None = None
    at: float | int | None = None
    step_s: Annotated[float | int | None, Field(gt=0)] = None


class Prometheus:
    """See the module. Values that are no finite number are empty."""

    tool_type = "prometheus"
    parameters = PrometheusParameters
    statement_field = None

    def __init__(self, client: GuardedClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """A series, a table of series, or a figure; the server's errors by code."""
        source, call = invocation.source, invocation.tool.prometheus or _NO_QUERIES
        if source is None or source.engine != "prometheus":
            return ops_error(
                ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} has no Prometheus source"
            )
        asked = ask_of(invocation.params, call, self._clock())
        if isinstance(asked, OpsError):
            return asked
        spec = spec_of(source)
        verdict = promql_guard(
            spec.tenant_label, invocation.tenant_id if spec.tenant_bound else None, asked.query
        )
        if isinstance(verdict, Refuse):
            return refused_error(verdict)
        return await in_own_task(self._fetched(invocation, source, asked, verdict.statement))

    async def close(self) -> None:
        """End all connections."""
        await self._client.close()

    async def _fetched(
        self, invocation: Invocation, source: SourceAsset, asked: Ask, query: str
    ) -> ToolOutput | OpsError:
        headers = await headers_of(source)
        if isinstance(headers, OpsError):
            return headers
        path, fields = _form(asked, query, invocation)
        reply = await self._client.fetch(
            Request(
                url=source.location.rstrip("/") + path,
                rules=rules_of(source),
                method="POST",
                headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
                body=urlencode(fields).encode(),
                timeout_s=invocation.timeout_s,
                max_bytes=spec_of(source).max_bytes,
            )
        )
        if isinstance(reply, OpsError):
            return reply
        failed = _refused_query(reply) or status_error(reply, self._clock())
        document = failed or document_of(reply, _ANY_JSON)
        if isinstance(document, OpsError):
            return document
        read = read_reply(document, spec_of(source).tenant_label)
        if isinstance(read, OpsError):
            return read
        return rows_output(
            invocation,
            read.columns,
            read.rows,
            self._clock(),
            shape=read.shape,
            facts=read.facts,
            units=read.units,
        )


def _form(asked: Ask, query: str, invocation: Invocation) -> tuple[str, dict[str, Any]]:
    fields: dict[str, Any] = {"query": query, "timeout": f"{max(1, int(invocation.timeout_s))}s"}
    if asked.start is None:
        return "/api/v1/query", {**fields, "time": f"{asked.end:.3f}"}
    times = {"start": f"{asked.start:.3f}", "end": f"{asked.end:.3f}", "step": f"{asked.step_s:g}"}
    return "/api/v1/query_range", {**fields, **times}


def _refused_query(reply: Reply) -> OpsError | None:
    """What Prometheus itself says of a query: 422 and 503 are of the query, not of the server's health."""
    text = reply.body[:500].decode("utf-8", "replace")
    if reply.status == 503 and "timeout" in text:
        return ops_error(ErrorCode.TOOL_TIMEOUT, "The query took too long.", detail=text)
    if reply.status == 422:
        return ops_error(ErrorCode.TOOL_BAD_REQUEST, "The query could not be computed.", detail=text)
    return None
