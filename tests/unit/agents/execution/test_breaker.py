"""The breaker under a virtual clock, against a model of its rule."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agents.execution.breaker import Breaker, BreakerTerms, Verdict, verdict_of
from schemas.errors import ErrorCode
from tests.support.effort import examples

NOW = 1_800_000_000.0
TERMS = BreakerTerms(failures=3, reset_s=60.0, probes=1, successes=2, probe_timeout_s=30.0)


class BreakerModel(RuleBasedStateMachine):
    """Calls come, end in any order or hang, and time passes; the model is REST, COUNT and PROBES alone."""

    @initialize(probes=st.integers(1, 3), failures=st.integers(1, 4), successes=st.integers(1, 3))
    def begin(self, probes: int, failures: int, successes: int) -> None:
        self.terms = BreakerTerms(failures, 10.0, probes, successes, probe_timeout_s=5.0)
        self.breaker = Breaker(self.terms)
        self.now = NOW
        self.state, self.count, self.good, self.rests_until = "closed", 0, 0, 0.0
        self.probes: dict[int, float] = {}
        self.plain = 0

    def _age(self) -> None:
        if self.state == "open" and self.now >= self.rests_until:
            self.state, self.good, self.probes = "half_open", 0, {}
        elif self.state == "half_open" and any(until <= self.now for until in self.probes.values()):
            self._open()

    def _open(self) -> None:
        self.state, self.rests_until, self.count, self.good = "open", self.now + 10.0, 0, 0
        self.probes = {}

    @rule(seconds=st.floats(0.0, 3.0) | st.floats(0.0, 15.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def a_call_comes(self) -> None:
        self._age()
        may = self.state == "closed" or (self.state == "half_open" and len(self.probes) < self.terms.probes)
        assert self.breaker.admits(self.now) is may
        if not may:
            assert self.breaker.back_at(self.now) >= self.now
            return
        token = self.breaker.enter(self.now)
        if self.state == "closed":
            assert token == 0
            self.plain += 1
        else:
            assert token
            self.probes[token] = self.now + 5.0

    @rule(verdict=st.sampled_from(Verdict))
    def an_ordinary_call_ends(self, verdict: Verdict) -> None:
        if not self.plain:
            return
        self.plain -= 1
        self.breaker.leave(0, verdict, self.now)
        if self.state != "closed":
            return
        if verdict is Verdict.WORKED:
            self.count = 0
        elif verdict is Verdict.FAILED:
            self.count += 1
            if self.count >= self.terms.failures:
                self._open()

    @rule(verdict=st.sampled_from(Verdict))
    def a_probe_ends(self, verdict: Verdict) -> None:
        if not self.probes:
            return
        token = next(iter(self.probes))
        self.breaker.leave(token, verdict, self.now)
        self._age()
        if self.state != "half_open":
            return
        del self.probes[token]
        if verdict is Verdict.FAILED:
            self._open()
        elif verdict is Verdict.WORKED:
            self.good += 1
            if self.good >= self.terms.successes:
                self.state, self.count, self.good, self.probes = "closed", 0, 0, {}

    @rule()
    def another_worker_takes_over(self) -> None:
        """It knows state and count; probes under way are nobody's any more, and begin anew."""
        self._age()
        self.breaker.look(self.now)
        other = Breaker(self.terms)
        other.load(self.breaker.note())
        self.breaker, self.plain, self.probes, self.good = other, 0, {}, 0

    @invariant()
    def states_agree(self) -> None:
        if hasattr(self, "breaker"):
            self._age()
            assert self.breaker.look(self.now) == self.state


BreakerModel.TestCase.settings = settings(max_examples=examples(50), stateful_step_count=40, deadline=None)
TestBreakerModel = BreakerModel.TestCase


def opened() -> Breaker:
    breaker = Breaker(TERMS)
    for _ in range(TERMS.failures):
        breaker.leave(breaker.enter(NOW), Verdict.FAILED, NOW)
    return breaker


def test_rest_lasts_exactly_as_long_as_the_policy_says() -> None:
    breaker = opened()

    assert not breaker.admits(NOW + 59.999)
    assert breaker.back_at(NOW + 10) == NOW + 60
    assert breaker.admits(NOW + 60)


def test_one_probe_at_a_time_and_two_good_ones_close() -> None:
    breaker = opened()
    first = breaker.enter(NOW + 60) if breaker.admits(NOW + 60) else 0

    assert not breaker.admits(NOW + 60)
    breaker.leave(first, Verdict.WORKED, NOW + 61)
    assert breaker.look(NOW + 61) == "half_open"
    assert breaker.admits(NOW + 61)
    breaker.leave(breaker.enter(NOW + 61), Verdict.WORKED, NOW + 62)
    assert breaker.look(NOW + 62) == "closed"


def test_probe_that_hangs_opens_it_again() -> None:
    """And what it says when it comes back after all changes nothing."""
    breaker = opened()
    breaker.admits(NOW + 60)
    probe = breaker.enter(NOW + 60)

    assert breaker.look(NOW + 90) == "open"
    breaker.leave(probe, Verdict.WORKED, NOW + 91)
    assert breaker.look(NOW + 91) == "open"
    assert breaker.retry_at == NOW + 150


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (None, Verdict.WORKED),
        (ErrorCode.DATA_NOT_FOUND, Verdict.WORKED),
        (ErrorCode.TOOL_TIMEOUT, Verdict.FAILED),
        (ErrorCode.UPSTREAM_UNAVAILABLE, Verdict.FAILED),
        (ErrorCode.INTERNAL_ERROR, Verdict.FAILED),
        (ErrorCode.TOOL_BAD_REQUEST, Verdict.NEITHER),
        (ErrorCode.AUTH_FAILED, Verdict.NEITHER),
        (ErrorCode.SQL_BLOCKED, Verdict.NEITHER),
        (ErrorCode.RATE_LIMITED, Verdict.NEITHER),
    ],
)
def test_what_a_code_says_about_its_tool(code: ErrorCode | None, verdict: Verdict) -> None:
    """Refusals and 4xx are the caller's fault; finding nothing is good work."""
    assert verdict_of(code) is verdict
