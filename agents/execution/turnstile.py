"""The turnstile of one tool: rate limit, breaker and bulkhead in one place, with a fair queue before it.

A call passes when the breaker lets it, a place is free and the limit has room, all at once: a place is not held by
who waits for the limit, and a start is not counted for who waits for a place. Who waits longest of the tenant that
used the tool least goes first.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from agents.execution.breaker import Breaker, BreakerNote, BreakerTerms, verdict_of
from agents.execution.breaker import Verdict as Outcome
from agents.execution.credit import Credit
from agents.execution.guards.verdict import Refuse
from agents.execution.limits import Limits, Mark, Rate
from agents.execution.observed import Observed
from agents.execution.refusals import busy, circuit_open, rate_limited
from schemas.errors import ErrorCode

GIVES_UP_BEFORE_S = 0.25
"""A call that waits in vain says so this long before its deadline, so that the answer can still tell why."""

_SOONEST_S = 0.001


class Terms(NamedTuple):
    """What the tool's asset and its policy say."""

    limits: Limits
    breaker: BreakerTerms
    places: int
    waits: bool
    queue_length: int


class Lifts(NamedTuple):
    """Which of the turnstile's blocks an administrator has lifted for this call."""

    rate: bool = False
    breaker: bool = False


NOTHING_LIFTED = Lifts()


class Pass:
    """One call behind the turnstile."""

    __slots__ = ("promised", "started_at", "tenant_id", "token")

    def __init__(self, tenant_id: str, token: int, promised: bool, started_at: float) -> None:
        self.tenant_id = tenant_id
        self.token = token
        self.promised = promised
        """Let in, and not begun yet: its start is not counted so far."""
        self.started_at = started_at


_Waiter = asyncio.Future[Pass | Refuse]


class Turnstile:
    """See the module. `clock` gives Unix seconds; `changed` is told when the breaker's state may have changed."""

    def __init__(
        self,
        terms: Terms,
        clock: Callable[[], float],
        *,
        credit: Credit | None = None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.terms = terms
        self.rate = Rate(terms.limits)
        self.breaker = Breaker(terms.breaker)
        self.observed = Observed()
        self.credit = credit
        self._clock = clock
        self._changed = changed
        self._taken = 0
        self._waiting: dict[str, deque[_Waiter]] = {}
        self._queued = 0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def queued(self) -> int:
        """Calls that wait."""
        return self._queued

    def adopt(self, terms: Terms) -> None:
        """Other terms from now on; what was started, and what the breaker knows, stays."""
        if terms.limits != self.terms.limits:
            self.rate.adopt(terms.limits)
            if self.credit is not None:
                self.credit.limits(terms.limits)
        self.breaker.terms = terms.breaker
        self.terms = terms
        self._pump()

    def resume(self, marks: Iterable[Mark], breaker: BreakerNote, credit: int, now: float) -> None:
        """Go on where another worker ended; what it may have let in unnoted counts as begun now."""
        self.rate.renew(marks)
        self.rate.burn(credit, now)
        self.breaker.load(breaker)
        if self.credit is not None:
            self.credit.refused()

    def try_enter(self, tenant_id: str, now: float, lifts: Lifts = NOTHING_LIFTED) -> Pass | Refuse | None:
        """Pass at once, or be refused; None: there is something to wait for."""
        if not lifts.breaker and not self.breaker.admits(now):
            self._noticed()
            return circuit_open(self.breaker.back_at(now) - now)
        if not self._queued and self._free(tenant_id, now, lifts):
            self._taken += 1
            token = 0 if lifts.breaker else self.breaker.enter(now)
            self._count_start(tenant_id, now)
            return Pass(tenant_id, token, False, now)
        if not self.terms.waits and not lifts.rate and not self._has_quota(tenant_id, now):
            return self._over_limit(now)
        return None

    def _free(self, tenant_id: str, now: float, lifts: Lifts) -> bool:
        return self._taken < self.terms.places and (lifts.rate or self._has_quota(tenant_id, now))

    def _has_quota(self, tenant_id: str, now: float) -> bool:
        if self.credit is not None and not self.credit.has():
            return False
        return self.rate.room(tenant_id, now)

    def _count_start(self, tenant_id: str, now: float) -> None:
        self.rate.started(tenant_id, now)
        if self.credit is not None:
            self.credit.spend()

    async def wait(self, tenant_id: str, deadline_at: float, timeout_s: float) -> Pass | Refuse:
        """Wait for a turn: for the limit until the deadline, for a free place for `timeout_s`."""
        now = self._clock()
        earliest_at = self.rate.frees_at(now)
        if earliest_at >= deadline_at:
            return self._over_limit(now)
        if self._queued >= self.terms.queue_length and not self._made_room(tenant_id):
            return self._over_limit(now, full=True)
        loop, left_s = asyncio.get_running_loop(), deadline_at - now
        turn: _Waiter = loop.create_future()
        self._waiting.setdefault(tenant_id, deque()).append(turn)
        self._queued += 1
        self._pump()
        timers = [
            loop.call_later(left_s - min(GIVES_UP_BEFORE_S, left_s / 10), self._give_up, turn, True),
            loop.call_later(min(timeout_s, left_s), self._give_up, turn, False),
        ]
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and isinstance(held := turn.result(), Pass):
                self.leave(held, False, None, self._clock())
            raise
        finally:
            for timer in timers:
                timer.cancel()
            self._withdraw(tenant_id, turn)

    def begin(self, passed: Pass) -> float:
        """The call begins now: this moment is what the limit counts."""
        now = self._clock()
        if passed.promised:
            passed.promised = False
            self.rate.unpromise(passed.tenant_id)
            self._count_start(passed.tenant_id, now)
            if self.credit is not None:
                self.credit.unpromise()
        passed.started_at = now
        return now

    def leave(
        self, passed: Pass, ran: bool, code: ErrorCode | None, now: float, *, keeps_place: bool = False
    ) -> None:
        """The call is over: whether it ran and what came of it says anything about the tool, and its code."""
        if passed.promised:
            passed.promised = False
            self.rate.unpromise(passed.tenant_id)
            if self.credit is not None:
                self.credit.unpromise()
        outcome = verdict_of(code) if ran else Outcome.NEITHER
        if ran and outcome is not Outcome.NEITHER:
            self.observed.add(now - passed.started_at, outcome is Outcome.FAILED)
        failures = self.breaker.failures
        self.breaker.leave(passed.token, outcome, now)
        if failures != self.breaker.failures or self.breaker.state != "closed":
            self._noticed()
        if not keeps_place:
            self.free_place()

    def free_place(self) -> None:
        """A call's place is free again."""
        self._taken -= 1
        if self._queued:
            self._pump()

    def _noticed(self) -> None:
        if self.credit is not None:
            self.credit.touch()
        self._changed()

    def wake(self) -> None:
        """Something that calls may wait for has changed."""
        if self._queued:
            self._pump()

    # The queue

    def _pump(self) -> None:
        """Let in whom there is room for; look again when there may be more."""
        now = self._clock()
        while self._queued:
            if not self.breaker.admits(now):
                self._refuse_all(circuit_open(self.breaker.back_at(now) - now))
                self._noticed()
                break
            if self._taken >= self.terms.places:
                break
            tenant_id = self._next(now)
            if tenant_id is None:
                self._look_again(now)
                break
            self._let_in(tenant_id, now)

    def _next(self, now: float) -> str | None:
        """The tenant that used the tool least, of those that wait and have quota left."""
        if self.credit is not None and not self.credit.has():
            return None
        if len(self._waiting) == 1:
            only = next(iter(self._waiting))
            return only if self.rate.room(only, now) else None
        for tenant_id in sorted(self._waiting, key=lambda each: self.rate.used(each, now)):
            if self.rate.room(tenant_id, now):
                return tenant_id
        return None

    def _let_in(self, tenant_id: str, now: float) -> None:
        turn = self._waiting[tenant_id][0]
        self._withdraw(tenant_id, turn)
        if turn.done():
            return
        self._taken += 1
        self.rate.promise(tenant_id)
        if self.credit is not None:
            self.credit.promise()
        turn.set_result(Pass(tenant_id, self.breaker.enter(now), True, now))

    def _look_again(self, now: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait_s = max(_SOONEST_S, self.rate.looks_again_at(self._waiting, now) - now)
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._pump)

    def _withdraw(self, tenant_id: str, turn: _Waiter) -> None:
        queue = self._waiting.get(tenant_id)
        if queue is None:
            return
        if queue[0] is turn:
            queue.popleft()
        elif turn in queue:
            queue.remove(turn)
        else:
            return
        self._queued -= 1
        if not queue:
            del self._waiting[tenant_id]

    def _give_up(self, turn: _Waiter, deadline_passed: bool) -> None:
        if turn.done():
            return
        now = self._clock()
        if self._taken >= self.terms.places:
            turn.set_result(busy())
        elif deadline_passed:
            turn.set_result(self._over_limit(now))

    def _refuse_all(self, refused: Refuse) -> None:
        for queue in self._waiting.values():
            for turn in queue:
                if not turn.done():
                    turn.set_result(refused)
        self._waiting.clear()
        self._queued = 0

    def _made_room(self, tenant_id: str) -> bool:
        """The queue is full: the newest call of the tenant that waits most gives way to one that waits less."""
        if not self._waiting:
            return False
        longest = max(self._waiting, key=lambda each: len(self._waiting[each]))
        if len(self._waiting.get(tenant_id, ())) + 1 >= len(self._waiting[longest]):
            return False
        turn = self._waiting[longest][-1]
        self._withdraw(longest, turn)
        if not turn.done():
            turn.set_result(self._over_limit(self._clock(), full=True))
        return True

    def _over_limit(self, now: float, *, full: bool = False) -> Refuse:
        second, minute = self.rate.left(now)
        back_at = self.rate.frees_at(now, self._queued if full else 0)
        return rate_limited(self.terms.limits, second, minute, max(0.0, back_at - now), self._queued, full)
