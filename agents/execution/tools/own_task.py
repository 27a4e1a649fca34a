"""Work that must take all its steps in one task: clients with timers and cancel scopes of their own."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

_T = TypeVar("_T")


async def in_own_task(work: Coroutine[Any, Any, _T]) -> _T:
    """Await `work` in a task made for it. A call may take its first step in another task than its later ones,
    which some clients do not survive. When this is cancelled, so is the work, and it ends first."""
    return await asyncio.get_running_loop().create_task(work)
