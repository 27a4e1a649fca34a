"""When to try again, and after how long: exponential from 100 ms, doubling, full jitter."""

from collections.abc import Callable

from schemas.errors import ErrorCode, OpsError

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0

RETRIED = frozenset({ErrorCode.TOOL_TIMEOUT, ErrorCode.UPSTREAM_UNAVAILABLE})
"""A refusal is never tried again, and neither is what the tool itself called wrong."""


def pause_s(retries: int, chance: Callable[[], float]) -> float:
    """Seconds before the next try after `retries` retries; `chance` gives 0 ≤ x < 1.

    Full jitter: anywhere between none and the whole pause, so that those who failed together do not come back
    together.
    """
    return float(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**retries) * chance())


def asked_pause_s(error: OpsError) -> float:
    """Seconds the upstream asks to be left alone (`details.retry_after_s`), 0 when it does not say."""
    wait_s = error.details.get("retry_after_s")
    return float(wait_s) if isinstance(wait_s, int | float) and wait_s > 0 else 0.0
