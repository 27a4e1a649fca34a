"""Reading a document from a file or, through the URL guard, from an address."""

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml

from agents.execution.guards.url.guard import Target, parsed_url
from agents.execution.guards.url.rules import Entry, UrlRules
from agents.execution.outbound.client import GuardedClient, Request
from cli.importing.imported import ImportFailed
from schemas.errors import OpsError

_LARGEST = 10_000_000
_PATIENCE_S = 30.0


def read_document(place: str, *, internal: bool = False) -> tuple[Any, str | None]:
    """The document, and the address it came from if it came from one. Raises `ImportFailed`."""
    if place.lower().startswith(("http://", "https://")):
        return _parsed(asyncio.run(_fetched(place, internal))), place
    path = Path(place).expanduser()
    try:
        if path.stat().st_size > _LARGEST:
            raise ImportFailed(f"{path} is over {_LARGEST // 1_000_000} MB.", "Give a smaller document.")
        return _parsed(path.read_bytes()), None
    except OSError as error:
        raise ImportFailed(f"{path} could not be read: {error.strerror}.", "Look at the path.") from error


async def _fetched(url: str, internal: bool) -> bytes:
    target = parsed_url(url)
    opened = (
        (Entry(target.host, target.port, target.scheme, True),)
        if isinstance(target, Target) and internal
        else ()
    )
    client = GuardedClient()
    try:
        rules = UrlRules("public", (), opened)
        reply = await client.fetch(Request(url=url, rules=rules, timeout_s=_PATIENCE_S, max_bytes=_LARGEST))
    finally:
        await client.close()
    if isinstance(reply, OpsError):
        raise ImportFailed(f"{reply.code}: {reply.message}", "Look at the address, and at --internal.")
    if reply.status != 200:
        raise ImportFailed(f"The address answered with status {reply.status}.", "Look at the address.")
    return reply.body


class _NoAliases(yaml.SafeLoader):
    """Aliases make a small text large."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise ImportFailed("The document uses YAML aliases.", "Write it without them, or as JSON.")
        return super().compose_node(parent, index)


def _parsed(content: bytes) -> Any:
    try:
        written = yaml.load(content, _NoAliases)  # JSON is YAML
        return json.loads(json.dumps(written, default=str))  # what YAML reads as dates and numbers were texts
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError, ValueError) as error:
        raise ImportFailed("The document is neither JSON nor YAML.", "Look at what it is.") from error
