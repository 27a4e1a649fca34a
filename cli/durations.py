"""Stretches of time as people type them."""

import re

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
LONGEST_S = 10 * 366 * 86_400.0

_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")


def seconds_of(text: str) -> float | None:
    """`90s`, `1h`, `1h30m` in seconds; None when it is no stretch of time, or none at all, or over ten years."""
    compact = re.sub(r"\s+", "", text.lower())
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        return None
    total_s = sum(float(number) * UNITS_S[unit] for number, unit in parts)
    return total_s if 0 < total_s <= LONGEST_S else None


def since_s(text: str) -> float:
    """The same, for an option: leaves with 2 and a sentence when it can't be read."""
    from cli.render.errors import EXIT_USAGE, fail

    seconds = seconds_of(text)
    if seconds is None:
        fail(f"{text!r} is no stretch of time.", "Write it like 90s, 30m, 1h, 2d or 1h30m.", EXIT_USAGE)
    return seconds
