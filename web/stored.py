"""Answers that ClickHouse keeps."""

import asyncio
import logging
from typing import Any

import msgspec

from schemas.answers import AnswerComposed
from sinks.client import ClickHouseError, connect
from sinks.queries.answer import answer_record
from streams.secrets import resolve_secret
from streams.settings import Settings

TIMEOUT_S = 3.0

_decode = msgspec.json.Decoder(AnswerComposed).decode
_log = logging.getLogger(__name__)


class StoredAnswers:
    """Called like a function: (trace, tenant) to the answer. ClickHouse out of reach counts as not found."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Any = None
        self._turn = asyncio.Lock()

    async def __call__(self, trace: str, tenant_id: str) -> AnswerComposed | None:
        try:
            async with asyncio.timeout(TIMEOUT_S), self._turn:
                record = await asyncio.to_thread(self._read, trace, tenant_id)
            return None if record is None else _decode(record)
        except (ClickHouseError, TimeoutError, msgspec.DecodeError) as exc:
            _log.warning("ClickHouse was asked for an answer in vain: %s", type(exc).__name__)
            return None

    def _read(self, trace: str, tenant_id: str) -> str | None:
        settings = self._settings
        if self._client is None:
            assert settings.clickhouse_url is not None
            self._client = connect(
                settings.clickhouse_url,
                settings.clickhouse_database,
                user=settings.clickhouse_user,
                password=resolve_secret(settings.clickhouse_password),
            )
        return answer_record(self._client, trace, tenant_id)

    async def close(self) -> None:
        """Disconnect."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)
