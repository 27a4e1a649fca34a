"""Events that could not be taken: a list to look through, and one in full."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from clickhouse_connect.driver.client import Client

from sinks.client import query
from sinks.queries.window import window, within


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """One letter. `value` is the first 64 KiB of what was sent, None in lists."""

    origin_topic: str
    origin_partition: int
    origin_offset: int
    letter_topic: str
    letter_partition: int
    letter_offset: int
    tenant_id: str
    """As the event's header said; never checked."""
    code: str
    reason: str
    at: datetime
    redriven: int
    value_length: int
    value_sha256: str
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes], ...] = ()

    @property
    def letter_id(self) -> str:
        """`TOPIC/PARTITION/OFFSET` of the event that could not be taken."""
        return f"{self.origin_topic}/{self.origin_partition}/{self.origin_offset}"


_SHORT = """tenant_id, origin_topic, origin_partition, origin_offset, letter_topic, letter_partition, letter_offset,
    code, reason, at, redriven, value_length, value_sha256"""
_LIST = f"""
SELECT {_SHORT} FROM dead_letters FINAL
WHERE {within()} AND ({{code:String}} = '' OR code = {{code:String}})
ORDER BY at DESC, origin_topic, origin_partition, origin_offset DESC LIMIT {{limit:UInt32}}
"""
_ONE = f"""
SELECT {_SHORT}, key_b64, value_b64, headers FROM dead_letters FINAL
WHERE origin_topic = {{topic:String}} AND origin_partition = {{partition:Int32}}
    AND origin_offset = {{offset:Int64}} AND ({{tenant_id:String}} = '' OR tenant_id = {{tenant_id:String}})
"""


def list_dead_letters(
    client: Client,
    since_s: float,
    now: float,
    *,
    tenant_id: str | None = None,
    code: str | None = None,
    limit: int = 100,
) -> list[DeadLetterRecord]:
    """The latest letters of the window that ends at `now`, newest first, without their bytes."""
    values = {**window(since_s, now, tenant_id), "code": code or "", "limit": limit}
    return [_record(row) for row in query(client, _LIST, values)]


def show_dead_letter(
    client: Client, topic: str, partition: int, offset: int, *, tenant_id: str | None = None
) -> DeadLetterRecord | None:
    """The letter about the event that lay there, with its bytes; None if there is none."""
    values = {"topic": topic, "partition": partition, "offset": offset, "tenant_id": tenant_id or ""}
    rows = query(client, _ONE, values)
    return _record(rows[0]) if rows else None


def _record(row: Mapping[str, Any]) -> DeadLetterRecord:
    short = {name: value for name, value in row.items() if name not in ("key_b64", "value_b64", "headers")}
    return DeadLetterRecord(
        **short,
        key=_bytes(row.get("key_b64")),
        value=_bytes(row.get("value_b64")),
        headers=tuple((pair["name"], b64decode(pair["value_b64"])) for pair in row.get("headers", ())),
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else b64decode(text)
