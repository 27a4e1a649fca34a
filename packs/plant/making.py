"""Making a plant: all its stores in one folder, and a note of what they were made from."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from packs.filling.stores import remove_leftovers
from packs.plant.load.documents import write_documents, write_files
from packs.plant.load.graph import write_graph
from packs.plant.load.sqlite import write_sqlite
from packs.plant.world.spec import PlantSpec
from packs.plant.world.world import World

FOLDER = "plant"
NOTE = "plant.json"
FORMAT = 1
"""Raised when the same seed, size and day no longer give the same values."""


@dataclass(frozen=True, slots=True)
class Made:
    """What lies in a folder: the spec it was made from, and whether it was made without being asked for."""

    spec: PlantSpec
    automatic: bool
    rows: dict[str, int]
    took_s: float = 0.0


def make_plant(
    folder: Path,
    spec: PlantSpec,
    *,
    automatic: bool = False,
    say: Callable[[str], None] = lambda text: None,
    monotonic: Callable[[], float] = time.monotonic,
) -> Made:
    """Write `plant.db`, `documents.db`, `graph` and `documents/` into the folder, in the place of what is there.

    The note is written last: a folder without one is not a plant yet.
    """
    began = monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    (folder / NOTE).unlink(missing_ok=True)
    world = World(spec)
    say("writing the tables")
    rows = write_sqlite(folder / "plant.db", world.tables())
    say("writing the graph and the documents")
    rows |= write_graph(folder / "graph", world.landscape)
    rows |= write_documents(folder / "documents.db", world.papers)
    write_files(folder / "documents", world.papers)
    made = Made(spec, automatic, rows, round(monotonic() - began, 3))
    _note(folder, made)
    return made


def made_in(folder: Path) -> Made | None:
    """The plant that lies in a folder; None if none does, or one of another format."""
    try:
        said = json.loads((folder / NOTE).read_text())
        if said["format"] != FORMAT:
            return None
        spec = PlantSpec(date.fromisoformat(said["as_of"]), int(said["seed"]), int(said["size_bytes"]))
        return Made(spec, bool(said["automatic"]), dict(said["rows"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(folder: Path, made: Made) -> None:
    said = {
        "format": FORMAT,
        "as_of": made.spec.as_of.isoformat(),
        "seed": made.spec.seed,
        "size_bytes": made.spec.size_bytes,
        "automatic": made.automatic,
        "rows": made.rows,
    }
    fresh = folder / f"{NOTE}.new"
    fresh.write_text(json.dumps(said, indent=1) + "\n")
    fresh.replace(folder / NOTE)
