"""The host pack's stores are replaced as a whole, made again only when needed, and hold no secrets."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from packs.filling.stores import remove_leftovers, replaced, sqlite_being_built
from packs.host import collector
from packs.host.collect import history
from packs.host.collector import CollectReport, keep_sampling, prepare, renew

ladybug = pytest.importorskip("ladybug")

STORES = {"config", "history", "documents", "graph"}


def prepared(data_dir: Path) -> CollectReport:
    return asyncio.run(prepare(data_dir, time.time()))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory on a machine without Debian packages: quicker to read."""
    monkeypatch.setattr(collector, "ROOT", tmp_path / "root")
    return tmp_path / "data"


def timed(data_dir: Path) -> tuple[CollectReport, float]:
    """What was done, and the processor seconds it took: others may use the machine as well."""
    began = time.process_time()
    report = prepared(data_dir)
    return report, time.process_time() - began


def test_prepare_makes_every_store_quickly_and_a_second_one_is_quicker(tmp_path: Path) -> None:
    """All stores within four seconds, unchanged ones not again within one."""
    first, took_s = timed(tmp_path)
    second, took_again_s = min((timed(tmp_path) for _ in range(2)), key=lambda each: each[1])

    assert {report.store for report in first.stores} == STORES
    assert {report.status for report in first.stores} == {"built"}
    assert {r.store for r in second.stores if r.status == "unchanged"} == {"history", "documents"}
    assert took_s < 4
    assert took_again_s < 1


def test_a_machine_without_dpkg_is_told_so(bare: Path) -> None:
    """All stores are there, with a note on what is left out."""
    report = prepared(bare)

    assert report.failed == ()
    assert any("no dpkg here" in note for note in report.notes)


def test_a_lost_store_is_made_again(bare: Path) -> None:
    """A fingerprint alone is not believed."""
    prepared(bare)
    (bare / "host/history.db").unlink()

    report = prepared(bare)

    assert {r.store: r.status for r in report.stores}["history"] == "built"
    assert (bare / "host/history.db").is_file()


def test_one_failing_collector_stops_none_of_the_others(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failure is reported in words, and the others are there."""

    def broken(*_: object) -> tuple[dict[str, int], list[str]]:
        raise OSError("the disk is on fire")

    monkeypatch.setattr(history, "collect_history", broken)

    report = prepared(bare)

    [failed] = report.failed
    assert failed.store == "history"
    assert "the disk is on fire" in failed.notes[0]
    assert {r.store for r in report.stores if r.status == "built"} == STORES - {"history"}
    monkeypatch.undo()
    assert prepared(bare).failed == ()


def test_a_missing_extra_is_said_in_words(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the graph engine only the graph is missing."""
    monkeypatch.setitem(sys.modules, "ladybug", None)

    report = prepared(bare)

    [failed] = report.failed
    assert failed.store == "graph"
    assert "install" in failed.notes[0]


def test_a_failed_build_leaves_the_old_store(tmp_path: Path) -> None:
    """What was there is there still, and nothing is left over."""
    path = tmp_path / "store.db"
    path.write_text("old")

    def stopped_half_way() -> None:
        with replaced(path) as building:
            building.write_text("half")
            raise RuntimeError("stopped")

    with pytest.raises(RuntimeError):
        stopped_half_way()

    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["store.db"]


def test_a_killed_build_leaves_the_old_store_and_is_cleared_away(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: readers still find the old store whole."""
    path = tmp_path / "store.db"
    with sqlite_being_built(path) as connection:
        connection.execute("CREATE TABLE t (n)")
        connection.execute("INSERT INTO t VALUES (1)")
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from packs.filling.stores import sqlite_being_built\n"
        "with sqlite_being_built(Path(sys.argv[1])) as connection:\n"
        "    connection.execute('CREATE TABLE t (n)')\n"
        "    connection.executemany('INSERT INTO t VALUES (?)', ((n,) for n in range(100_000)))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )

    killed = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=Path.cwd())

    assert killed.returncode == -signal.SIGKILL
    assert sqlite3.connect(path).execute("SELECT n FROM t").fetchall() == [(1,)]
    assert len(os.listdir(tmp_path)) == 2
    remove_leftovers(tmp_path)
    assert os.listdir(tmp_path) == ["store.db"]


def test_a_reader_keeps_what_it_opened_while_the_store_is_replaced(bare: Path) -> None:
    """A running reader never sees half of the new store."""
    prepared(bare)
    reader = sqlite3.connect(bare / "host/config.db")
    before = reader.execute("SELECT read_at FROM host").fetchone()

    asyncio.run(renew(bare, time.time() + 10))

    assert reader.execute("SELECT read_at FROM host").fetchone() == before
    assert sqlite3.connect(bare / "host/config.db").execute("SELECT read_at FROM host").fetchone() != before


def test_renewed_processes_keep_the_packages(bare: Path) -> None:
    """A second start reads the processes anew and leaves the dependencies as they were."""
    first = {r.store: r for r in prepared(bare).stores}["graph"].rows
    second = {r.store: r for r in prepared(bare).stores}["graph"].rows

    database = ladybug.Database(str(bare / "host/graph"), read_only=True)
    connection = ladybug.Connection(database)
    counted = {
        label: connection.execute(f"MATCH (n:{label}) RETURN count(n)").get_all()[0][0]
        for label in ("Package", "DebianPackage", "Process")
    }
    connection.close()
    database.close()
    assert counted["Package"] == first["Package"]
    assert counted["DebianPackage"] == first["DebianPackage"]
    assert counted["Process"] == second["Process"]


def test_neither_arguments_nor_environment_values_are_kept(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A secret on a command line or in the environment is in none of the stores."""
    secret = "correct-horse-battery-staple-4711"
    monkeypatch.setenv("HOST_PACK_TEST_TOKEN", secret)
    sleeper = subprocess.Popen(
        [sys.executable, "-c", "import sys; sys.stdin.read()", f"--password={secret}"], stdin=subprocess.PIPE
    )
    try:
        prepared(bare)
    finally:
        assert sleeper.stdin is not None
        sleeper.stdin.close()
        sleeper.wait(10)

    names = sqlite3.connect(bare / "host/config.db").execute("SELECT name FROM environment_names")
    assert ("HOST_PACK_TEST_TOKEN",) in names.fetchall()
    for path in (bare / "host").iterdir():
        assert secret.encode() not in path.read_bytes(), path.name


async def test_sampling_goes_on_after_a_failed_write_and_loses_no_row(tmp_path: Path) -> None:
    """Rows that could not be written are offered again with the next ones."""
    offered: list[int] = []
    stored: list[object] = []
    done = asyncio.Event()

    async def write(rows: object) -> None:
        assert isinstance(rows, tuple)
        offered.append(len(rows))
        if len(offered) == 1:
            raise ConnectionError("not yet")
        stored.extend(rows)
        done.set()

    sampling = asyncio.create_task(keep_sampling(write, 0.01))
    await asyncio.wait_for(done.wait(), 10)
    sampling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sampling

    assert offered[1] > offered[0]
    assert len(stored) >= offered[1]


async def test_sampling_renews_the_configuration(bare: Path) -> None:
    """With a data directory, `config.db` is renewed beside the samples."""
    await prepare(bare, 1.0)
    path = bare / collector.FOLDER / "config.db"
    renewed = asyncio.Event()

    async def write(_: object) -> None:
        if sqlite3.connect(path).execute("SELECT read_at FROM host").fetchone() != (1.0,):
            renewed.set()

    sampling = asyncio.create_task(keep_sampling(write, 0.01, data_dir=bare, renew_every_s=0.0))
    await asyncio.wait_for(renewed.wait(), 10)
    sampling.cancel()
