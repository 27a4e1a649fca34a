"""Which packs a process works with, and where they lie."""

import logging
from importlib import resources
from pathlib import Path

from registry.pack import Pack
from registry.packs import PackError, load_pack
from registry.secrets_guard import USE_REFERENCE, secret_findings
from streams.settings import Settings

_log = logging.getLogger(__name__)

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
    packs = [load_pack(pack_folder(name), variables) for name in settings.packs]
    for pack in packs:
        _check_credentials(pack, settings.environment)
    return packs


def _check_credentials(pack: Pack, environment: str) -> None:
    """Refuse a pack with plain credentials in production, warn of it elsewhere."""
    findings = [
        f"{asset.id}: {path}" for asset in (*pack.sources, *pack.tools) for path in secret_findings(asset)
    ]
    if not findings:
        return
    places = "; ".join(findings[:5]) + (f" and {len(findings) - 5} more" if len(findings) > 5 else "")
    if environment == "production":
        raise PackError(pack.folder, f"a credential is written in plain text ({places})", USE_REFERENCE)
    _log.warning("%s: a credential is written in plain text (%s). %s", pack.id, places, USE_REFERENCE)
