"""ClickHouse as commands reach it: the settings' address, a credential resolved, a sentence when there is none."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from cli.render.errors import fail
from sinks.client import connect
from streams.secrets import resolve_secret
from streams.settings import Settings

NO_CLICKHOUSE = "No ClickHouse is named."
NAME_IT = "Start one with `opsloom up`, or name yours with --clickhouse http://HOST:PORT."


@contextmanager
def clickhouse(settings: Settings, role: Literal["reader", "writer"] = "reader") -> Iterator[Any]:
    """A client inside the block. Exits with 1 and a sentence when no address is known."""
    if not settings.clickhouse_url:
        fail(NO_CLICKHOUSE, NAME_IT)
    client = connect(
        settings.clickhouse_url,
        settings.clickhouse_database,
        user=settings.clickhouse_user,
        password=resolve_secret(settings.clickhouse_password),
        role=role,
    )
    try:
        yield client
    finally:
        client.close()
