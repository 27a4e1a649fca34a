"""Where `opsloom evaluate` asks: a broker that is named, an `opsloom up` that runs, or one started for the purpose."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cli.demo.stage import Stage
from cli.options import running_up, settings_of
from cli.output import waiting
from streams.settings import Settings

PLANT_DB = Path("plant") / "plant.db"


class NoPlant(Exception):
    """There are no truths to compare with."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.reason = f"There is no plant at {path} to read the truths from."
        self.hint = "Make one with `opsloom plant make`, or name it with --plant FILE."


@dataclass(frozen=True, slots=True)
class Place:
    """A broker to ask through, and the plant it answers about."""

    settings: Settings
    plant: Path


@contextmanager
def standing(
    broker: str | None, topic_prefix: str | None, data: str | None, packs: tuple[str, ...], plant: Path | None
) -> Iterator[Place]:
    """Something to ask, inside the block. What was started for it is stopped. Raises StageError, NoPlant."""
    settings = settings_of(broker=broker, topic_prefix=topic_prefix, data_dir=data)
    named = broker is not None or "OPSLOOM_BROKER" in os.environ
    if named or running_up(settings.data_dir):
        yield _place(settings, plant)
        return
    folder = settings.data_dir if data is not None else _cache_folder()
    with waiting("Starting …") as progress:
        stage = Stage(folder, progress, packs)
        stage.start()
    try:
        started = settings_of(broker=stage.ready["broker"], data_dir=str(folder), topic_prefix=topic_prefix)
        yield _place(started, plant)
    finally:
        with waiting("Stopping …"):
            stage.stop()


def _place(settings: Settings, plant: Path | None) -> Place:
    path = plant if plant is not None else settings.data_dir / PLANT_DB
    if not path.is_file():
        raise NoPlant(path)
    return Place(settings, path)


def _cache_folder() -> Path:
    named = os.environ.get("XDG_CACHE_HOME")
    return (Path(named) if named else Path.home() / ".cache") / "opsloom" / "evaluate"
