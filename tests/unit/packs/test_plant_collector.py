"""The plant is made where none is, made anew when its day is over, and left alone when somebody asked for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from packs.plant import collector, making
from packs.plant.making import FOLDER, NOTE, Made, made_in, make_plant
from packs.plant.world.spec import PlantSpec

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC).timestamp()
DAY_S = 86_400.0


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[PlantSpec]:
    """Specs of the plants that were made; making one is tried elsewhere, here it only leaves its note."""
    specs: list[PlantSpec] = []

    def quickly(folder: Path, spec: PlantSpec, *, automatic: bool = False) -> Made:
        specs.append(spec)
        folder.mkdir(parents=True, exist_ok=True)
        found = Made(spec, automatic, {"tickets": 1})
        making._note(folder, found)
        return found

    monkeypatch.setattr(collector, "make_plant", quickly)
    return specs


async def test_a_plant_is_made_once_a_day(tmp_path: Path, made: list[PlantSpec]) -> None:
    """As of today; again only when the day has changed."""
    for now in (NOON, NOON + 60, NOON + DAY_S):
        report = await collector.prepare(tmp_path, now)
        assert report.failed == ()
    assert [spec.as_of for spec in made] == [date(2026, 11, 21), date(2026, 11, 22)]


async def test_a_plant_that_was_asked_for_stays(tmp_path: Path, made: list[PlantSpec]) -> None:
    """However old it is."""
    made_by_hand = Made(PlantSpec(date(2020, 1, 1)), automatic=False, rows={})
    (tmp_path / FOLDER).mkdir()
    making._note(tmp_path / FOLDER, made_by_hand)
    report = await collector.prepare(tmp_path, NOON)
    assert [store.status for store in report.stores] == ["unchanged"]
    assert made == []


async def test_half_a_plant_is_made_anew(tmp_path: Path, made: list[PlantSpec]) -> None:
    """A folder without a note that can be read is not a plant."""
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / NOTE).write_text('{"format": 0}')
    await collector.prepare(tmp_path, NOON)
    assert len(made) == 1


def test_a_plant_lies_in_files_that_say_what_it_is(tmp_path: Path) -> None:
    """Tables under their names, reserved words and all; documents to read; a note of seed, size and day."""
    spec = PlantSpec(date(2026, 11, 21), seed=3)
    report = make_plant(tmp_path, spec)
    assert made_in(tmp_path) == Made(spec, False, report.rows)
    with closing(sqlite3.connect(tmp_path / "plant.db")) as db:
        columns = [row[1] for row in db.execute('PRAGMA table_info("change_log")')]
        newest, count = db.execute("SELECT max(created_at), count(*) FROM tickets").fetchone()
    assert columns == ["id", "tenant_id", "table", "update", "delete", "set", "note", "at"]
    assert newest < "2026-11-21 00:00:00"
    assert count == report.rows["tickets"]
    assert (tmp_path / "documents" / "acme" / "runbooks" / "checkout.ko.md").is_file()
    assert (tmp_path / "documents" / "globex" / "postmortems" / "search-synonyms.en.md").is_file()
