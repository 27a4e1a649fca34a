"""What stands before or behind a number and makes it a bound."""

from collections.abc import Mapping
from typing import Final

_BEFORE: Final[Mapping[str, str]] = {
    "gt": """
        more than|greater than|higher than|larger than|bigger than|longer than|over|above|exceeding|
        exceeded|exceed|surpassing|surpassed|
        exceeds|beyond|>|upwards of|older than|in excess of|slower than|worth more than|worth over
    """,
    "gte": "at least|no less than|no fewer than|not less than|minimum of|>=|≥",
    "lt": """
        less than|fewer than|lower than|smaller than|under|below|<|shorter than|faster than|quicker than|
        cheaper than|worth less than
    """,
    "lte": "at most|no more than|not more than|maximum of|up to|<=|≤",
    "eq": "exactly|equal to|equals|=|precisely",
}
BEFORE: Final = {
    " ".join(each.split()): op for op, texts in _BEFORE.items() for each in texts.split("|") if each.strip()
}
"""What stands before a number, and the operator it means."""
_BEHIND: Final[Mapping[str, str]] = {
    "gt": """
        초과|초과하는|초과한|넘는|넘게|넘은|보다 큰|보다 많은|보다 많이|보다 오래|개보다 많은|대보다 많은|
        건보다 많은|개 초과|개를 넘는|보다 긴|보다 높은
    """,
    "gte": "이상|이상인|이상의|or more|or higher|or above|or longer|plus|or worse",
    "lt": "미만|미만인|미만의|보다 작은|보다 적은|개보다 적은|개 미만|보다 짧은|보다 낮은",
    "lte": "이하|이하인|이하의|or fewer|or less|or lower|or below",
}
BEHIND: Final = {
    " ".join(each.split()): op for op, texts in _BEHIND.items() for each in texts.split("|") if each.strip()
}
"""What stands behind a number and its unit."""
