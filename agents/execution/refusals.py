"""What a turnstile says to a call that may not pass: a sentence for the user, and figures."""

import math
from typing import Any

from agents.execution.guards.verdict import Refuse
from agents.execution.limits import Limits
from schemas.errors import ErrorCode


def rate_limited(
    limits: Limits, left_second: int, left_minute: int, back_s: float, queued: int, full: bool
) -> Refuse:
    """Over the limit: what is left, and when to come back."""
    back_s = round(max(back_s, 0.001), 3)
    why = "Too many calls of this tool wait already." if full else "The tool's limit is reached."
    text = (
        f"{why} {limits.per_second} calls a second and {limits.per_minute} a minute are allowed; "
        f"{left_minute} of this minute are left."
    )
    details: dict[str, Any] = {
        "limit_per_second": limits.per_second,
        "limit_per_minute": limits.per_minute,
        "remaining_second": left_second,
        "remaining_minute": left_minute,
        "retry_after_s": back_s,
        "waiting": queued,
    }
    return Refuse(ErrorCode.RATE_LIMITED, text, f"Ask again in {math.ceil(back_s)} s.", details=details)


def circuit_open(back_s: float) -> Refuse:
    """The breaker rests, or its probes are out."""
    back_s = round(max(back_s, 0.001), 3)
    return Refuse(
        ErrorCode.CIRCUIT_OPEN,
        "The tool failed repeatedly and is resting.",
        f"Ask again in {math.ceil(back_s)} s.",
        details={"retry_after_s": back_s},
    )


def busy() -> Refuse:
    """No place became free in time."""
    return Refuse(ErrorCode.TOOL_TIMEOUT, "The tool was busy until the time ran out.")
