"""Results remembered for a while: identical calls of one tenant are run once, and shared while they run.

Only for tools that read, and only where the policy says how old a result may be.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import NamedTuple

import orjson

from agents.execution.admission import Admitted
from agents.execution.attempting import Tried
from agents.execution.tool import Invocation
from schemas.calls import ToolOutput

MAX_BYTES = 32 * 1024 * 1024
MAX_RESULTS = 2_000


class _Kept(NamedTuple):
    output: ToolOutput
    at: float
    size_bytes: int


def remembers(admitted: Admitted) -> bool:
    """Does the policy want this tool's results remembered, and does the tool only read?"""
    return admitted.remembers


def key_of(admitted: Admitted, invocation: Invocation) -> Hashable:
    """All that a result depends on. Another version of any asset is another key."""
    source, template = admitted.source, invocation.template
    return (
        invocation.tenant_id,
        admitted.tool.id,
        admitted.tool.version,
        admitted.policy.id,
        admitted.policy.version,
        None if source is None else (source.id, source.version),
        None if template is None else (template.id, template.version),
        invocation.statement,
        invocation.row_cap,
        orjson.dumps([invocation.params, invocation.given], option=orjson.OPT_SORT_KEYS, default=str),
    )


class Remembered:
    """Bounded in bytes and in number; what was not used for longest goes first."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_results: int = MAX_RESULTS) -> None:
        self._max_bytes = max_bytes
        self._max_results = max_results
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size_bytes = 0
        self._under_way: dict[Hashable, asyncio.Future[ToolOutput | None]] = {}

    def fresh(self, key: Hashable, ttl_s: float, now: float) -> ToolOutput | None:
        """A result at most `ttl_s` old."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if not 0 <= now - kept.at < ttl_s:
            self._drop(key)
            return None
        self._kept.move_to_end(key)
        return kept.output

    async def shared(
        self, key: Hashable, wait_s: float, now: float, run: Callable[[], Awaitable[Tried]]
    ) -> tuple[Tried, bool]:
        """Run it, or wait for the same call that runs already; True when it was another's. A failure is not shared:
        it may have been that call's own."""
        other = self._under_way.get(key)
        if other is not None:
            try:
                output = await asyncio.wait_for(asyncio.shield(other), wait_s)
            except TimeoutError:
                output = None
            if output is not None:
                return Tried(output, 0, now), True
            return await run(), False
        done: asyncio.Future[ToolOutput | None] = asyncio.get_running_loop().create_future()
        self._under_way[key] = done
        output = None
        try:
            tried = await run()
            output = tried.outcome if isinstance(tried.outcome, ToolOutput) else None
            if output is not None:
                self._keep(key, output, now)
        finally:
            del self._under_way[key]
            done.set_result(output)
        return tried, False

    def _keep(self, key: Hashable, output: ToolOutput, now: float) -> None:
        size_bytes = len(orjson.dumps([output.rows, output.facts], default=str)) + 500
        if size_bytes * 4 > self._max_bytes:
            return
        self._drop(key)
        self._kept[key] = _Kept(output, now, size_bytes)
        self._size_bytes += size_bytes
        while self._size_bytes > self._max_bytes or len(self._kept) > self._max_results:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size_bytes -= kept.size_bytes
