"""Decomposition: where a question clearly joins several asks. Only words and marks are looked at, no meaning."""

import re

MAX_PARTS = 4
_SHORTEST_PART = 4
_LONGEST_SPLIT = 600
"""Longer questions are read as one: who writes that much seldom lists asks."""

_JOINTS = re.compile(
    r"\s*(?:[?;]\s+(?:and\s+|also\s+)?|,?\s+(?:and also|and then|as well as|and|plus|also)\s+|,\s+"
    r"|\s+그리고\s+|(?<=[가-힣])(?:하고|와|과|랑|이랑)\s+)",
    re.IGNORECASE,
)


def parts_of(question: str) -> tuple[str, ...]:
    """The parts of a question that may be asks of their own, two to four; empty when it is plainly one."""
    text = question.strip()
    if len(text) > _LONGEST_SPLIT:
        return ()
    parts = tuple(part for part in (each.strip(" ?.!,;") for each in _JOINTS.split(text)) if part)
    if not 2 <= len(parts) <= MAX_PARTS or any(len(part) < _SHORTEST_PART for part in parts):
        return ()
    return parts
