"""Names that questions may use (hosts, packages, mounts), asked through the guarded path and kept in memory."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from registry.registry import Registry
from schemas.calls import ToolCalled, ToolFailed, ToolSucceeded
from schemas.ids import call_id, trace_id

REFRESH_EVERY_S = 30.0
ASK_TIMEOUT_S = 5.0
MAX_NAMES = 10_000

_log = logging.getLogger(__name__)


class KnownNames:
    """Calls itself like a function: (tenant_id, template_id) → names, from memory. What the planner reads."""

    def __init__(
        self,
        registry: Registry,
        run: Callable[[ToolCalled], Awaitable[ToolSucceeded | ToolFailed]],
        clock: Callable[[], float],
    ) -> None:
        self._registry = registry
        self._run = run
        self._clock = clock
        self._names: dict[tuple[str, str], Sequence[str]] = {}

    def adopt(self, registry: Registry) -> None:
        """Ask this snapshot's templates from now on."""
        self._registry = registry

    def __call__(self, tenant_id: str, template_id: str) -> Sequence[str]:
        return self._names.get((tenant_id, template_id), ())

    async def keep_fresh(self) -> None:
        """Ask again at intervals until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_EVERY_S)
            await self.refresh()

    async def refresh(self) -> None:
        """Ask every template that others take their names from, for each tenant its tool names."""
        tenants = {
            tenant for tool in self._registry.tools.values() for tenant in tool.supported_tenants or ()
        }
        wanted = {
            (tenant, parameter.values_from)
            for tenant in tenants
            for template in self._registry.templates(tenant)
            for parameter in template.parameters.values()
            if parameter.values_from
        }
        await asyncio.gather(*(self._ask(tenant, template) for tenant, template in wanted))

    async def _ask(self, tenant_id: str, template_id: str) -> None:
        template = self._registry.template(template_id)
        tool = self._registry.tool(template.tool) if template else None
        if template is None or tool is None:
            return
        now = self._clock()
        trace = trace_id(tenant_id, f"known names of {template_id}")
        called = ToolCalled(
            trace_id=trace,
            tenant_id=tenant_id,
            user_id="opsloom",
            roles=("viewer",),
            call_id=call_id(trace, template_id, 0),
            step_id="names",
            tool_id=tool.id,
            tool_type=tool.tool_type,
            kind=tool.kind,
            params={"template": template_id, "args": {}},
            timeout_s=ASK_TIMEOUT_S,
            deadline_at=now + ASK_TIMEOUT_S,
            called_at=now,
            max_rows=MAX_NAMES,
        )
        result = await self._run(called)
        if isinstance(result, ToolFailed):
            _log.warning("names of %s could not be read: %s", template_id, result.error.message)
            return
        names = tuple(str(row[0]) for row in result.output.rows if row and row[0] is not None)
        if names != self._names.get((tenant_id, template_id)):
            self._names[tenant_id, template_id] = names
