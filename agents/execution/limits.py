"""Rate limits: exact sliding windows for one tool and for each tenant in it, with shares held for quiet tenants.

Pure but for memory: time is an argument, in Unix seconds. Rule: in no window of a length L lie more than N starts.
A tool that is used so much that its starts would fill memory has them rounded *up* to a grain; a start then counts a
little longer than it must, and the rule still holds.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

SECOND_S, MINUTE_S = 1.0, 60.0

MARGIN_S = 0.01
"""A start counts this much longer than its window: between this process and what the tool asks, calls bunch up."""

EXACT_UP_TO = 2_000
"""Up to this limit every start is kept by itself."""

GRAINS = 1_000
"""Beyond it, so many grains make a window."""

SEEN_FOR_S = 600.0
"""A tenant counts as one of a tool's users for so long after its last call."""

HELD = 0.5
"""This part of a limit is divided among the tenants seen lately and held for them; the rest is first come, first
served. So however loud another tenant is, each of n tenants finds its 1/(2n) of the limit."""

MAX_TENANTS = 1_000
"""Tenants remembered for one tool; the one not seen for longest is forgotten first."""

NOBODY = ""
"""In place of a tenant, which is never empty."""

Mark = tuple[float, str, int]
"""When (rounded up), who, how many."""


class Limits(NamedTuple):
    """What one tool, or one shard of it, may be called."""

    per_second: int
    per_minute: int
    tenant_per_second: int | None = None
    tenant_per_minute: int | None = None
    tenant_share: float | None = None
    """At most this part of each limit for one tenant, whoever else is there."""


class Window:
    """Starts of the last `length_s` seconds."""

    __slots__ = ("_grain_s", "_marks", "count", "length_s")

    def __init__(self, length_s: float, limit: int) -> None:
        self.length_s = length_s + MARGIN_S
        self._grain_s = 0.0 if limit <= EXACT_UP_TO else length_s / GRAINS
        self._marks: deque[list[float]] = deque()
        self.count = 0

    def forget(self, now: float) -> int:
        """Drop what has left the window; how many are in it."""
        marks = self._marks
        if marks and marks[0][0] <= (passed := now - self.length_s):
            while marks and marks[0][0] <= passed:
                self.count -= int(marks.popleft()[1])
        return self.count

    def add(self, at: float, count: int = 1) -> None:
        """Starts at a moment; one earlier than the last counts as that one, for clocks may step back."""
        marks = self._marks
        self.count += count
        if marks and at <= marks[-1][0]:  # already rounded up, if there are grains
            marks[-1][1] += count
            return
        if self._grain_s:
            at = math.ceil(at / self._grain_s) * self._grain_s
        marks.append([at, count])

    def frees_at(self, wanted: int = 1) -> float:
        """When the `wanted` oldest starts will have left; 0 when there are not so many."""
        left = wanted
        for at, count in self._marks:
            left -= int(count)
            if left <= 0:
                return at + self.length_s
        return 0.0

    def marks(self) -> Iterator[tuple[float, int]]:
        """What is in the window, oldest first."""
        return ((at, int(count)) for at, count in self._marks)


class _Tenant:
    __slots__ = ("minute", "second", "seen_at")

    def __init__(self, limits: Limits, now: float) -> None:
        self.second = Window(SECOND_S, limits.per_second)
        self.minute = Window(MINUTE_S, limits.per_minute)
        self.seen_at = now


class Rate:
    """The limiter of one tool. `promised` starts were granted and have not begun; they count everywhere."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._second = Window(SECOND_S, limits.per_second)
        self._minute = Window(MINUTE_S, limits.per_minute)
        self._unknown = Window(MINUTE_S, limits.per_minute)
        """Starts of which only the number is known; they are nobody's."""
        self._tenants: dict[str, _Tenant] = {}
        self._promised: dict[str, int] = {}
        self._all_promised = 0

    def adopt(self, limits: Limits) -> None:
        """Other limits from now on; what was started stays counted."""
        self.limits = limits
        self.renew(list(self.marks()))

    def renew(self, marks: Iterable[Mark]) -> None:
        """Forget what was started and count these starts instead."""
        self._second = Window(SECOND_S, self.limits.per_second)
        self._minute = Window(MINUTE_S, self.limits.per_minute)
        self._unknown = Window(MINUTE_S, self.limits.per_minute)
        self._tenants = {}
        self._load(marks)

    def room(self, tenant_id: str, now: float) -> bool:
        """May this tenant start one more now?"""
        limits, tenant = self.limits, self._tenants.get(tenant_id)
        in_second = self._second.forget(now) + self._all_promised
        in_minute = self._minute.forget(now) + self._all_promised
        if in_second >= limits.per_second or in_minute >= limits.per_minute:
            return False
        if tenant is None:
            tenant = self._met(tenant_id, now)
        promised = self._promised.get(tenant_id, 0) if self._promised else 0
        own_second = tenant.second.forget(now) + promised
        own_minute = tenant.minute.forget(now) + promised
        if not self._within_own(own_second, own_minute):
            return False
        if len(self._tenants) == 1:
            return True
        return self._beside_others(tenant_id, in_second, own_second, in_minute, own_minute, now)

    def _within_own(self, own_second: int, own_minute: int) -> bool:
        limits = self.limits
        if limits.tenant_per_second is not None and own_second >= limits.tenant_per_second:
            return False
        if limits.tenant_per_minute is not None and own_minute >= limits.tenant_per_minute:
            return False
        share = limits.tenant_share
        return share is None or (
            own_second < max(1, int(limits.per_second * share))
            and own_minute < max(1, int(limits.per_minute * share))
        )

    def _beside_others(
        self, tenant_id: str, in_second: int, own_second: int, in_minute: int, own_minute: int, now: float
    ) -> bool:
        """Is what others may still claim of their held shares left free?"""
        limits, users = self.limits, len(self._tenants)
        for total, own, limit, name in (
            (in_second, own_second, limits.per_second, "second"),
            (in_minute, own_minute, limits.per_minute, "minute"),
        ):
            held = int(limit * HELD) // users
            if own < held or total < limit - held * (users - 1):
                continue
            claims = sum(
                max(0, held - getattr(each, name).forget(now) - self._promised.get(other, 0))
                for other, each in self._tenants.items()
                if other != tenant_id
            )
            if total + claims >= limit:
                return False
        return True

    def promise(self, tenant_id: str) -> None:
        """A start was granted; it begins a little later."""
        self._all_promised += 1
        self._promised[tenant_id] = self._promised.get(tenant_id, 0) + 1

    def unpromise(self, tenant_id: str) -> None:
        """A granted start begins now, or never will."""
        self._all_promised -= 1
        left = self._promised[tenant_id] - 1
        if left:
            self._promised[tenant_id] = left
        else:
            del self._promised[tenant_id]

    def started(self, tenant_id: str, now: float) -> None:
        """Count a start."""
        tenant = self._tenants.get(tenant_id) or self._met(tenant_id, now)
        tenant.seen_at = now
        tenant.second.add(now)
        tenant.minute.add(now)
        self._second.add(now)
        self._minute.add(now)

    def used(self, tenant_id: str, now: float) -> int:
        """Starts of a tenant in the last minute, granted ones included."""
        tenant = self._tenants.get(tenant_id)
        in_minute = tenant.minute.forget(now) if tenant is not None else 0
        return in_minute + self._promised.get(tenant_id, 0)

    def left(self, now: float) -> tuple[int, int]:
        """Calls left in this second and in this minute."""
        second = self.limits.per_second - self._second.forget(now) - self._all_promised
        minute = self.limits.per_minute - self._minute.forget(now) - self._all_promised
        return max(0, second), max(0, minute)

    def frees_at(self, now: float, ahead: int = 0) -> float:
        """The earliest moment at which the tool itself has room for one more behind `ahead` others."""
        times = [now]
        for window, limit in (
            (self._second, self.limits.per_second),
            (self._minute, self.limits.per_minute),
        ):
            over = window.forget(now) + self._all_promised + ahead + 1 - limit
            if over > 0:
                times.append(window.frees_at(min(over, max(1, window.count))))
        return max(times)

    def looks_again_at(self, tenant_ids: Iterable[str], now: float) -> float:
        """When something leaves one of the windows that may hold these tenants back."""
        windows = [self._second, self._minute]
        for tenant_id in tenant_ids:
            tenant = self._tenants.get(tenant_id)
            if tenant is not None:
                windows += (tenant.second, tenant.minute)
        times = [window.frees_at() for window in windows if window.forget(now)]
        return min(times, default=now + SECOND_S)

    def _met(self, tenant_id: str, now: float) -> _Tenant:
        gone = [each for each, known in self._tenants.items() if known.seen_at < now - SEEN_FOR_S]
        if not gone and len(self._tenants) >= MAX_TENANTS:
            gone = [min(self._tenants, key=lambda each: self._tenants[each].seen_at)]
        for each in gone:
            del self._tenants[each]
        found = self._tenants[tenant_id] = _Tenant(self.limits, now)
        return found

    def marks(self) -> Iterator[Mark]:
        """All starts of the last minute."""
        for tenant_id, tenant in self._tenants.items():
            for at, count in tenant.minute.marks():
                yield at, tenant_id, count
        for at, count in self._unknown.marks():
            yield at, NOBODY, count

    def _load(self, marks: Iterable[Mark]) -> None:
        """What lies in the future, by a clock ahead of ours, stays there."""
        for at, tenant_id, count in sorted(marks):
            if tenant_id == NOBODY:
                self.burn(count, at)
                continue
            tenant = self._tenants.get(tenant_id)
            if tenant is None:
                tenant = self._tenants[tenant_id] = _Tenant(self.limits, at)
            tenant.seen_at = max(tenant.seen_at, at)
            for window in (tenant.second, tenant.minute, self._second, self._minute):
                window.add(at, count)

    def burn(self, count: int, now: float) -> None:
        """Count starts nobody knows more about than that they may have happened."""
        self._unknown.forget(now)
        for window in (self._unknown, self._second, self._minute):
            window.add(now, count)
