"""Looks at ClickHouse and the packs."""

from cli.doctor.finding import Finding
from cli.packs import load_packs
from cli.stores import NAME_IT, clickhouse
from registry.packs import PackError
from sinks.client import ClickHouseError
from sinks.migrate import MigrationError, migrate
from streams.secrets import SecretError
from streams.settings import Settings


def packs(settings: Settings) -> list[Finding]:
    """Every pack of the settings can be loaded."""
    try:
        loaded = load_packs(settings)
    except PackError as exc:
        return [Finding("packs", "fail", str(exc), exc.hint)]
    return [
        Finding("pack", "ok", f"{pack.id}: {len(pack.tools)} tools, {len(pack.templates)} templates")
        for pack in loaded
    ]


def tables(settings: Settings) -> list[Finding]:
    """ClickHouse answers, and its tables are up to date."""
    if not settings.clickhouse_url:
        return [
            Finding("clickhouse", "warn", "none is named: answers come, but nothing is recorded", NAME_IT)
        ]
    try:
        folders = [pack.folder / "clickhouse" for pack in load_packs(settings)]
    except PackError:
        folders = []
    try:
        with clickhouse(settings, "writer") as client:
            present = [folder for folder in folders if folder.is_dir()]
            planned = migrate(client, settings.clickhouse_database, folders=present, dry_run=True)
    except (ClickHouseError, MigrationError) as exc:
        return [Finding("clickhouse", "fail", exc.reason, exc.hint)]
    except SecretError as exc:
        return [Finding("clickhouse", "fail", str(exc), "Correct OPSLOOM_CLICKHOUSE_PASSWORD.")]
    there = Finding("clickhouse", "ok", f"{settings.clickhouse_url} answers")
    missing = [each.migration.label for each in planned if each.outcome != "present"]
    if missing:
        what = f"{len(missing)} of {len(planned)} are missing, first {missing[0]}"
        return [there, Finding("migrations", "fail", what, "Apply them: `opsloom migrate`.")]
    return [there, Finding("migrations", "ok", f"all {len(planned)} are applied")]
