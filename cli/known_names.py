"""Names that questions may use (hosts, packages, mounts), asked through the guarded path and kept in memory."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from registry.assets import ToolAsset
from registry.registry import Registry
from schemas.calls import ToolCalled, ToolFailed, ToolSucceeded
from schemas.ids import call_id, trace_id

REFRESH_EVERY_S = 30.0
ASK_TIMEOUT_S = 5.0
MAX_NAMES = 10_000
DATASETS_EVERY = 10
"""Names in tables of datasets change slowly and are many: they are asked for at every tenth refresh."""

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
        self._refreshed = 0

    def adopt(self, registry: Registry) -> None:
        """Ask this snapshot's templates and datasets from now on."""
        self._registry = registry
        self._refreshed = 0

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
        asks = [self._ask_template(tenant, template) for tenant, template in wanted]
        if self._refreshed % DATASETS_EVERY == 0:
            asks += [self._ask(*each) for tenant in tenants for each in self._of_datasets(tenant)]
        self._refreshed += 1
        await asyncio.gather(*asks)

    def _of_datasets(self, tenant_id: str) -> list[tuple[str, str, ToolAsset, dict[str, Any]]]:
        """What to ask for the names in a tenant's datasets: the values of each entity field, by how frequent."""
        found = []
        for dataset in self._registry.datasets(tenant_id):
            tool = self._registry.tool(dataset.tool)
            for name, field in dataset.fields.items():
                if tool is not None and field.type == "entity" and field.values_known:
                    order = [{"field": "count", "desc": True}]
                    params = {
                        "table": dataset.table,
                        "group_by": [name],
                        "order_by": order,
                        "limit": MAX_NAMES,
                    }
                    found.append((tenant_id, f"{dataset.id}:{name}", tool, params))
        return found

    async def _ask_template(self, tenant_id: str, template_id: str) -> None:
        template = self._registry.template(template_id)
        tool = self._registry.tool(template.tool) if template else None
        if tool is not None:
            await self._ask(tenant_id, template_id, tool, {"template": template_id, "args": {}})

    async def _ask(self, tenant_id: str, template_id: str, tool: ToolAsset, params: dict[str, Any]) -> None:
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
            params=params,
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
