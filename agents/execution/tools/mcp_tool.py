"""`mcp_tool`: one tool of an MCP server, over stdio or streamable HTTP.

What the server says is data: it becomes rows, held to the declared schema, and nothing else. It is offered no model,
no files and no questions to the asker.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
from mcp.shared.exceptions import MCPError
from pydantic import ConfigDict

from agents.execution.declared import UnfitSchema, faults_against
from agents.execution.outbound.client import GuardedClient
from agents.execution.outbound.mcp_sessions import Session, SessionFailed, Sessions
from agents.execution.tool import Invocation, Parameters
from agents.execution.tools.http_reply import malformed, rows_of, table_of
from agents.execution.tools.outputs import rows_output
from agents.execution.tools.own_task import in_own_task
from registry.assets import SourceAsset
from registry.outbound_assets import McpCall
from schemas.calls import ToolOutput, Unit
from schemas.errors import ErrorCode, OpsError, ops_error

_LONGEST_TEXT = 20_000
_READING = frozenset({"read_only", "search", "time_series", "graph_query"})
_REFUSALS = frozenset({-32602, -32601, -32600})
_NOT_OF_ITS_FORM = "The server's reply is not of its declared form."


class McpToolParameters(Parameters):
    """Whatever the tool's own schema declares."""

    model_config = ConfigDict(extra="allow")


class McpTool:
    """See the module."""

    tool_type = "mcp_tool"
    parameters = McpToolParameters
    statement_field = None

    def __init__(self, client: GuardedClient, *, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._sessions = Sessions(client)
        self._clock = clock

    async def run(self, invocation: Invocation) -> ToolOutput | OpsError:
        """Rows out of the structured result, else its text; the server's failures by code."""
        call, source = invocation.tool.mcp, invocation.source
        if call is None or source is None or source.engine != "mcp":
            return ops_error(
                ErrorCode.ASSET_LOAD_FAILED, detail=f"{invocation.tool.id} names no server's tool"
            )
        outcome = await in_own_task(self._called(invocation, call, source))
        if isinstance(outcome, OpsError) and invocation.tool.capability_type not in _READING:
            return replace(outcome, retryable=False)
        return outcome

    async def close(self) -> None:
        """End the sessions; programs end with them."""
        await self._sessions.close()
        await self._client.close()

    async def _called(
        self, invocation: Invocation, call: McpCall, source: SourceAsset
    ) -> ToolOutput | OpsError:
        async with self._sessions.using(source, invocation.tenant_id) as session:
            try:
                client = await session.client()
                result = await client.call_tool(call.tool, dict(invocation.params))
            except SessionFailed as failed:
                self._sessions.forget(session)
                return failed.error
            except MCPError as error:
                return self._refused(error, session)
            except Exception as error:  # noqa: BLE001  # border: the SDK raises what its libraries and servers cause
                self._sessions.forget(session)
                return session.failure or _of_the_sdk(error)
        return self._output(invocation, call, result)

    def _refused(self, error: MCPError, session: Session) -> OpsError:
        detail = f"{error.error.code}: {error.error.message}"[:500]
        if error.error.code in _REFUSALS:
            return ops_error(ErrorCode.TOOL_BAD_REQUEST, "The server refused the call.", detail=detail)
        self._sessions.forget(session)
        away = ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, "The tool's server failed.", detail=detail)
        return session.failure or away

    def _output(self, invocation: Invocation, call: McpCall, result: Any) -> ToolOutput | OpsError:
        text, other = _text_of(result)
        if result.is_error:
            return ops_error(ErrorCode.TOOL_BAD_REQUEST, "The server's tool failed.", detail=text[:500])
        document = result.structured_content
        if document is None and text[:1] in ("{", "["):
            document = _parsed(text)
        if document is None and (call.output_schema or call.rows):
            return malformed(_NOT_OF_ITS_FORM, "no structured result")
        if document is None:
            found: list[Any] | OpsError = [{"text": text[:_LONGEST_TEXT]}] if text else []
        else:
            faults = _faults(call, document)
            if faults:
                return malformed(_NOT_OF_ITS_FORM, faults)
            found = rows_of(_unwrapped(document) if not call.rows else document, call.rows)
        if isinstance(found, OpsError):
            return found
        names, rows = table_of(found[: invocation.row_cap + 1], {})
        return rows_output(
            invocation,
            names,
            rows,
            self._clock(),
            facts={"other_parts": other} if other else {},
            fact_units={"other_parts": Unit.NUMBER} if other else {},
            truncated=document is None and len(text) > _LONGEST_TEXT,
        )


def _faults(call: McpCall, document: Any) -> str:
    try:
        return "; ".join(faults_against(call.output_schema, document)) if call.output_schema else ""
    except UnfitSchema as error:
        return str(error)


def _unwrapped(document: Any) -> Any:
    """Servers wrap what is no object as `{"result": …}`."""
    if isinstance(document, dict) and document.keys() == {"result"}:
        return document["result"]
    return document


def _text_of(result: Any) -> tuple[str, int]:
    """The texts of a result, and how many parts are none (pictures, sounds, links)."""
    texts = [part.text for part in result.content if getattr(part, "type", "") == "text"]
    return "\n".join(texts), len(result.content) - len(texts)


def _parsed(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _of_the_sdk(error: Exception) -> OpsError:
    detail = f"{type(error).__name__}: {error}"[:500]
    if isinstance(error, RuntimeError | ValueError) and "schema" in str(error).lower():
        return malformed(_NOT_OF_ITS_FORM, detail)
    return ops_error(ErrorCode.UPSTREAM_UNAVAILABLE, "The tool's server failed.", detail=detail)
