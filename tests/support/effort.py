"""How hard property tests try: a little every day, all of it with OPSLOOM_TEST_EFFORT=1 in the environment."""

from __future__ import annotations

import os

EVERYDAY = 0.4


def examples(full: int) -> int:
    """So many examples of a property that is tried with `full` ones where time does not matter."""
    return max(10, round(full * float(os.environ.get("OPSLOOM_TEST_EFFORT", EVERYDAY))))
