"""How large the plant is and when it ends. Everything else follows from these figures."""

import re
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np

DAY_S = 86_400
MINUTES_A_DAY = 1_440
RECORD_DAYS = 90
"""Days before `as_of` over which tickets, orders, deployments and the like are spread."""
METRIC_DAYS = 60
"""Days of daily metrics."""
DEFAULT_SEED = 7
SMALL_BYTES = 36_000_000
"""What is made when nobody says how large: two days of minute metrics and some thousand records."""
MIN_BYTES = 36_000_000

_MINUTE_DAY_BYTES = 13_300_000
"""A day of all minute metrics of both tenants, in SQLite."""
_STORY_BYTES = 6_700_000
"""The minutes of the stories' days, which are always kept."""
_MINUTE_SHARE = 0.6
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?)b?", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


@dataclass(frozen=True, slots=True)
class PlantSpec:
    """Same seed, size and day: the same values. `as_of` is the day after the last full one, UTC."""

    as_of: date
    seed: int = DEFAULT_SEED
    size_bytes: int = SMALL_BYTES

    @property
    def end(self) -> int:
        """Midnight that `as_of` begins with, in Unix seconds: no record is later."""
        return int(datetime(self.as_of.year, self.as_of.month, self.as_of.day, tzinfo=UTC).timestamp())

    @property
    def minute_days(self) -> int:
        """Full days, the last ones, of which every minute of every metric is kept."""
        return max(1, min(METRIC_DAYS, int(self.size_bytes * _MINUTE_SHARE / _MINUTE_DAY_BYTES) - 1))

    def rows(self, table: str) -> int:
        """Rows of a table that grows with the size, both tenants together."""
        fixed = (self.minute_days + 1) * _MINUTE_DAY_BYTES + _STORY_BYTES
        rest = max(2_500_000, self.size_bytes - fixed)
        share, row_bytes = _SHARES[table]
        return int(rest * share / row_bytes)

    def random(self, *names: str) -> np.random.Generator:
        """The stream of random numbers of one purpose, apart from all others."""
        return np.random.default_rng([self.seed, zlib.crc32("/".join(names).encode())])


_SHARES = {
    "tickets": (0.34, 400),
    "orders": (0.32, 95),
    "alerts": (0.14, 80),
    "change_log": (0.15, 95),
    "grants_history": (0.02, 90),
    "incidents": (0.01, 160),
}
"""Table → its share of what the minute metrics leave, and bytes a row."""


def size_of(text: str) -> int:
    """Bytes of a size in words, such as `100MB`. Raises ValueError with a sentence."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it as 100MB.")
    size = int(float(match[1]) * _FACTORS[match[2].lower()])
    if not MIN_BYTES <= size <= 20_000_000_000:
        raise ValueError(f"{text} is too small or too large; give between 36MB and 20GB.")
    return size
