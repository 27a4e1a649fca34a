"""The turnstile: who waits, who goes first, who is sent away, and what a takeover leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from agents.execution.breaker import BreakerNote, BreakerTerms
from agents.execution.credit import Credit
from agents.execution.guards.verdict import Refuse
from agents.execution.limits import Limits
from agents.execution.turnstile import Lifts, Pass, Terms, Turnstile
from schemas.errors import ErrorCode

NOW = 1_800_000_000.0


class Clock:
    """Time that passes when the test says so."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def terms(per_second: int = 100, per_minute: int = 1_000, places: int = 100, **fields: Any) -> Terms:
    given = {"waits": True, "queue_length": 100, "breaker": BreakerTerms(), **fields}
    return Terms(limits=Limits(per_second, per_minute), places=places, **given)


def turnstile_of(clock: Callable[[], float], **fields: Any) -> Turnstile:
    return Turnstile(terms(**fields), clock)


async def enter(turnstile: Turnstile, tenant: str = "acme", deadline_s: float = 60.0) -> Pass | Refuse:
    """As the path does it: at once, or after a wait."""
    passed = turnstile.try_enter(tenant, turnstile._clock())
    if passed is None:
        passed = await turnstile.wait(tenant, turnstile._clock() + deadline_s, deadline_s)
    if isinstance(passed, Pass):
        turnstile.begin(passed)
    return passed


def leave(turnstile: Turnstile, passed: Pass | Refuse, code: ErrorCode | None = None) -> None:
    assert isinstance(passed, Pass), passed
    turnstile.leave(passed, True, code, turnstile._clock())


async def waiting(turnstile: Turnstile, *tenants: str) -> list[asyncio.Task[Pass | Refuse]]:
    tasks = [asyncio.create_task(enter(turnstile, tenant)) for tenant in tenants]
    await asyncio.sleep(0)
    return tasks


async def test_free_place_goes_to_who_waits_and_not_to_who_comes() -> None:
    turnstile = turnstile_of(Clock(), places=1)
    first = await enter(turnstile)
    (second,) = await waiting(turnstile, "acme")

    leave(turnstile, first)

    assert turnstile.try_enter("acme", NOW) is None
    assert isinstance(await second, Pass)


async def test_tenant_that_used_the_tool_least_goes_first() -> None:
    """A loud tenant's queue does not stand before a quiet one's call."""
    turnstile = turnstile_of(Clock(), places=3)
    running = [await enter(turnstile, "loud") for _ in range(3)]
    tasks = await waiting(turnstile, "loud", "loud", "quiet")

    leave(turnstile, running[0])
    await asyncio.sleep(0)

    assert [task.done() for task in tasks] == [False, False, True]
    for task in tasks:
        task.cancel()


async def test_full_queue_sends_away_the_newest_of_who_waits_most() -> None:
    """So that a loud tenant cannot fill the queue either."""
    turnstile = turnstile_of(Clock(), places=1, queue_length=3)
    await enter(turnstile, "loud")
    loud = await waiting(turnstile, "loud", "loud", "loud")
    (quiet,) = await waiting(turnstile, "quiet")

    refused = await loud[2]
    again = await enter(turnstile, "loud")

    for each in (refused, again):
        assert isinstance(each, Refuse)
        assert each.code is ErrorCode.RATE_LIMITED
        assert "wait already" in each.reason
    assert not quiet.done()
    for task in (*loud, quiet):
        task.cancel()


async def test_call_that_cannot_start_before_its_deadline_is_sent_away_at_once() -> None:
    """It would only wait in vain."""
    turnstile = turnstile_of(Clock(), per_minute=1)
    await enter(turnstile)

    refused = await enter(turnstile, deadline_s=30.0)

    assert isinstance(refused, Refuse)
    assert refused.code is ErrorCode.RATE_LIMITED
    assert refused.details["retry_after_s"] == pytest.approx(60.01)
    assert refused.details["remaining_minute"] == 0


async def test_start_is_counted_when_it_begins_and_not_when_it_was_let_in() -> None:
    """Between the two a busy loop may pass time; the window counts what the tool sees."""
    clock = Clock()
    turnstile = turnstile_of(clock, per_second=1, places=1)
    first = await enter(turnstile)
    clock.now += 2.0
    task = asyncio.create_task(enter(turnstile))
    await asyncio.sleep(0)
    leave(turnstile, first)
    clock.now += 0.5
    await task

    assert turnstile.rate.room("acme", NOW + 3.4) is False
    assert turnstile.rate.room("acme", NOW + 3.52) is True


async def test_breaker_that_opens_sends_all_who_wait_away() -> None:
    turnstile = turnstile_of(Clock(), places=1, breaker=BreakerTerms(failures=1))
    running = await enter(turnstile)
    tasks = await waiting(turnstile, "acme", "globex")

    leave(turnstile, running, ErrorCode.UPSTREAM_UNAVAILABLE)

    refused = [await task for task in tasks]
    assert [each.code for each in refused if isinstance(each, Refuse)] == [ErrorCode.CIRCUIT_OPEN] * 2


async def test_cancelled_call_gives_its_turn_back() -> None:
    """Whether it waits still, or was let in and has not begun."""
    turnstile = turnstile_of(Clock(), places=1)
    running = await enter(turnstile)
    first, second = await waiting(turnstile, "acme", "acme")
    leave(turnstile, running)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)

    assert isinstance(await second, Pass)
    assert turnstile.queued == 0


def test_lifted_blocks_let_the_call_pass_and_count_it() -> None:
    turnstile = turnstile_of(Clock(), per_minute=1, breaker=BreakerTerms(failures=1))
    passed = turnstile.try_enter("acme", NOW)
    leave(turnstile, passed or Refuse(ErrorCode.INTERNAL_ERROR, ""), ErrorCode.TOOL_TIMEOUT)

    assert isinstance(turnstile.try_enter("acme", NOW), Refuse)
    assert isinstance(turnstile.try_enter("acme", NOW, Lifts(rate=True, breaker=True)), Pass)
    assert turnstile.rate.used("acme", NOW) == 2


async def test_nothing_starts_without_credit_and_what_waits_starts_with_it() -> None:
    """The first note grants it; a note that could not be written grants nothing."""
    clock, asked = Clock(), []
    turnstile = turnstile_of(clock, per_second=10, per_minute=100)
    turnstile.credit = credit = Credit(turnstile.terms.limits, lambda: asked.append(1))
    (task,) = await waiting(turnstile, "acme")
    assert asked == [1]

    credit.acknowledged(credit.noted())
    turnstile.wake()

    assert isinstance(await task, Pass)
    credit.refused()
    assert turnstile.try_enter("acme", NOW) is None


def test_credit_is_asked_for_again_before_it_is_used_up() -> None:
    """What begins while a note is under way comes out of the note's credit."""
    asked: list[int] = []
    credit = Credit(Limits(20, 1_000), lambda: asked.append(1))
    assert not credit.has()
    credit.acknowledged(credit.noted())
    for _ in range(5):
        credit.spend()
    granted = credit.noted()
    for _ in range(3):
        credit.spend()
    credit.acknowledged(granted)

    assert len(asked) == 2
    for _ in range(7):
        assert credit.has()
        credit.spend()
    assert not credit.has()


def test_takeover_counts_what_may_have_been_let_in() -> None:
    """Marks as they were, the credit as used, the breaker as it stood."""
    turnstile = turnstile_of(Clock(), per_second=10, per_minute=20)

    turnstile.resume([(NOW - 5, "acme", 12)], BreakerNote("open", NOW - 1, 0), 5, NOW)

    assert turnstile.rate.left(NOW) == (5, 3)
    assert isinstance(turnstile.try_enter("acme", NOW), Refuse)
    assert turnstile.breaker.retry_at == NOW + 59
