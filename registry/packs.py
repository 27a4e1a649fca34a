"""Packs: folders of assets. Loading refuses whatever is wrong, naming the file and what to do about it."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from registry.assets import Asset, ComboAsset, PolicyAsset, SourceAsset, TemplateAsset, ToolAsset
from registry.checks import Fault, faults_of
from registry.datasets import DatasetAsset
from registry.decisions import RegistryError
from registry.defaults import with_capability_defaults
from registry.pack import Pack
from registry.yamlfile import YamlFault, read_yaml

MANIFEST = "pack.yaml"

_SUFFIXES = frozenset({".yaml", ".yml"})

_Model = TypeVar("_Model", bound=BaseModel)

FOLDERS: Mapping[str, type[Asset]] = {
    "sources": SourceAsset,
    "tools": ToolAsset,
    "policies": PolicyAsset,
    "templates": TemplateAsset,
    "combos": ComboAsset,
    "datasets": DatasetAsset,
}


class PackError(RegistryError):
    """A pack that cannot be loaded: which file, what is wrong with it, what to do."""

    def __init__(self, path: Path, reason: str, hint: str) -> None:
        super().__init__(f"{path}: {reason}. {hint}")
        self.path = path
        self.reason = reason
        self.hint = hint


class PackManifest(BaseModel):
    """`pack.yaml`: who the pack is. Unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")
    title: str
    description: str = ""
    version: int = Field(default=1, ge=1)
    tenants: tuple[str, ...] = ()
    """Whom the pack's tools serve unless a tool says otherwise; empty means every tenant."""
    language: str | tuple[str, ...] = "en"
    collectors: Any = None
    """Whatever the pack's own collectors want to read; the registry does not look into it."""


@dataclass(slots=True)
class _Reading:
    """Assets read so far, and the file each came from."""

    assets: dict[str, list[Any]] = field(default_factory=lambda: {folder: [] for folder in FOLDERS})
    files: dict[tuple[str, str], Path] = field(default_factory=dict)


def load_pack(folder: Path, variables: Mapping[str, str]) -> Pack:
    """Read a pack's folder. `variables` fill `{name}` in source locations; `{pack}` is the folder itself.

    Raises `PackError`.
    """
    manifest = _read_manifest(folder)
    _refuse_strays(folder)
    reading = _Reading()
    for name, model in FOLDERS.items():
        for path in _files_of(folder, name):
            for entry in _entries(path):
                _add(reading, name, model, path, entry)
    filled = {"pack": str(folder.resolve()), **variables}
    pack = Pack(
        id=manifest.id,
        title=manifest.title,
        folder=folder,
        description=manifest.description,
        version=manifest.version,
        tenants=manifest.tenants,
        language=(manifest.language,) if isinstance(manifest.language, str) else manifest.language,
        collectors=manifest.collectors,
        sources=tuple(_located(each, reading, filled) for each in reading.assets["sources"]),
        tools=tuple(_bound(tool, manifest.tenants) for tool in reading.assets["tools"]),
        policies=tuple(reading.assets["policies"]),
        templates=tuple(reading.assets["templates"]),
        combos=tuple(reading.assets["combos"]),
        datasets=tuple(reading.assets["datasets"]),
    )
    for fault in faults_of(pack):
        raise _as_error(fault, folder, reading)
    return pack


def _read_manifest(folder: Path) -> PackManifest:
    path = folder / MANIFEST
    if not folder.is_dir():
        raise PackError(folder, "there is no such folder", "Give the path of a pack's folder.")
    if not path.is_file():
        raise PackError(
            folder, f"there is no {MANIFEST}, and a pack needs one", "Write it with id and title."
        )
    entries = _entries(path)
    if len(entries) != 1:
        raise PackError(path, "expected one mapping", "Write id: and title: at the top level.")
    return _validated(PackManifest, path, entries[0])


def _files_of(folder: Path, name: str) -> list[Path]:
    """The YAML files of one kind, in the order of their names."""
    return sorted(path for path in (folder / name).glob("**/*") if path.suffix in _SUFFIXES)


def _refuse_strays(folder: Path) -> None:
    """A file or folder that looks like assets but would not be read is a fault, not a silence."""
    for path in sorted(folder.iterdir()):
        if path.suffix in _SUFFIXES and path.name != MANIFEST:
            where = ", ".join(f"{each}/" for each in FOLDERS)
            raise PackError(path, "this file is not read here", f"Move it into one of {where}.")
        close = difflib.get_close_matches(path.name, FOLDERS, n=1, cutoff=0.75)
        if path.is_dir() and close and path.name not in FOLDERS:
            raise PackError(path, "this folder is not read", f"Did you mean {close[0]}/?")


def _entries(path: Path) -> list[dict[str, Any]]:
    """The assets of a file: one mapping or a list of them."""
    try:
        content = read_yaml(path)
    except YamlFault as fault:
        raise PackError(path, fault.reason, fault.hint) from fault
    entries = content if isinstance(content, list) else [content]
    for entry in entries:
        if not isinstance(entry, dict):
            raise PackError(path, "expected a mapping or a list of mappings", "Start each asset with `id:`.")
    return entries


def _validated(model: type[_Model], path: Path, entry: dict[str, Any]) -> _Model:
    try:
        return model.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the asset"
        named = f" of {entry['id']}" if isinstance(entry.get("id"), str) else ""
        if first["type"] == "extra_forbidden":
            known = ", ".join(sorted(model.model_fields))
            raise PackError(path, f"unknown field {where}{named}", f"Known fields: {known}.") from error
        if first["type"] == "missing":
            raise PackError(path, f"field {where}{named} is missing", "Add it.") from error
        reason = f"{where}{named} is wrong: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise PackError(path, reason, f"It reads {str(first['input'])[:80]!r}.") from error


def _add(reading: _Reading, name: str, model: type[Asset], path: Path, entry: dict[str, Any]) -> None:
    asset = _validated(model, path, entry)
    before = reading.files.get((name, asset.id))
    if before is not None:
        place = "in the same file" if before == path else f"in {before.name}"
        raise PackError(path, f"the id {asset.id} is taken {place}", "Give each asset its own id.")
    reading.files[name, asset.id] = path
    reading.assets[name].append(asset)


def _located(source: SourceAsset, reading: _Reading, variables: Mapping[str, str]) -> SourceAsset:
    """The source with the variables in its location filled in."""
    location = source.location
    for name, value in variables.items():
        location = location.replace(f"{{{name}}}", value)
    if "{" in location:
        unknown = location[location.index("{") :].partition("}")[0] + "}"
        raise PackError(
            reading.files["sources", source.id],
            f"location of {source.id} uses {unknown}, which nobody gave",
            f"Use one of {', '.join(f'{{{name}}}' for name in sorted(variables))}, or give the variable.",
        )
    return source.model_copy(update={"location": location})


def _bound(tool: ToolAsset, tenants: tuple[str, ...]) -> ToolAsset:
    """The tool with the defaults of its type; without tenants of its own it serves the pack's."""
    if tool.supported_tenants is None and tenants:
        tool = tool.model_copy(update={"supported_tenants": tenants})
    return with_capability_defaults(tool)


def _as_error(fault: Fault, folder: Path, reading: _Reading) -> PackError:
    path = reading.files.get((fault.folder, fault.asset_id), folder)
    return PackError(path, fault.reason, fault.hint)
