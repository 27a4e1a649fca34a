"""The pack's collector: makes a small plant where none is, and makes its own anew when the day has changed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from packs.filling.stores import StoreReport
from packs.plant.making import FOLDER, made_in, make_plant
from packs.plant.world.spec import PlantSpec

SAYS = "looking after the plant"
"""What is said while `prepare` runs."""

Write = Callable[[Sequence[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CollectReport:
    """What `prepare` did."""

    stores: tuple[StoreReport, ...]
    took_s: float

    @property
    def failed(self) -> tuple[StoreReport, ...]:
        return tuple(report for report in self.stores if report.status == "failed")


async def prepare(data_dir: Path, now: float) -> CollectReport:
    """Make `data_dir/plant` if there is none, or if it was made without being asked for on an earlier day.

    A plant that somebody made with `opsloom plant make` is left alone, however old it is.
    """
    began = time.perf_counter()
    folder = data_dir / FOLDER
    report = await asyncio.to_thread(_prepared, folder, now)
    return CollectReport((report,), round(time.perf_counter() - began, 3))


def _prepared(folder: Path, now: float) -> StoreReport:
    spec = PlantSpec(datetime.fromtimestamp(now, UTC).date())
    there = made_in(folder)
    if there is not None and (not there.automatic or there.spec == spec):
        return StoreReport(FOLDER, "unchanged", 0.0, there.rows)
    try:
        made = make_plant(folder, spec, automatic=True)
    except ModuleNotFoundError as error:
        reason = f"{error.name} is not installed; install opsloom with its extras"
        return StoreReport(FOLDER, "failed", 0.0, {}, (reason,))
    except OSError as error:
        return StoreReport(FOLDER, "failed", 0.0, {}, (f"the plant could not be made: {error}",))
    return StoreReport(FOLDER, "built", made.took_s, made.rows)


async def keep_sampling(write: Write, *, data_dir: Path | None = None) -> None:
    """Nothing here changes while it runs."""
    await asyncio.Event().wait()
