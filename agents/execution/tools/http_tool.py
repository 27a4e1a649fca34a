"""`http_tool`: one HTTP request as its asset declares it, its reply as a table.

The asset writes the request (`HttpCall`); a call only gives values. They are checked against the tool's schema and
encoded for where they stand. Every address goes through the URL guard.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ConfigDict

from agents.execution.outbound.client import GuardedClient, Reply, Request
from agents.execution.outbound.sources import headers_of, rules_of, spec_of
from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.http_paging import Pages
from agents.execution.tools.http_reply import (
    document_of,
    facts_of,
    rows_of,
    status_error,
    table_of,
    text_of,
)
from agents.execution.tools.http_request import Filled, filled
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.own_task import in_own_task
from registry.assets import SourceAsset
from registry.outbound_assets import HttpCall
from schemas.calls import ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error

_READ_BESIDE = 200_000
"""Bodies over so many bytes are read in a thread."""
_REPEATABLE = frozenset({"GET", "HEAD", "PUT", "DELETE"})
"""Methods that may be sent twice (RFC 9110, 9.2.2)."""


class HttpToolParameters(Parameters):
    """Whatever the tool's own schema declares."""

    model_config = ConfigDict(extra="allow")


class HttpTool:
    """See the module. Rows keep the order of the reply; numbers and texts are the service's."""

    tool_type = "http_tool"
    parameters = HttpToolParameters
    statement_field = None

    def __init__(self, client: GuardedClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Rows with `row_count` and the declared figures; the service's failures by code."""
        call, source = invocation.tool.http, invocation.source
        if call is None or source is None or source.engine != "http":
            return ops_error(ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} declares no request")
        request = filled(call, invocation.params, invocation.tenant_id)
        if isinstance(request, OpsError):
            return request
        return await in_own_task(self._asked(_Exchange(invocation, call, source, request)))

    async def close(self) -> None:
        """End all connections."""
        await self._client.close()

    async def _asked(self, exchange: "_Exchange") -> ToolOutput | OpsError:
        headers = await headers_of(exchange.source)
        if isinstance(headers, OpsError):
            return headers
        ends_at = time.monotonic() + exchange.invocation.timeout_s
        pages = Pages(exchange.call.paging) if exchange.call.paging is not None else None
        found = _Found([], {}, [])
        while True:
            reply = await self._client.fetch(exchange.request(headers, pages, ends_at, found.received))
            outcome = reply if isinstance(reply, OpsError) else await self._read(exchange, reply, found)
            if isinstance(outcome, OpsError):
                return exchange.failed(outcome)
            assert isinstance(reply, Reply)
            enough = len(found.items) > exchange.invocation.row_cap
            if pages is None or enough or not pages.advance(reply, found.document, found.on_page):
                break
        return self._output(exchange, found, pages is not None and pages.cut)

    async def _read(self, exchange: "_Exchange", reply: Reply, found: "_Found") -> OpsError | None:
        """Take one reply in."""
        call = exchange.call
        if reply.status in (404, 410) and call.not_found == "empty":
            return None
        failed = status_error(reply, self._clock(), repeatable=call.method in _REPEATABLE)
        if failed is not None:
            return failed
        found.received += len(reply.body)
        if call.method == "HEAD":
            found.items.append(_described(reply))
            return None
        if call.response == "text":
            text, found.cut = text_of(reply)
            found.items.append({"text": text})
            return None
        large = len(reply.body) > _READ_BESIDE
        document = await asyncio.to_thread(document_of, reply, call) if large else document_of(reply, call)
        if isinstance(document, OpsError):
            return document
        rows = rows_of(document, call.rows)
        if isinstance(rows, OpsError):
            return rows
        if not found.facts:
            found.facts = facts_of(document, call.facts)
        found.document, found.on_page = document, len(rows)
        found.items += rows
        return None

    def _output(self, exchange: "_Exchange", found: "_Found", cut: bool) -> ToolOutput:
        invocation, call = exchange.invocation, exchange.call
        columns = call.columns if call.response == "json" and call.method != "HEAD" else {}
        names, rows = table_of(found.items[: invocation.row_cap + 1], columns)
        units = {
            name: Unit.NUMBER for name, value in found.facts.items() if not isinstance(value, str | bool)
        }
        return rows_output(
            invocation,
            names,
            rows,
            self._clock(),
            facts=found.facts,
            fact_units={**units, **{name: unit for name, unit in call.units.items() if name in found.facts}},
            units=call.units,
            truncated=cut or found.cut,
        )


@dataclass(slots=True)
class _Found:
    """What the pages brought so far."""

    items: list[Any]
    facts: dict[str, Any]
    document: Any
    on_page: int = 0
    received: int = 0
    cut: bool = False


class _Exchange:
    """One call: its request and where it goes."""

    def __init__(self, invocation: Invocation, call: HttpCall, source: SourceAsset, request: Filled) -> None:
        self.invocation = invocation
        self.call = call
        self.source = source
        self._request = request
        self._rules = rules_of(source)

    def request(self, headers: Mapping[str, str], pages: Pages | None, ends_at: float, taken: int) -> Request:
        """The request of the next page; a whole call takes no more bytes than one reply may have."""
        url = pages.url if pages is not None and pages.url is not None else None
        accept = "application/json" if self.call.response == "json" else "*/*"
        return Request(
            url=url or self._request.url(self.source.location, pages.query if pages is not None else None),
            rules=self._rules,
            method=self.call.method,
            headers={"Accept": accept, **self._request.headers, **headers},
            body=self._request.body,
            timeout_s=max(0.001, ends_at - time.monotonic()),
            max_bytes=max(1, spec_of(self.source).max_bytes - taken),
        )

    def failed(self, error: OpsError) -> OpsError:
        """A failure of a request that may not be sent twice is final: it may have been done."""
        if self.call.method in _REPEATABLE or error.details.get("retry_after_s") is not None:
            return error
        return replace(error, retryable=False)


def _described(reply: Reply) -> dict[str, Any]:
    names = ("content-type", "content-length", "last-modified", "etag")
    return {"status": reply.status, **{name.replace("-", "_"): reply.headers.get(name) for name in names}}
