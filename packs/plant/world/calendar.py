"""When things happen: moments spread over the plant's days, more of them by day and on weekdays."""

import numpy as np
from numpy.typing import NDArray

from packs.plant.world.spec import DAY_S, RECORD_DAYS, PlantSpec

Moments = NDArray[np.int64]

_HOURS = np.array(
    [1, 1, 1, 1, 1, 2, 3, 5, 8, 10, 11, 11, 10, 10, 11, 11, 10, 9, 7, 6, 5, 4, 3, 2], dtype=float
)
_WEEKEND = 0.55


def moments(spec: PlantSpec, random: np.random.Generator, count: int) -> Moments:
    """So many moments of the last RECORD_DAYS days, sorted, all before the end; Unix seconds."""
    days = np.arange(RECORD_DAYS)
    first = spec.end // DAY_S - RECORD_DAYS
    weights = np.where((first + days + 3) % 7 >= 5, _WEEKEND, 1.0)
    day = random.choice(days, count, p=weights / weights.sum())
    hour = random.choice(24, count, p=_HOURS / _HOURS.sum())
    at = (first + day) * DAY_S + hour * 3_600 + random.integers(0, 3_600, count)
    return np.sort(at.astype(np.int64))


def tenants_at_random(random: np.random.Generator, count: int, share_of_second: float) -> NDArray[np.int64]:
    """0 for the first tenant, 1 for the second."""
    return (random.random(count) < share_of_second).astype(np.int64)


def picked(
    random: np.random.Generator, choices: tuple[str, ...], count: int, *weights: float
) -> NDArray[np.object_]:
    """So many of the choices, by weight if there are weights."""
    shares = None if not weights else np.array(weights) / sum(weights)
    return np.array(choices, dtype=object)[random.choice(len(choices), count, p=shares)]
