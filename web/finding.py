"""Where an answer may be: in memory, in ClickHouse, on the topic. Told to the asker's own tenant only."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from aiokafka.errors import KafkaError

from opsloom.connection import Connection
from opsloom.waiting import ANSWERS
from schemas.answers import AnswerComposed
from schemas.questions import TOTAL_BUDGET_S
from streams.codecs import DecodeError
from web.recent import RecentAnswers

LOOK_BACK_S = 3_600.0
"""How far back the topic is searched; beyond it ClickHouse has what was answered."""
SEARCHES_AT_ONCE = 2
SEARCH_TIMEOUT_S = 5.0
EXPECTED_KEPT = 20_000

Stored = Callable[[str, str], Awaitable[AnswerComposed | None]]
"""(trace, tenant) to what is stored for longer."""

_log = logging.getLogger(__name__)


class Answers:
    """All answers that can be had, and the questions of this process that have none yet."""

    def __init__(
        self,
        connection: Connection,
        recent: RecentAnswers,
        stored: Stored | None,
        clock: Callable[[], float],
    ) -> None:
        self._connection = connection
        self._recent = recent
        self._stored = stored
        self._clock = clock
        self._searching = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._expected: OrderedDict[str, tuple[str, float]] = OrderedDict()

    def expect(self, trace: str, tenant_id: str, now: float) -> None:
        """A question was published here."""
        self._expected[trace] = tenant_id, now
        while len(self._expected) > EXPECTED_KEPT:
            self._expected.popitem(last=False)

    def is_expected(self, trace: str, tenant_id: str, now: float) -> bool:
        """Whether this process asked it for this tenant, and its answer must still come."""
        whose, at = self._expected.get(trace, ("", 0.0))
        return whose == tenant_id and now - at <= TOTAL_BUDGET_S + 2

    async def is_worked_on(self, trace: str, tenant_id: str) -> bool:
        """Whether somebody asked it within the last two minutes, by what lies on the road."""
        since = self._clock() - TOTAL_BUDGET_S - 2
        try:
            async with self._searching, asyncio.timeout(SEARCH_TIMEOUT_S):
                return await self._connection.planned(trace, tenant_id, since)
        except (KafkaError, TimeoutError) as exc:
            _log.warning("the road could not be searched: %s", type(exc).__name__)
            return False

    async def find(self, trace: str, tenant_id: str) -> AnswerComposed | None:
        """The answer, if there is one and it is this tenant's."""
        return self.recent(trace, tenant_id) or await self.older(trace, tenant_id)

    def recent(self, trace: str, tenant_id: str) -> AnswerComposed | None:
        """The same out of memory."""
        raw = self._recent.get(trace)
        if raw is None:
            return None
        try:
            return _of_tenant(self._connection.codec.decode(raw, ANSWERS), tenant_id)
        except DecodeError:
            return None

    def as_written(self, trace: str) -> bytes | None:
        """The JSON of an answer that memory has, as it was on the topic."""
        raw = self._recent.get(trace)
        return raw if raw is not None and raw[:1] == b"{" else None

    async def older(self, trace: str, tenant_id: str) -> AnswerComposed | None:
        """The same from before memory begins."""
        if self._stored is not None and (answer := await self._stored(trace, tenant_id)):
            return _of_tenant(answer, tenant_id)
        since = self._clock() - LOOK_BACK_S
        if since >= self._recent.complete_since:
            return None
        return _of_tenant(await self._search(trace, since), tenant_id)

    async def _search(self, trace: str, since: float) -> AnswerComposed | None:
        """On the topic, older than what memory has. One that can't be read now counts as not found."""
        try:
            async with self._searching, asyncio.timeout(SEARCH_TIMEOUT_S):
                return await self._connection.earlier(trace, since)
        except (KafkaError, TimeoutError) as exc:
            _log.warning("the answers could not be searched: %s", type(exc).__name__)
            return None


def _of_tenant(answer: AnswerComposed | None, tenant_id: str) -> AnswerComposed | None:
    return answer if answer is not None and answer.tenant_id == tenant_id else None
