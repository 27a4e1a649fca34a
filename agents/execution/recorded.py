"""Calls as they were recorded, and what can be told from them: when each came, how long one try took, how it ended.

What a record does not say is estimated by one rule each:

- A call with retries: its time, without what it waited, is divided evenly over its tries. A call that worked in the end
  failed with UPSTREAM_UNAVAILABLE before; one that failed would have gone on failing.
- A call that was cut off (TOOL_TIMEOUT) would not have ended under a longer timeout either.
- A call that never ran (RATE_LIMITED, CIRCUIT_OPEN, no place) has no duration: it takes the median of its tool's tries,
  the tool's declared `cost_ms` where there are none, and ends as the last call of its tool that ran before it.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import NamedTuple

from schemas.errors import ErrorCode

BEFORE_THE_TURNSTILE = frozenset(
    {
        ErrorCode.POLICY_DENY,
        ErrorCode.SQL_BLOCKED,
        ErrorCode.TENANT_MISMATCH,
        ErrorCode.PERMISSION_DENIED,
        ErrorCode.INVALID_PARAMS,
        ErrorCode.ASSET_LOAD_FAILED,
    }
)
"""Refusals that ask nothing of a tool's limits: they stay what they are under any limits."""

_AT_THE_TURNSTILE = frozenset({ErrorCode.RATE_LIMITED, ErrorCode.CIRCUIT_OPEN})
_EXECUTE_S = 60.0
_NO_TIME_S = 0.001


class RecordedCall(NamedTuple):
    """One call; moments are Unix seconds. `deadline_at` 0: not known."""

    call_id: str
    tool_id: str
    tenant_id: str
    started_at: float
    ended_at: float
    code: ErrorCode | None = None
    """None: it worked."""
    retries: int = 0
    waited_s: float = 0.0
    deadline_at: float = 0.0
    row_count: int = 0
    truncated: bool = False
    cached: bool = False
    lifted: tuple[str, ...] = ()
    policy_version: int = 0
    query: str = ""
    """In words: a template's id and its arguments, or the tool's id."""

    @property
    def ran(self) -> bool:
        """Did it get past the turnstile?"""
        if self.cached or self.code in BEFORE_THE_TURNSTILE or self.code in _AT_THE_TURNSTILE:
            return False
        took_s = self.ended_at - self.started_at
        in_vain = self.code is ErrorCode.TOOL_TIMEOUT and not self.retries
        return not (in_vain and (took_s <= _NO_TIME_S or self.waited_s >= took_s - _NO_TIME_S))

    @property
    def came_at(self) -> float:
        """When it reached the turnstile: a call that ran is recorded from when its tool began."""
        return self.started_at - self._first_wait_s if self.ran else self.started_at

    @property
    def _first_wait_s(self) -> float:
        return self.waited_s / (self.retries + 1)

    @property
    def try_s(self) -> float:
        """One try's share of the time."""
        waited_between_s = self.waited_s - self._first_wait_s
        return max(0.0, self.ended_at - self.started_at - waited_between_s) / (self.retries + 1)

    @property
    def ends_by(self) -> float:
        """Its deadline; never sooner than its recorded end."""
        return max(self.deadline_at or self.came_at + _EXECUTE_S, self.ended_at)


class Try(NamedTuple):
    """What one try of a tool does. `seconds` None: it never ends by itself."""

    seconds: float | None
    code: ErrorCode | None


class Script(NamedTuple):
    """What a tool does when this call reaches it, try by try; the last one is repeated."""

    tries: tuple[Try, ...]
    estimated: bool = False

    def of(self, number: int) -> Try:
        """The n-th try, from 0."""
        return self.tries[min(number, len(self.tries) - 1)]


def scripts_of(calls: Sequence[RecordedCall], cost_s: Mapping[str, float]) -> dict[str, Script]:
    """By call id; `cost_s` is what each tool declares one call to take."""
    ran: dict[str, list[RecordedCall]] = defaultdict(list)
    for call in calls:
        if call.ran:
            ran[call.tool_id].append(call)
    known = {tool_id: _Past(those) for tool_id, those in ran.items()}
    scripts: dict[str, Script] = {}
    for call in calls:
        if call.ran:
            scripts[call.call_id] = _as_recorded(call)
        else:
            past = known.get(call.tool_id)
            usual_s = past.usual_s if past is not None and past.usual_s is not None else None
            seconds = cost_s.get(call.tool_id, 0.1) if usual_s is None else usual_s
            code = past.code_before(call.came_at) if past is not None and not call.cached else None
            ends = Try(None if code is ErrorCode.TOOL_TIMEOUT else seconds, code)
            scripts[call.call_id] = Script((ends,), estimated=True)
    return scripts


def _as_recorded(call: RecordedCall) -> Script:
    if call.code is ErrorCode.TOOL_TIMEOUT:
        return Script((Try(None, call.code),))
    if call.code is None and call.retries:
        before = Try(call.try_s, ErrorCode.UPSTREAM_UNAVAILABLE)
        return Script((*[before] * call.retries, Try(call.try_s, None)))
    return Script((Try(call.try_s, call.code),))


class _Past:
    """How a tool's calls went that ran."""

    def __init__(self, calls: Iterable[RecordedCall]) -> None:
        ended = sorted(calls, key=lambda call: call.ended_at)
        self._ends = [call.ended_at for call in ended]
        self._codes = [call.code for call in ended]
        whole = [call.try_s for call in ended if call.code is not ErrorCode.TOOL_TIMEOUT]
        self.usual_s: float | None = median(whole) if whole else None

    def code_before(self, moment: float) -> ErrorCode | None:
        """How the last one ended that had ended by then; None too when there was none."""
        at = bisect_right(self._ends, moment)
        return self._codes[at - 1] if at else None
