"""The newest word on every tool's health, from memory. What is too old counts as nothing known."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from schemas.health import BreakerState, ToolHealth

STALE_S = 300.0
"""After so long a breaker that was open says nothing any more: the tool is tried again where it is the better one."""

MOST = 10_000


class HealthBoard:
    """Calls itself like a function: tool id → `ToolHealth` or None. `clock` gives Unix seconds. The words on a tool's
    shards are put together into one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._words: dict[str, dict[int, ToolHealth]] = {}

    def take(self, word: ToolHealth) -> None:
        """Note a word; an older one than what is known changes nothing."""
        words = self._words.get(word.tool_id)
        if words is None:
            if len(self._words) >= MOST:
                del self._words[next(iter(self._words))]
            words = self._words[word.tool_id] = {}
        known = words.get(word.shard)
        if known is None or known.at <= word.at:
            words[word.shard] = word

    def __call__(self, tool_id: str) -> ToolHealth | None:
        words, oldest_at = self._words.get(tool_id), self._clock() - STALE_S
        fresh = [word for word in words.values() if word.at >= oldest_at] if words else []
        return merged(fresh) if fresh else None

    def all(self) -> tuple[ToolHealth, ...]:
        """Every tool's newest word, however old, by tool id."""
        return tuple(merged([*self._words[tool_id].values()]) for tool_id in sorted(self._words))


def merged(words: Sequence[ToolHealth]) -> ToolHealth:
    """One word on a tool out of those on its shards, of which one at least is known.

    Only shards of the newest division count. The failure rate and the median are weighted by calls; the 95th percentile
    is the slowest shard's. A shard that said nothing rests not: the breaker is open when all are, half-open when some
    let fewer through. `retry_at` is the soonest.
    """
    newest = max(words, key=lambda word: word.at)
    if newest.shards == 1:
        return newest
    parts = sorted((word for word in words if word.shards == newest.shards), key=lambda word: word.shard)
    calls = sum(part.calls for part in parts)

    def weighted(name: str) -> float:
        return sum(float(getattr(part, name)) * part.calls for part in parts) / calls if calls else 0.0

    resting = [part for part in parts if part.breaker == "open"]
    breaker: BreakerState = "closed"
    if len(resting) == newest.shards:
        breaker = "open"
    elif any(part.breaker != "closed" for part in parts):
        breaker = "half_open"
    return replace(
        newest,
        shard=0,
        breaker=breaker,
        failure_rate=weighted("failure_rate"),
        p50_ms=round(weighted("p50_ms"), 3),
        p95_ms=max(part.p95_ms for part in parts),
        calls=calls,
        worker=", ".join(dict.fromkeys(part.worker for part in parts)),
        changed_at=max(part.changed_at for part in parts),
        retry_at=min(part.retry_at for part in resting) if breaker == "open" else 0.0,
    )
