"""From a change in the log to an asset that fits the others, or to what is wrong with it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from registry.assembly import SHARED, AnyAsset, Entry
from registry.assets import Asset, ComboAsset, PolicyAsset, SourceAsset, TemplateAsset, ToolAsset
from registry.checks import faults_of
from registry.datasets import DatasetAsset
from registry.decisions import RegistryError
from registry.defaults import with_capability_defaults
from registry.overrides import OverrideAsset
from registry.pack import Pack
from registry.registry import Registry
from registry.secrets_guard import USE_REFERENCE, secret_findings
from schemas.assets import AssetChanged

KINDS: Mapping[str, type[Asset]] = {
    "tool": ToolAsset,
    "source": SourceAsset,
    "policy": PolicyAsset,
    "template": TemplateAsset,
    "combo": ComboAsset,
    "dataset": DatasetAsset,
    "override": OverrideAsset,
}
"""The kinds of assets that workers act on; others may lie in the log and change nothing."""

FOLDER_OF = {
    "tool": "tools",
    "source": "sources",
    "policy": "policies",
    "template": "templates",
    "combo": "combos",
    "dataset": "datasets",
}

_OUTSIDE = ("id", "version", "status")


class ChangeRefused(RegistryError):
    """A change that is not taken, and why; the last good version stays."""


def kind_of(asset: Asset) -> str:
    """The word for an asset's kind."""
    return next(kind for kind, model in KINDS.items() if isinstance(asset, model))


def body_of(asset: Asset) -> dict[str, Any]:
    """An asset as a change carries it: what its author said, without what the event itself says."""
    return asset.model_dump(mode="json", exclude_unset=True, exclude=set(_OUTSIDE))


def entry_for(registry: Registry, kind: str, asset_id: str, pack_id: str = "") -> Entry | None:
    """The entry of this kind and id; a policy may stand in several packs, then `pack_id` says which. Raises."""
    model = KINDS[kind]
    found = [
        entry
        for entry in registry.entries
        if isinstance(entry.asset, model) and entry.asset.id == asset_id and pack_id in ("", entry.pack_id)
    ]
    if len(found) > 1:
        raise ChangeRefused(f"{asset_id} is in {len(found)} packs: say in which by pack_id")
    return found[0] if found else None


def asset_of(change: AssetChanged, registry: Registry, variables: Mapping[str, str]) -> tuple[AnyAsset, str]:
    """The asset a change makes and the pack it belongs to. Raises `ChangeRefused`."""
    model = KINDS[change.kind]
    before = entry_for(registry, change.kind, change.asset_id, change.pack_id)
    pack_id = before.pack_id if before is not None else change.pack_id
    if change.status == "deleted":
        if before is None:
            raise ChangeRefused(f"there is no {change.kind} {change.asset_id} to delete")
        gone: Any = before.asset.model_copy(update={"status": "deleted", "version": change.version})
        return gone, pack_id
    for name in _OUTSIDE:
        said = {"id": change.asset_id, "version": change.version, "status": change.status}[name]
        if name in change.body and change.body[name] != said:
            raise ChangeRefused(f"the body says {name} {change.body[name]!r}, the change says {said!r}")
    fields = {
        **change.body,
        "id": change.asset_id,
        "version": change.version,
        "status": change.status,
    }
    try:
        asset: Any = model.model_validate_json(_as_json(fields))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the asset"
        raise ChangeRefused(f"{where} of {change.asset_id}: {first['msg']}") from error
    if isinstance(asset, ToolAsset | SourceAsset) and (found := secret_findings(asset)):
        # Whatever the environment: the log keeps each change for ever, for everyone who may read it.
        raise ChangeRefused(
            f"a credential is written in plain text ({', '.join(found[:5])}). {USE_REFERENCE}"
        )
    return _settled(asset, registry, pack_id, variables), pack_id


def _as_json(fields: Mapping[str, Any]) -> bytes:
    import orjson

    try:
        return orjson.dumps(fields)
    except TypeError as error:
        raise ChangeRefused(f"the body is not JSON: {error}") from error


def _settled(asset: Any, registry: Registry, pack_id: str, variables: Mapping[str, str]) -> Any:
    """As the loader of a pack does it: variables in locations, the pack's tenants, the type's defaults."""
    pack = next((each for each in registry.packs if each.id == pack_id), None)
    if pack is None and pack_id != SHARED:
        raise ChangeRefused(f"there is no pack {pack_id}")
    if isinstance(asset, SourceAsset):
        location = asset.location
        known = {**variables, **({} if pack is None else {"pack": str(pack.folder.resolve())})}
        for name, value in known.items():
            location = location.replace(f"{{{name}}}", value)
        if "{" in location:
            raise ChangeRefused(f"the location of {asset.id} uses a variable nobody gave")
        return asset.model_copy(update={"location": location})
    if isinstance(asset, ToolAsset):
        if asset.supported_tenants is None and pack is not None and pack.tenants:
            asset = asset.model_copy(update={"supported_tenants": pack.tenants})
        return with_capability_defaults(asset)
    return asset


def check_fit(registry: Registry, asset: AnyAsset, pack_id: str) -> None:
    """Refuse what a pack's loader would refuse in it, beside all other assets. Raises `ChangeRefused`."""
    kind = kind_of(asset)
    folder = FOLDER_OF.get(kind)
    if folder is None:
        return
    for fault in faults_of(_everything(registry, pack_id)):
        if fault.folder == folder and fault.asset_id == asset.id:
            raise ChangeRefused(f"{fault.reason}. {fault.hint}")


def _everything(registry: Registry, pack_id: str) -> Pack:
    """All assets as one pack; of the policies only those of one owner, for each set has one in each pack."""

    def of(model: type[Any], entries: Sequence[Entry] = registry.entries) -> tuple[Any, ...]:
        return tuple(
            entry.asset
            for entry in entries
            if isinstance(entry.asset, model) and (model is not PolicyAsset or entry.pack_id == pack_id)
        )

    live = tuple(each for each in of(PolicyAsset) if each.status == "published")
    return Pack(
        id="all",
        title="all",
        folder=Path("."),
        sources=of(SourceAsset),
        tools=of(ToolAsset),
        policies=live,
        templates=of(TemplateAsset),
        combos=of(ComboAsset),
        datasets=of(DatasetAsset),
    )
