"""Dead letters out of ClickHouse, which keeps them longest."""

from base64 import b64encode
from typing import Any

from cli.letters.letter import Letter, Origin
from schemas.deadletters import DeadLetter, HeaderPair
from schemas.errors import ErrorCode
from sinks.queries.dead_letters import DeadLetterRecord, list_dead_letters, show_dead_letter


def list_letters(client: Any, since_s: float, now: float, code: str | None, limit: int) -> list[Letter]:
    """The newest first, without their bytes. Raises ClickHouseError."""
    return [_letter(record) for record in list_dead_letters(client, since_s, now, code=code, limit=limit)]


def find_letter(client: Any, origin: Origin) -> Letter | None:
    """One letter with its bytes. Raises ClickHouseError."""
    record = show_dead_letter(client, *origin)
    return None if record is None else _letter(record, whole=True)


def _letter(record: DeadLetterRecord, *, whole: bool = False) -> Letter:
    return Letter(
        origin=Origin(record.origin_topic, record.origin_partition, record.origin_offset),
        code=record.code,
        reason=record.reason,
        at=record.at,
        tenant_id=record.tenant_id,
        value_length=record.value_length,
        redriven=record.redriven,
        whole=_whole(record) if whole else None,
    )


def _whole(record: DeadLetterRecord) -> DeadLetter:
    return DeadLetter(
        origin_topic=record.origin_topic,
        origin_partition=record.origin_partition,
        origin_offset=record.origin_offset,
        key_b64=None if record.key is None else b64encode(record.key).decode(),
        value_b64=None if record.value is None else b64encode(record.value).decode(),
        value_length=record.value_length,
        value_sha256=record.value_sha256,
        headers=tuple(
            HeaderPair(name=name, value_b64=b64encode(value).decode()) for name, value in record.headers
        ),
        code=ErrorCode(record.code),
        reason=record.reason,
        at=record.at,
        redriven=record.redriven,
    )
