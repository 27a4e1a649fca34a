"""Tool assets out of an MCP server's own list. For administrators; what the server says of itself is data."""

import asyncio
from collections.abc import Collection
from typing import Any

from agents.execution.outbound.client import GuardedClient
from agents.execution.outbound.mcp_sessions import SessionFailed, Sessions
from cli.importing.imported import Imported, ImportFailed, one_line, slug
from registry.assets import SourceAsset

_PATIENCE_S = 30.0
_MOST_PAGES = 20
_LARGEST_SCHEMA = 20_000


async def discovered(source: SourceAsset, roles: Collection[str]) -> list[Any]:
    """The tools a server offers. Raises `ImportFailed`, also for everyone who is no administrator."""
    if "admin" not in roles:
        raise ImportFailed(
            "PERMISSION_DENIED: only an administrator may import from an MCP server.", "Ask one.", 3
        )
    client = GuardedClient()
    sessions = Sessions(client)
    try:
        async with asyncio.timeout(_PATIENCE_S), sessions.using(source, "import") as session:
            offered = await session.client()
            tools: list[Any] = []
            cursor: str | None = None
            for _ in range(_MOST_PAGES):
                page = await offered.list_tools(cursor=cursor)
                tools += page.tools
                cursor = page.next_cursor
                if cursor is None:
                    return tools
            return tools
    except SessionFailed as failed:
        why = failed.error.detail or failed.error.message
        raise ImportFailed(
            f"{failed.error.code}: {failed.error.message} ({why})", "Look at the address."
        ) from failed
    except TimeoutError as late:
        raise ImportFailed(f"The server did not answer in {_PATIENCE_S:g} s.", "Try again.") from late
    finally:
        await sessions.close()
        await client.close()


def imported_from(
    source: dict[str, Any], offered: list[Any], only: Collection[str], *, publish: bool
) -> Imported:
    """The assets of a server's tools. Drafts unless they are to be published; what may write is for administrators."""
    made = Imported(source)
    for tool in offered:
        if only and tool.name not in only:
            continue
        hints = tool.annotations
        reads = bool(hints and hints.read_only_hint)
        mcp: dict[str, Any] = {"tool": tool.name}
        if tool.output_schema and len(str(tool.output_schema)) <= _LARGEST_SCHEMA:
            mcp["output_schema"] = tool.output_schema
        made.tools.append(
            {
                "id": f"{source['id']}.{slug(tool.name)}",
                "status": "published" if publish else "draft",
                "name": one_line(tool.title or tool.name)[:80],
                "description": one_line(tool.description),
                "tool_type": "mcp_tool",
                "kind": "mcp",
                "source": source["id"],
                "capability_type": "read_only" if reads else "read_write",
                **({} if reads else {"roles": ["admin"]}),
                "parameters": tool.input_schema or {"type": "object", "properties": {}},
                "mcp": mcp,
            }
        )
    if not made.tools:
        raise ImportFailed("No tool was left to import.", "Look at --only.")
    if not publish:
        made.notes.append(
            "The tools are drafts: read what the server says of them, then set status: published."
        )
    return made
