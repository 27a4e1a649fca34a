"""Which other tools may do a step's work. The seam to the registry's choice (`Registry.resolve`) is here alone."""

from collections.abc import Collection

from agents.planning.validation import Asker, usable
from registry.assets import ToolAsset
from registry.choosing import Health, Resolved, nothing_known
from registry.decisions import Refuse
from registry.registry import Registry


def choose(
    registry: Registry,
    capability: str,
    asker: Asker,
    health: Health = nothing_known,
    avoid: Collection[str] = (),
) -> Resolved | Refuse:
    """The tool for a capability, and why this one."""
    return registry.resolve(
        capability, asker.tenant_id, asker.roles, health=health, avoid=avoid, tools=asker.tools
    )


def alternatives(
    registry: Registry, tool: ToolAsset, capability: str | None, asker: Asker, avoid: Collection[str] = ()
) -> list[ToolAsset]:
    """The tools that may be asked instead of this one, ordered by id.

    Where the plan asked for a capability, every tool that offers it. Where it named the tool, only one that is bound
    to mean the same: of the same type, and over the same source or with the same declared kinds of output. A tool
    that merely works alike would answer about something else.
    """
    if capability is not None:
        offers = registry.get_tools_for_capability(capability, asker.tenant_id)
        found = [registry.tool(each.tool_id) for each in offers]
    else:
        found = [each for _, each in sorted(registry.tools.items()) if _means_the_same(tool, each)]
    return [
        each
        for each in found
        if each is not None and each.id != tool.id and each.id not in avoid and usable(each, asker)
    ]


def _means_the_same(tool: ToolAsset, other: ToolAsset) -> bool:
    if other.tool_type != tool.tool_type:
        return False
    if (other.http, other.mcp) != (tool.http, tool.mcp):
        # A tool with a request of its own means that request: another one of the same service asks something else.
        return False
    if tool.source is not None:
        return other.source == tool.source
    return other.source is None and bool(tool.output_types) and other.output_types == tool.output_types
