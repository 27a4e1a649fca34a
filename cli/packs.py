"""Which packs a process works with, and where they lie."""

from importlib import resources
from pathlib import Path

from registry.pack import Pack
from registry.packs import load_pack
from streams.settings import Settings

NO_CLICKHOUSE = "http://127.0.0.1:8123"
"""Where a ClickHouse would be if nobody says; tools that ask it fail with UPSTREAM_UNAVAILABLE, not before."""


def pack_folder(name_or_path: str) -> Path:
    """The folder of a pack that ships with opsloom, or of one of the user's own."""
    shipped = Path(str(resources.files("packs"))) / name_or_path
    if "/" not in name_or_path and shipped.is_dir():
        return shipped
    return Path(name_or_path).expanduser()


def load_packs(settings: Settings) -> list[Pack]:
    """Read every pack of the settings. Raises PackError."""
    variables = {
        "data": str(settings.data_dir),
        "clickhouse": settings.clickhouse_url or NO_CLICKHOUSE,
        "home": str(Path.home()),
    }
    return [load_pack(pack_folder(name), variables) for name in settings.packs]
