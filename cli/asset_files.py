"""Assets in a file, as a pack has them."""

from pathlib import Path
from typing import Any, NamedTuple

from cli.asset_log import AssetError
from registry.changes import FOLDER_OF, KINDS
from registry.yamlfile import YamlFault, read_yaml

_KIND_OF_FOLDER = {folder: kind for kind, folder in {**FOLDER_OF, "override": "overrides"}.items()}


class WrittenAsset(NamedTuple):
    """One asset of a file; `version` None: the next one."""

    kind: str
    asset_id: str
    version: int | None
    body: dict[str, Any]


def assets_in(path: Path, kind: str | None) -> list[WrittenAsset]:
    """The assets of a YAML file. Raises AssetError."""
    chosen = kind or _KIND_OF_FOLDER.get(path.resolve().parent.name)
    if chosen is None or chosen not in KINDS:
        raise AssetError(
            f"It is not clear what kind of asset {path.name} holds.",
            f"Give --kind: {', '.join(KINDS)}; or put the file into a folder such as tools/ or policies/.",
            2,
        )
    try:
        content = read_yaml(path)
    except YamlFault as fault:
        raise AssetError(f"{path.name}: {fault.reason}.", fault.hint) from fault
    return [_written(path, chosen, each) for each in (content if isinstance(content, list) else [content])]


def _written(path: Path, kind: str, entry: Any) -> WrittenAsset:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise AssetError(f"{path.name}: an asset has no id.", "Start each asset with `id:`.")
    body = {name: value for name, value in entry.items() if name not in ("id", "version", "status")}
    version = entry.get("version")
    if version is not None and (not isinstance(version, int) or version < 1):
        raise AssetError(f"{path.name}: the version of {entry['id']} is no whole number.", "Leave it out.")
    return WrittenAsset(kind, entry["id"], version, body)
