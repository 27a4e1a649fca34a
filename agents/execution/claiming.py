"""Results that are too large to travel: the whole goes into the claim store, its first rows travel with the claim."""

import asyncio
import logging
from dataclasses import replace
from typing import Final

from agents.execution.bounds import cut_to, measured
from schemas.calls import ToolOutput
from schemas.errors import OpsError
from streams.claims import ClaimStore

PREVIEW_BYTES: Final = 64 * 1024
"""What travels of a result that lies in the store."""

_log = logging.getLogger(__name__)


class Claiming:
    """Bounds what leaves a tool, and checks in what is too large for an event."""

    def __init__(self, store: ClaimStore | None, *, over_bytes: int, travels_bytes: int) -> None:
        """`over_bytes`: larger results are checked in. `travels_bytes`: what may travel where there is no store, or
        the store fails; the rest is cut."""
        self._store = store
        self._over_bytes = over_bytes
        self._travels_bytes = travels_bytes

    async def bounded(
        self, output: object, row_cap: int, max_bytes: int, tenant_id: str
    ) -> ToolOutput | OpsError:
        """The output within the caps of its tool, and small enough to travel."""
        store = self._store
        if store is None and max_bytes > self._travels_bytes:
            max_bytes = self._travels_bytes
        kept, size = measured(output, row_cap, max_bytes)
        if store is None or size <= self._over_bytes or not isinstance(kept, ToolOutput):
            return kept
        try:
            claim = await asyncio.to_thread(store.put, kept, tenant_id)
        except (OSError, ValueError) as exc:
            _log.warning("a result of %d bytes could not be kept: %r", size, exc)
            return measured(kept, row_cap, min(max_bytes, self._travels_bytes))[0]
        preview = cut_to(kept, size, PREVIEW_BYTES)
        if isinstance(preview, OpsError):
            return preview
        return replace(preview, facts=kept.facts, truncated=kept.truncated, claim=claim)
