"""What must hold between the assets of one pack. Each fault names the asset, what is wrong and what to do."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from registry.assets import Parameter, TemplateAsset, ToolAsset
from registry.capabilities import cycle_in
from registry.dataset_checks import dataset_faults
from registry.pack import Pack
from registry.statements import argument_names, names_in_statement
from schemas.calls import Unit

_NEEDS_STATEMENT = frozenset({"direct_query", "graph_query"})
_HOLE = re.compile(r"\{([^{}|]*)(?:\|([^{}]*))?\}")
_UNITS = frozenset(unit.value for unit in Unit)


class Fault(NamedTuple):
    """Something wrong with one asset: the folder of its kind, its id, the reason, the hint."""

    folder: str
    asset_id: str
    reason: str
    hint: str


def faults_of(pack: Pack) -> Iterator[Fault]:
    """All faults of a pack, in the order of its assets."""
    sources = [source.id for source in pack.sources]
    tools = {tool.id: tool for tool in pack.tools}
    templates = {template.id: template for template in pack.templates}
    for tool in pack.tools:
        yield from _tool_faults(tool, sources, tools, pack.tenants)
    yield from _policy_faults(pack)
    for template in pack.templates:
        yield from _template_faults(template, tools, templates)
    for combo in pack.combos:
        for member in combo.templates:
            if member not in templates:
                yield Fault(
                    "combos",
                    combo.id,
                    f"{combo.id} names the unknown template {member}",
                    _near(member, templates),
                )
        if len(set(combo.templates)) < len(combo.templates):
            yield Fault("combos", combo.id, f"{combo.id} names a template twice", "Name each once.")

    for found in dataset_faults(pack):
        yield Fault("datasets", found.dataset_id, found.reason, found.hint)


def _tool_faults(
    tool: ToolAsset, sources: Sequence[str], tools: dict[str, ToolAsset], tenants: Sequence[str]
) -> Iterator[Fault]:
    if tool.source is not None and tool.source not in sources:
        yield Fault(
            "tools", tool.id, f"{tool.id} names the unknown source {tool.source}", _near(tool.source, sources)
        )
    others = [*tool.depends_on, *([tool.fallback_tool_id] if tool.fallback_tool_id else [])]
    for other in others:
        if other not in tools:
            yield Fault("tools", tool.id, f"{tool.id} names the unknown tool {other}", _near(other, tools))
    if tool.fallback_tool_id == tool.id:
        yield Fault("tools", tool.id, f"{tool.id} falls back to itself", "Name another tool.")
    cycle = cycle_in({each.id: each.depends_on for each in tools.values()}, tool.id)
    if cycle:
        yield Fault(
            "tools", tool.id, f"tools depend on one another: {' → '.join(cycle)}", "Break the circle."
        )
    foreign = [tenant for tenant in tool.supported_tenants or () if tenants and tenant not in tenants]
    if foreign:
        reason = f"{tool.id} serves {', '.join(foreign)}, which the pack does not"
        yield Fault("tools", tool.id, reason, "Add the tenant to the pack's tenants.")


def _policy_faults(pack: Pack) -> Iterator[Fault]:
    first_of_set: dict[str, str] = {}
    for policy in pack.policies:
        first = first_of_set.setdefault(policy.policy_set, policy.id)
        if first != policy.id:
            reason = f"{policy.id} is a second policy of the set {policy.policy_set} beside {first}"
            yield Fault("policies", policy.id, reason, "Keep one for each set.")


def _template_faults(
    template: TemplateAsset, tools: dict[str, ToolAsset], templates: dict[str, TemplateAsset]
) -> Iterator[Fault]:
    def fault(reason: str, hint: str) -> Fault:
        return Fault("templates", template.id, f"{template.id} {reason}", hint)

    tool = tools.get(template.tool)
    if tool is None:
        yield fault(f"names the unknown tool {template.tool}", _near(template.tool, tools))
        return
    if not template.statement and tool.tool_type in _NEEDS_STATEMENT:
        yield fault(f"has no statement, and {tool.tool_type} needs one", "Write `statement:`.")
    if template.statement:
        yield from _statement_faults(template, tool)
    for name, parameter in template.parameters.items():
        for reason, hint in _parameter_faults(name, parameter, templates):
            yield fault(reason, hint)
    for name, rest in _HOLE.findall(template.render.text + template.render.text_ko):
        unit = rest.partition("|")[0]
        if not name.strip():
            yield fault("has an empty {} in its text", "Name a column or a fact in it.")
        if unit and unit not in _UNITS:
            yield fault(
                f"uses the unknown unit {unit} in its text", f"Use one of {', '.join(sorted(_UNITS))}."
            )


def _statement_faults(template: TemplateAsset, tool: ToolAsset) -> Iterator[Fault]:
    used = names_in_statement(template.statement, tool.kind)
    arguments = argument_names(template.parameters)
    mark = "$" if tool.kind == "graph" else ":"
    for name in sorted(used - arguments.keys()):
        hint = f"Declare it under parameters, or use one of {_listed(mark + each for each in arguments)}."
        if name in template.parameters:
            hint = f"A time range is used as {mark}{name}_from and {mark}{name}_to."
        reason = f"{template.id} uses {mark}{name} in its statement without declaring it"
        yield Fault("templates", template.id, reason, hint)
    for name in template.parameters:
        if not any(argument in used for argument, owner in arguments.items() if owner == name):
            reason = f"{template.id} declares the parameter {name}, which its statement does not use"
            yield Fault("templates", template.id, reason, f"Use {mark}{name} in the statement or remove it.")


def _parameter_faults(
    name: str, parameter: Parameter, templates: dict[str, TemplateAsset]
) -> Iterator[tuple[str, str]]:
    if parameter.resolver == "entity":
        if parameter.values_from is None and not parameter.values:
            yield f"has the entity {name} with no known names", "Give values_from (a template) or values."
        if parameter.values_from is not None and parameter.values_from not in templates:
            reason = f"takes the names for {name} from the unknown template {parameter.values_from}"
            yield reason, _near(parameter.values_from, templates)
        elif parameter.values_from is not None and _needs_words(templates[parameter.values_from]):
            yield (
                f"takes the names for {name} from {parameter.values_from}, which needs parameters itself",
                "Name a template whose parameters all have defaults.",
            )
    if parameter.resolver == "enum":
        if not parameter.values:
            yield f"has the enum {name} without values", "List them under values."
        strange = sorted(set(parameter.aliases.values()) - set(parameter.values))
        if strange:
            yield f"has aliases of {name} for {', '.join(strange)}, not among its values", "Add the value."
    if (parameter.resolver == "time_range") != (parameter.type == "time_range"):
        yield f"mixes type and resolver of {name}", "A time_range has type and resolver time_range."
    low, high = parameter.minimum, parameter.maximum
    if low is not None and high is not None and low > high:
        yield f"has a minimum over the maximum in {name}", "Swap them."


def _needs_words(template: TemplateAsset) -> bool:
    return any(parameter.default is None for parameter in template.parameters.values())


def _near(name: str, known: Iterable[str]) -> str:
    """A hint that names what may have been meant."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"Did you mean {close[0]}?"
    return f"Known: {_listed(names[:8])}." if names else "The pack has none of this kind."


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing (none is declared)"
