"""The registry: a frozen snapshot of what exists and who may use it, lookups computed beforehand."""

from collections.abc import Callable, Collection, Iterable, Mapping
from types import MappingProxyType

from registry import capabilities
from registry.assembly import SHARED, AnyAsset, Entry, assembled, entries_of, replaced
from registry.assets import ComboAsset, PolicyAsset, SourceAsset, TemplateAsset, ToolAsset
from registry.capabilities import Capability, Recommendation, capability_of
from registry.choosing import Health, Resolved, chosen, nothing_known
from registry.datasets import DatasetAsset
from registry.decisions import Decision, Refuse
from registry.defaults import DEFAULT_POLICIES
from registry.overrides import Overrides
from registry.pack import Pack
from schemas.errors import ErrorCode
from schemas.questions import Mode


class Registry:
    """A snapshot. Only published assets are found; `register` returns a new one and leaves this one alone."""

    __slots__ = ("_capabilities", "_combos", "_datasets", "_entries", "_named_tenants", "_policies", "_seen",
                 "_sources", "_templates", "_tools", "overrides", "packs")  # fmt: skip

    def __init__(self, entries: Iterable[Entry], packs: tuple[Pack, ...] = ()) -> None:
        self.packs = packs
        self._entries = tuple(entries)
        found = assembled(self._entries)
        self._tools: Mapping[str, ToolAsset] = MappingProxyType(found.tools)
        self._sources: Mapping[str, SourceAsset] = MappingProxyType(found.sources)
        self._templates: Mapping[str, TemplateAsset] = MappingProxyType(found.templates)
        self._combos: Mapping[str, ComboAsset] = MappingProxyType(found.combos)
        self._datasets: Mapping[str, DatasetAsset] = MappingProxyType(found.datasets)
        self._policies: Mapping[str, PolicyAsset] = MappingProxyType(found.policies_by_tool)
        self.overrides = Overrides(found.overrides)
        self._capabilities: Mapping[str, Capability] = MappingProxyType(
            {tool_id: capability_of(tool) for tool_id, tool in found.tools.items()}
        )
        self._named_tenants = frozenset(
            tenant for tool in found.tools.values() for tenant in tool.supported_tenants or ()
        )
        self._seen: dict[tuple[str, Mode], tuple[TemplateAsset, ...]] = {}

    @classmethod
    def of(cls, *packs: Pack, default_policies: Iterable[PolicyAsset] = DEFAULT_POLICIES) -> "Registry":
        """A registry of packs. Raises `RegistryError` where two packs claim one id."""
        return cls(entries_of(packs, default_policies), packs)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Every asset with its owner, published or not."""
        return self._entries

    # What exists

    def tool(self, tool_id: str) -> ToolAsset | None:
        """The published tool, or None."""
        return self._tools.get(tool_id)

    def source(self, source_id: str) -> SourceAsset | None:
        """The published source, or None."""
        return self._sources.get(source_id)

    def template(self, template_id: str) -> TemplateAsset | None:
        """The published template, or None."""
        return self._templates.get(template_id)

    def combo(self, combo_id: str) -> ComboAsset | None:
        """The published combo, or None."""
        return self._combos.get(combo_id)

    def dataset(self, dataset_id: str) -> DatasetAsset | None:
        """The published dataset, or None."""
        return self._datasets.get(dataset_id)

    def datasets(self, tenant_id: str) -> tuple[DatasetAsset, ...]:
        """The datasets whose tool this tenant may use, ordered by id."""
        return tuple(
            dataset for _, dataset in sorted(self._datasets.items()) if self._open_to(dataset.tool, tenant_id)
        )

    def datasets_of(self, tool_id: str) -> tuple[DatasetAsset, ...]:
        """The datasets of a tool, ordered by id: what its tables mean."""
        return tuple(dataset for _, dataset in sorted(self._datasets.items()) if dataset.tool == tool_id)

    @property
    def tools(self) -> Mapping[str, ToolAsset]:
        """All published tools by id."""
        return self._tools

    @property
    def sources(self) -> Mapping[str, SourceAsset]:
        """All published sources by id."""
        return self._sources

    def policy_for(self, tool: ToolAsset) -> PolicyAsset | None:
        """The policy that limits a tool: its pack's own of that set, else the default. None means refuse."""
        return self._policies.get(tool.id)

    def templates(self, tenant_id: str, mode: Mode = Mode.ALL) -> tuple[TemplateAsset, ...]:
        """The templates whose tool this tenant may use, ordered by id; a `mode` but all narrows them."""
        key = (self.tenant_group(tenant_id), mode)
        found = self._seen.get(key)
        if found is None:
            found = tuple(
                template
                for _, template in sorted(self._templates.items())
                if (mode is Mode.ALL or template.mode is mode) and self._open_to(template.tool, tenant_id)
            )
            self._seen[key] = found
        return found

    def combos(self, tenant_id: str, mode: Mode = Mode.ALL) -> tuple[ComboAsset, ...]:
        """The combos all of whose templates this tenant may use, ordered by id."""
        return tuple(
            combo
            for _, combo in sorted(self._combos.items())
            if (mode is Mode.ALL or combo.mode is mode)
            and all(self._open_to(self._templates[member].tool, tenant_id) for member in combo.templates)
        )

    def tenant_group(self, tenant_id: str) -> str:
        """Tenants that see exactly the same assets share a group: what is computed for one may be kept
        for all of them, without growing with the number of tenants."""
        return tenant_id if tenant_id in self._named_tenants else ""

    def _open_to(self, tool_id: str, tenant_id: str) -> bool:
        tenants = self._tools[tool_id].supported_tenants
        return tenants is None or tenant_id in tenants

    # Capabilities

    def get(self, tool_id: str) -> Capability | None:
        """The capability of a published tool, or None."""
        return self._capabilities.get(tool_id)

    def get_by_type(self, capability_type: str) -> tuple[Capability, ...]:
        """All capabilities of a type, ordered by tool id."""
        return self._where(lambda each: each.capability_type == capability_type)

    def get_parallelizable(self) -> tuple[Capability, ...]:
        """All capabilities that may run beside others, ordered by tool id."""
        return self._where(lambda each: each.execution_mode != "serial")

    def get_tools_for_capability(self, capability: str, tenant_id: str) -> tuple[Capability, ...]:
        """The tools of a capability, by its name (the tool type) or its type, which the tenant may use."""
        return self._where(
            lambda each: (
                capability in (each.name, each.capability_type) and self._open_to(each.tool_id, tenant_id)
            )
        )

    def recommend_tool(self, capability: str, tenant_id: str) -> Recommendation | Refuse:
        """The tool with the smallest expected time among those the tenant may use."""
        best = capabilities.recommended(self.get_tools_for_capability(capability, tenant_id))
        if best is not None:
            return best
        return Refuse(ErrorCode.ASSET_LOAD_FAILED, f"no published tool offers {capability}", "publish one")

    def resolve(
        self,
        capability: str,
        tenant_id: str,
        roles: Collection[str],
        *,
        health: Health = nothing_known,
        avoid: Collection[str] = (),
        tools: Collection[str] | None = None,
    ) -> Resolved | Refuse:
        """The tool that does a capability's work (its name or type) for this asker now, and why: tenant, roles,
        breaker, and the expected time by what `health` observed. `avoid`: tools that failed this question already;
        `tools`: the only ones the question allows."""
        offers = self._where(
            lambda each: (
                capability in (each.name, each.capability_type) and (tools is None or each.tool_id in tools)
            )
        )
        return chosen(capability, offers, tenant_id, roles, health, avoid)

    def can_execute_in_parallel(self, tool_ids: Iterable[str]) -> Decision:
        """May these tools run side by side?"""
        found = [(tool_id, self._capabilities.get(tool_id)) for tool_id in tool_ids]
        for tool_id, capability in found:
            if capability is None:
                return _unknown(tool_id)
        return capabilities.parallel_use(each for _, each in found if each is not None)

    def validate_tenant_access(self, tool_id: str, tenant_id: str) -> Decision:
        """May this tenant use the tool?"""
        capability = self._capabilities.get(tool_id)
        return _unknown(tool_id) if capability is None else capabilities.tenant_access(capability, tenant_id)

    def can_fallback(self, tool_id: str) -> Decision:
        """May another tool stand in for this one?"""
        capability = self._capabilities.get(tool_id)
        if capability is None:
            return _unknown(tool_id)
        return capabilities.fallback_use(capability, self._capabilities)

    def check_dependencies(self, tool_id: str) -> Decision:
        """Is all that a tool needs published, without a circle?"""
        capability = self._capabilities.get(tool_id)
        if capability is None:
            return _unknown(tool_id)
        return capabilities.dependencies(capability, self._capabilities)

    def register(self, asset: AnyAsset, pack_id: str = SHARED) -> "Registry":
        """A new registry that also holds this asset, or this later version of it. A published version never
        changes: the same version with other contents raises `RegistryError`, and so does an older one."""
        return Registry(replaced(self._entries, asset, pack_id), self.packs)

    def _where(self, test: Callable[[Capability], bool]) -> tuple[Capability, ...]:
        return tuple(each for _, each in sorted(self._capabilities.items()) if test(each))


def _unknown(tool_id: str) -> Refuse:
    return Refuse(
        ErrorCode.ASSET_LOAD_FAILED, f"no tool {tool_id} is published", "publish it, or name another"
    )
