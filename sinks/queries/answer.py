"""One answer as it was given."""

from __future__ import annotations

from clickhouse_connect.driver.client import Client

from sinks.client import query

_RECORD = (
    "SELECT record FROM answers FINAL"
    " WHERE tenant_id = {tenant_id:String} AND trace_id = {trace_id:String} LIMIT 1"
    " SETTINGS use_skip_indexes_if_final = 1"
)


def answer_record(client: Client, trace_id: str, tenant_id: str) -> str | None:
    """The answer's JSON; None if there is none of this tenant, or it is too old to be kept. Raises ClickHouseError."""
    rows = query(client, _RECORD, {"trace_id": trace_id, "tenant_id": tenant_id})
    return str(rows[0]["record"]) or None if rows else None
