"""Where a command reads dead letters: ClickHouse when it answers, otherwise the topic."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

from cli.letters import from_clickhouse, from_topic
from cli.letters.letter import Letter, Origin
from cli.stores import clickhouse
from sinks.client import ClickHouseError
from streams.settings import Settings

SourceName = Literal["auto", "clickhouse", "topic"]


class Letters(Protocol):
    """A source of letters."""

    @property
    def name(self) -> str: ...

    def newest(self, since_s: float, now: float, code: str | None, limit: int) -> list[Letter]:
        """The newest first."""
        ...

    def find(self, origin: Origin) -> Letter | None:
        """One letter with its bytes."""
        ...


class InClickHouse:
    name = "clickhouse"

    def __init__(self, client: object) -> None:
        self._client = client

    def newest(self, since_s: float, now: float, code: str | None, limit: int) -> list[Letter]:
        return from_clickhouse.list_letters(self._client, since_s, now, code, limit)

    def find(self, origin: Origin) -> Letter | None:
        return from_clickhouse.find_letter(self._client, origin)


class OnTopic:
    """Reads the whole topic once, at the first question."""

    name = "topic"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._read: list[Letter] | None = None

    def newest(self, since_s: float, now: float, code: str | None, limit: int) -> list[Letter]:
        found = asyncio.run(from_topic.read_letters(self._settings, now - since_s))
        return [letter for letter in found if code in (None, letter.code)][:limit]

    def find(self, origin: Origin) -> Letter | None:
        if self._read is None:
            self._read = asyncio.run(from_topic.read_letters(self._settings, 0.0))
        return next((letter for letter in self._read if letter.origin == origin), None)


@contextmanager
def letters_of(settings: Settings, source: SourceName) -> Iterator[Letters]:
    """The source asked for; `auto` takes ClickHouse if one is named and answers. Raises ClickHouseError."""
    if source == "topic" or (source == "auto" and not _answers(settings)):
        yield OnTopic(settings)
        return
    with clickhouse(settings) as client:
        yield InClickHouse(client)


def _answers(settings: Settings) -> bool:
    if not settings.clickhouse_url:
        return False
    try:
        with clickhouse(settings) as client:
            from_clickhouse.list_letters(client, 1.0, 0.0, None, 1)
    except ClickHouseError:
        return False
    return True
