"""One question over HTTP: composed, judged by the road's own edge, published, and awaited."""

import asyncio
import hashlib
import uuid
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

import orjson

from opsloom.connection import Connection
from opsloom.errors import NoAnswer, NotReachable, Refused
from opsloom.progress import Progress
from opsloom.questions import headers_of
from opsloom.streaming import Waiter, ask_and_follow
from schemas.answers import AnswerComposed
from schemas.errors import ErrorCode
from schemas.ids import trace_id
from schemas.progress import Answered, ProgressEvent
from schemas.questions import QuestionAsked
from streams.codecs import moment
from streams.intake import Refusal, read_question
from web.bodies import refused
from web.callers import Caller, tenant_for
from web.failures import Failed, failed, retry_later
from web.finding import Answers
from web.words import MAX_WAIT_S, AskBody

KEYS_KEPT = 10_000
LOOK_AFTER_S = 0.3
"""A question that has no answer by then may have been answered long ago."""
MARGIN_S = 2.0
"""Workers are given so much less than the caller waits, so that what they have by then comes back as an answer."""
LONG_WAIT_S = 10.0
"""Shorter waits leave the deadline alone: an answer that comes later can still be fetched."""
RETRY_AFTER_S = 1
PASSED_ON = ("question", "mode", "context", "plan")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question ready to be published. `key`: the caller chose its id, so it may have been asked before."""

    asked: QuestionAsked
    raw: bytes
    trace: str
    wait_s: float
    key: bool


class Asking:
    """Every question of this process. Raises Failed, and nothing else that is expected."""

    def __init__(
        self, connection: Connection, answers: Answers, *, at_once: int, clock: Callable[[], float]
    ) -> None:
        self._connection = connection
        self._answers = answers
        self._at_once = at_once
        self._clock = clock
        self._keys: OrderedDict[str, bytes] = OrderedDict()
        self.open = 0
        """How many questions are waited for."""

    def prepare(self, caller: Caller, body: AskBody, written: Mapping[str, Any], key: str | None) -> Prepared:
        """Judge a question before anything is sent. Raises Failed."""
        tenant, now = tenant_for(caller, body.tenant_id), self._clock()
        wait_s = min(MAX_WAIT_S, body.wait_s or MAX_WAIT_S)
        document = {
            "schema_version": 1,
            "question_id": key or str(uuid.uuid4()),
            "tenant_id": tenant,
            "user": {"id": caller.user_id, "roles": list(caller.roles)},
            "created_at": moment(now),
            **{name: written[name] for name in PASSED_ON if name in written},
            "options": _options(written.get("options") or {}, wait_s),
        }
        raw = orjson.dumps(document)
        asked = read_question(raw, headers_of(tenant), now, self._connection.codec)
        if isinstance(asked, Refusal):
            raise refused(asked)
        trace = trace_id(tenant, asked.question_id)
        if key is not None:
            self._remember(trace, caller, written)
        return Prepared(asked, raw, trace, wait_s, key is not None)

    async def answer(self, prepared: Prepared) -> AnswerComposed:
        """Publish, and wait. Raises Failed: 503 when there is no room or no broker, 504 when the time is over."""
        asked, trace = prepared.asked, prepared.trace
        home = self._connection.home_of(trace)
        with self._room(), _told():
            async with self._connection.expecting(trace, home) as future:
                if (earlier := self._earlier(prepared)) is not None:
                    return earlier
                with self._looking_back(prepared, future):
                    self._answers.expect(trace, asked.tenant_id, self._clock())
                    answer = await self._connection.send_and_wait(
                        asked, prepared.raw, trace, future, prepared.wait_s
                    )
            return same_question(asked, answer)

    async def follow(self, prepared: Prepared) -> AsyncGenerator[ProgressEvent, None]:
        """Publish, and tell what happens until the answer. Raises Failed."""
        asked, trace = prepared.asked, prepared.trace
        with self._room(), _told():
            if (earlier := self._earlier(prepared)) is not None:
                for told in Progress(trace).finish(earlier):
                    yield told
                return
            self._answers.expect(trace, asked.tenant_id, self._clock())
            following = ask_and_follow(
                self._connection,
                asked,
                prepared.raw,
                trace,
                prepared.wait_s,
                lambda future: self._looking_back(prepared, future),
            )
            async with aclosing(following):
                async for event in following:
                    if isinstance(event, Answered):
                        same_question(asked, event.answer)
                    yield event

    def _earlier(self, prepared: Prepared) -> AnswerComposed | None:
        """The answer to a question that was asked before, if memory has it. Raises Failed."""
        if not prepared.key:
            return None
        found = self._answers.recent(prepared.trace, prepared.asked.tenant_id)
        return None if found is None else same_question(prepared.asked, found)

    @contextmanager
    def _looking_back(self, prepared: Prepared, future: Waiter) -> Iterator[None]:
        """Look for an older answer while a new one is waited for: an answered question is not answered again."""
        if not prepared.key:
            yield
            return
        looking = asyncio.create_task(self._look_back(prepared, future))
        try:
            yield
        finally:
            looking.cancel()

    async def _look_back(self, prepared: Prepared, future: Waiter) -> None:
        await asyncio.sleep(LOOK_AFTER_S)
        found = await self._answers.older(prepared.trace, prepared.asked.tenant_id)
        if found is not None and not future.done():
            future.set_result(found)

    def check_room(self) -> None:
        """Raises Failed when as many questions are waited for as may be."""
        if self.open >= self._at_once:
            full = failed(ErrorCode.RATE_LIMITED, "Too many questions are being waited for.")
            raise retry_later(full, RETRY_AFTER_S)

    @contextmanager
    def _room(self) -> Iterator[None]:
        self.check_room()
        self.open += 1
        try:
            yield
        finally:
            self.open -= 1

    def _remember(self, trace: str, caller: Caller, written: Mapping[str, Any]) -> None:
        """One key, one question. Raises Failed when this process saw it with another body or from another user."""
        without_waiting = {name: value for name, value in written.items() if name != "wait_s"}
        content = orjson.dumps([caller.user_id, without_waiting], option=orjson.OPT_SORT_KEYS)
        digest = hashlib.sha256(content).digest()
        if self._keys.setdefault(trace, digest) != digest:
            raise another_question()
        self._keys.move_to_end(trace)
        while len(self._keys) > KEYS_KEPT:
            self._keys.popitem(last=False)


def same_question(asked: QuestionAsked, answer: AnswerComposed) -> AnswerComposed:
    """The answer, if it is one to this question of this user; a key may have been used before, elsewhere."""
    if (answer.question, answer.mode, answer.user_id) != (asked.question, asked.mode.value, asked.user.id):
        raise another_question()
    return answer


def another_question() -> Failed:
    return failed(
        ErrorCode.INVALID_PARAMS,
        "This Idempotency-Key was used for another question.",
        suggestion="Choose a new key for a new question.",
        status=409,
    )


def _options(given: Mapping[str, Any], wait_s: float) -> dict[str, Any]:
    """As given; where no deadline is, what nobody would wait for is not begun."""
    options = dict(given)
    if wait_s >= LONG_WAIT_S and options.get("deadline_s") is None and options.get("deadline") is None:
        options["deadline_s"] = wait_s - MARGIN_S
    return options


@contextmanager
def _told() -> Iterator[None]:
    """What a client of the road is told, in HTTP's words."""
    try:
        yield
    except NoAnswer as exc:
        raise failed(
            ErrorCode.EXECUTE_TIMEOUT,
            f"No answer came within {exc.waited_s:g} s; it may still come.",
            suggestion=f"Fetch it later: GET /ops/answers/{exc.trace_id}",
            headers={"Location": f"/ops/answers/{exc.trace_id}"},
        ) from None
    except Refused as exc:
        raise failed(exc.code, exc.reason, suggestion="Correct the question and ask again.") from None
    except NotReachable as exc:
        raise retry_later(
            failed(
                ErrorCode.UPSTREAM_UNAVAILABLE,
                "The question could not be passed on at the moment.",
                detail=exc.reason,
            ),
            RETRY_AFTER_S,
        ) from None
