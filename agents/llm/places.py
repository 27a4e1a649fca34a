"""Places at the model, shared fairly: a tenant that asks a thousand times waits for its own, not the others for it."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairPlaces:
    """So many callers at once. Those who wait are let in by tenant in turn, each tenant's in their order."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def place(self, tenant_id: str) -> AsyncIterator[None]:
        """Hold a place; a wait that is cancelled gives its turn on."""
        await self._enter(tenant_id)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, tenant_id: str) -> None:
        if self._free > 0 and not self._waiting:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()  # the turn had just come: the next one takes it
            raise

    def _leave(self) -> None:
        """Give the place to the next who still waits: of the tenant whose turn it is, which then goes to the end."""
        while self._waiting:
            tenant_id, turns = next(iter(self._waiting.items()))
            turn = turns.popleft()
            if turns:
                self._waiting.move_to_end(tenant_id)
            else:
                del self._waiting[tenant_id]
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
