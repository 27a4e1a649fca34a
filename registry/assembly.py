"""How assets of several packs become one consistent whole: who owns what, what is published, what fits."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from registry.assets import ComboAsset, PolicyAsset, PolicySet, SourceAsset, TemplateAsset, ToolAsset
from registry.datasets import DatasetAsset
from registry.decisions import RegistryError
from registry.defaults import policy_set_of, with_capability_defaults
from registry.overrides import OverrideAsset
from registry.pack import Pack

AnyAsset = ToolAsset | SourceAsset | PolicyAsset | TemplateAsset | ComboAsset | DatasetAsset | OverrideAsset

_Asset = TypeVar(
    "_Asset",
    ToolAsset,
    SourceAsset,
    PolicyAsset,
    TemplateAsset,
    ComboAsset,
    DatasetAsset,
    OverrideAsset,
)

SHARED = ""
"""The owner of assets that belong to no pack: the default policies, and what is registered one by one."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An asset and its owner; a pack's policies limit that pack's tools only."""

    asset: AnyAsset
    pack_id: str

    @property
    def key(self) -> tuple[str, ...]:
        """What must be unique: the id within its kind; policies may bear one id in several packs."""
        kind = type(self.asset).__name__
        if isinstance(self.asset, PolicyAsset):
            return (kind, self.asset.id, self.pack_id)
        return (kind, self.asset.id)


@dataclass(slots=True)
class Assembled:
    """What is published and usable, by id."""

    tools: dict[str, ToolAsset] = field(default_factory=dict)
    sources: dict[str, SourceAsset] = field(default_factory=dict)
    templates: dict[str, TemplateAsset] = field(default_factory=dict)
    combos: dict[str, ComboAsset] = field(default_factory=dict)
    datasets: dict[str, DatasetAsset] = field(default_factory=dict)
    policies_by_tool: dict[str, PolicyAsset] = field(default_factory=dict)
    overrides: list[OverrideAsset] = field(default_factory=list)


def entries_of(packs: Iterable[Pack], default_policies: Iterable[PolicyAsset]) -> tuple[Entry, ...]:
    """All assets of the packs with their owners. Raises `RegistryError` where two claim one id."""
    entries = [Entry(policy, SHARED) for policy in default_policies]
    for pack in packs:
        for group in (pack.sources, pack.tools, pack.policies, pack.templates, pack.combos, pack.datasets):
            entries += [_entry(asset, pack.id) for asset in group]
    owners: dict[tuple[str, ...], str] = {}
    for entry in entries:
        if entry.key in owners:
            first = owners[entry.key] or "the defaults"
            raise RegistryError(
                f"{entry.asset.id} is declared by {first} and by {entry.pack_id or 'the defaults'}. "
                "Give each asset its own id, and load each pack once."
            )
        owners[entry.key] = entry.pack_id
    return tuple(entries)


def replaced(entries: Iterable[Entry], asset: AnyAsset, pack_id: str) -> tuple[Entry, ...]:
    """The entries with this version of the asset in place of an older one; a new one goes to the end."""
    new = _entry(asset, pack_id)
    kept: list[Entry] = []
    place = -1
    for entry in entries:
        if entry.key == new.key:
            _refuse_rewriting(entry.asset, new.asset)
            place = len(kept)
            entry = Entry(new.asset, entry.pack_id)
        kept.append(entry)
    return tuple(kept) if place >= 0 else (*kept, new)


def _entry(asset: AnyAsset, pack_id: str) -> Entry:
    return Entry(with_capability_defaults(asset) if isinstance(asset, ToolAsset) else asset, pack_id)


def _refuse_rewriting(old: AnyAsset, new: AnyAsset) -> None:
    if new.version < old.version or (new.version == old.version and new != old):
        raise RegistryError(f"{old.id} is at version {old.version} already. Raise the version to change it.")


def assembled(entries: Iterable[Entry]) -> Assembled:
    """What of the entries can be used: published, and all they need published too.

    Raises `RegistryError` for a reference to what was never declared, which is a mistake, not a state.
    """
    held = tuple(entries)
    found = Assembled()
    for tool in _published(held, ToolAsset):
        found.tools[tool.id] = tool
    found.sources.update((source.id, source) for source in _published(held, SourceAsset))
    _check_references(held)
    found.templates.update(
        (template.id, template)
        for template in _published(held, TemplateAsset)
        if template.tool in found.tools
    )
    found.combos.update(
        (combo.id, combo)
        for combo in _published(held, ComboAsset)
        if all(member in found.templates for member in combo.templates)
    )
    found.datasets.update(
        (dataset.id, dataset) for dataset in _published(held, DatasetAsset) if dataset.tool in found.tools
    )
    found.overrides += _published(held, OverrideAsset)
    found.policies_by_tool.update(_policies_by_tool(held, found.tools))
    return found


def _published(entries: Iterable[Entry], kind: type[_Asset]) -> list[_Asset]:
    return [
        entry.asset
        for entry in entries
        if isinstance(entry.asset, kind) and entry.asset.status == "published"
    ]


def _check_references(entries: Iterable[Entry]) -> None:
    assets = [entry.asset for entry in entries]
    tools = {asset.id for asset in assets if isinstance(asset, ToolAsset)}
    sources = {asset.id for asset in assets if isinstance(asset, SourceAsset)}
    templates = {asset.id for asset in assets if isinstance(asset, TemplateAsset)}
    for asset in assets:
        wanted: list[tuple[str, str, set[str]]] = []
        if isinstance(asset, ToolAsset) and asset.source is not None:
            wanted.append(("source", asset.source, sources))
        elif isinstance(asset, TemplateAsset | DatasetAsset):
            wanted.append(("tool", asset.tool, tools))
        elif isinstance(asset, ComboAsset):
            wanted += [("template", member, templates) for member in asset.templates]
        for kind, name, known in wanted:
            if name not in known:
                raise RegistryError(f"{asset.id} names the unknown {kind} {name}. Register it first.")


def _policies_by_tool(entries: Iterable[Entry], tools: dict[str, ToolAsset]) -> dict[str, PolicyAsset]:
    """For each tool its pack's own policy of its set, else the shared one; a tool may have neither."""
    by_owner: dict[tuple[str, PolicySet], PolicyAsset] = {}
    owners: dict[str, str] = {}
    for entry in entries:
        if isinstance(entry.asset, PolicyAsset) and entry.asset.status == "published":
            by_owner[entry.pack_id, entry.asset.policy_set] = entry.asset
        elif isinstance(entry.asset, ToolAsset):
            owners[entry.asset.id] = entry.pack_id
    chosen: dict[str, PolicyAsset] = {}
    for tool_id, tool in tools.items():
        wanted = policy_set_of(tool)
        policy = by_owner.get((owners[tool_id], wanted)) or by_owner.get((SHARED, wanted))
        if policy is not None:
            chosen[tool_id] = policy
    return chosen
