"""`ToolHealth`: how a tool has been doing, said by the worker that runs its calls."""

from typing import Literal

from schemas.word import Instant, word

BreakerState = Literal["closed", "open", "half_open"]


@word
class ToolHealth:
    """The newest word on one tool; in the compacted topic `ops.tool-health`, keyed by tool_id."""

    event: Literal["ToolHealth"] = "ToolHealth"
    tool_id: str
    breaker: BreakerState = "closed"
    failure_rate: float = 0.0
    """Share of the calls that failed as the breaker counts it, 0 to 1: refusals and empty results are no failures."""
    p50_ms: float = 0.0
    p95_ms: float = 0.0
    calls: int = 0
    """How many calls the rate and the times are taken from: the last ones, at most some hundreds."""
    at: Instant
    worker: str
    changed_at: Instant = 0.0
    """When the breaker came into this state."""
    retry_at: Instant = 0.0
    """Open: when the first probe may go. Else 0."""
    shard: int = 0
    """Which part of the tool's calls this is about; each has a breaker of its own."""
    shards: int = 1
    """How many parts there are."""
