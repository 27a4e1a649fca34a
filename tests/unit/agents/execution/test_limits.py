"""The limiter against a model that forgets nothing: no window holds more starts than its limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from agents.execution.credit import credit_of
from agents.execution.limits import HELD, MINUTE_S, SECOND_S, Limits, Rate
from tests.support.effort import examples

TENANTS = st.sampled_from(["acme", "globex", "initech"])
NOW = 1_800_000_000.0


def most_in(window_s: float, moments: list[float]) -> int:
    """The largest number of moments in any window of this length."""
    ordered, most, begin = sorted(moments), 0, 0
    for end, moment in enumerate(ordered):
        while moment - ordered[begin] >= window_s:
            begin += 1
        most = max(most, end - begin + 1)
    return most


class LimiterModel(RuleBasedStateMachine):
    """Calls of three tenants at any moments, policies that change, and takeovers by another worker."""

    @initialize(
        per_second=st.integers(1, 6), per_minute=st.integers(1, 30), share=st.none() | st.floats(0.1, 1.0)
    )
    def begin(self, per_second: int, per_minute: int, share: float | None) -> None:
        self.now = NOW
        self.limits = Limits(per_second, per_minute, tenant_share=share)
        self.widest = self.limits
        self.rate = Rate(self.limits)
        self.starts: list[tuple[float, str]] = []
        self.promised: list[str] = []

    @rule(seconds=st.floats(0.0, 0.4) | st.floats(0.0, 20.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(tenant=TENANTS, count=st.integers(1, 8))
    def calls_come(self, tenant: str, count: int) -> None:
        for _ in range(count):
            if self.rate.room(tenant, self.now):
                self.rate.started(tenant, self.now)
                self.starts.append((self.now, tenant))

    @rule(tenant=TENANTS)
    def a_call_is_let_in_and_begins_later(self, tenant: str) -> None:
        if self.rate.room(tenant, self.now):
            self.rate.promise(tenant)
            self.promised.append(tenant)

    @rule()
    def one_that_was_let_in_begins(self) -> None:
        if self.promised:
            tenant = self.promised.pop()
            self.rate.unpromise(tenant)
            self.rate.started(tenant, self.now)
            self.starts.append((self.now, tenant))

    @rule(lost=st.integers(0, 3))
    def another_worker_takes_over(self, lost: int) -> None:
        """It knows the marks, and of the last few starts only that there may have been so many."""
        marks = sorted(self.rate.marks())
        known, unknown = marks[: len(marks) - lost], marks[len(marks) - lost :]
        self.rate = Rate(self.limits)
        self.rate.renew(known)
        self.rate.burn(sum(count for _, _, count in unknown) + len(self.promised), self.now)
        self.promised = []

    @rule(per_second=st.integers(1, 6), per_minute=st.integers(1, 30))
    def the_policy_changes(self, per_second: int, per_minute: int) -> None:
        self.limits = Limits(per_second, per_minute)
        self.widest = Limits(max(per_second, self.widest.per_second), max(per_minute, self.widest.per_minute))
        self.rate.adopt(self.limits)

    @invariant()
    def no_window_holds_more_than_the_limit(self) -> None:
        if hasattr(self, "starts"):
            moments = [at for at, _ in self.starts]
            assert most_in(SECOND_S, moments) <= self.widest.per_second
            assert most_in(MINUTE_S, moments) <= self.widest.per_minute


LimiterModel.TestCase.settings = settings(max_examples=examples(50), stateful_step_count=30, deadline=None)
TestLimiterModel = LimiterModel.TestCase


def take(rate: Rate, tenant: str, now: float, most: int = 10_000) -> int:
    """How many calls of a tenant may start at this moment; all of them do."""
    count = 0
    while count < most and rate.room(tenant, now):
        rate.started(tenant, now)
        count += 1
    return count


def test_all_of_a_limit_is_one_tenants_while_it_is_alone() -> None:
    """Nothing is held back for tenants nobody has seen."""
    assert take(Rate(Limits(10, 100)), "acme", NOW) == 10


def test_limit_is_free_again_when_the_window_has_passed_and_not_before() -> None:
    rate = Rate(Limits(10, 100))
    take(rate, "acme", NOW)

    assert take(rate, "acme", NOW + 1.0) == 0
    assert rate.left(NOW + 1.0) == (0, 90)
    assert take(rate, "acme", NOW + 1.02) == 10
    assert rate.frees_at(NOW + 1.02) == pytest.approx(NOW + 2.03)


def test_minute_holds_where_the_second_is_free() -> None:
    """Ten a second for ten seconds, then nothing until the first minute has passed."""
    rate = Rate(Limits(10, 100))
    counts = [take(rate, "acme", NOW + 1.1 * n) for n in range(11)]

    assert counts == [10] * 10 + [0]
    assert rate.frees_at(NOW + 12) == pytest.approx(NOW + 60.01)


def test_loud_tenant_leaves_the_others_share() -> None:
    """Half of the limit is divided among those seen lately; a third of that half waits for the quiet one."""
    rate = Rate(Limits(10_000, 60))
    rate.started("quiet", NOW - 300)
    rate.started("other", NOW - 300)

    loud = take(rate, "loud", NOW)

    assert loud == 60 - 2 * int(60 * HELD) // 3
    assert take(rate, "quiet", NOW) == take(rate, "other", NOW) == 10


@given(calls=st.lists(TENANTS, min_size=1, max_size=200), limit=st.integers(6, 60))
def test_every_tenant_seen_gets_its_share_whatever_came_before(calls: list[str], limit: int) -> None:
    """However the others ask, who used less than its held share may start."""
    rate = Rate(Limits(10_000, limit))
    for tenant in ("acme", "globex", "initech"):
        rate.started(tenant, NOW - 100)
    for n, tenant in enumerate(calls):
        if rate.room(tenant, NOW + n * 0.01):
            rate.started(tenant, NOW + n * 0.01)
    now = NOW + len(calls) * 0.01

    held = int(limit * HELD) // 3
    assert all(
        rate.used(tenant, now) >= held or rate.room(tenant, now) for tenant in ("acme", "globex", "initech")
    )


def test_policy_may_cap_one_tenant() -> None:
    """By a number, or by a part of the limit."""
    assert take(Rate(Limits(10, 100, tenant_per_second=3)), "acme", NOW) == 3
    assert take(Rate(Limits(10, 100, tenant_share=0.5)), "acme", NOW) == 5


def test_great_limits_take_little_memory_and_still_hold() -> None:
    """Starts are rounded up to a grain: never too many in a window, and nearly all of the limit is used."""
    rate = Rate(Limits(50_000, 50_000))
    used = sum(take(rate, "acme", NOW + n * 0.001, most=40) for n in range(2_000))

    assert used == 50_000
    assert len(list(rate.marks())) <= 1_001
    assert take(rate, "acme", NOW + 59.9) == 0


@given(limits=st.builds(Limits, st.integers(1, 10**7), st.integers(1, 10**8)))
def test_credit_is_a_small_part_of_the_limit(limits: Limits) -> None:
    """A takeover costs no more than half a second and a tenth of a minute, or one call."""
    credit = credit_of(limits)

    assert 1 <= credit <= max(1, limits.per_second // 2)
    assert credit <= max(1, limits.per_minute // 10)
