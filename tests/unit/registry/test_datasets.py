"""Datasets are checked when a pack is loaded: each fault names the file, what is wrong and what to do."""

import shutil
from pathlib import Path

import pytest

from registry.packs import PackError, load_pack

PACK = Path(__file__).parents[2] / "packs" / "works"


def test_the_works_pack_describes_its_tables() -> None:
    """Datasets are assets like any other."""
    pack = load_pack(PACK, {"data": "/nowhere"})

    assert [dataset.id for dataset in pack.datasets] == [
        "works.machines",
        "works.alarms",
        "works.outages",
        "works.sales",
        "works.readings",
    ]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("tool: works.table", "tool: works.tabel", "names the unknown tool works.tabel"),
        ("table: outages", "table: outage", "describes the unknown table outage"),
        ("key: id", "key: number", "names the unknown field number in its key"),
        ("time: opened_at", "time: severity", "takes severity for its time, which is no time"),
        ("root_cause: {type: text", "cause: {type: text", "has the field cause, which is no column"),
        ("fn: avg, field: duration", "fn: avg", "has the measure mttr, avg of nothing"),
        ("field: closed_at, op: is_null", "field: ended_at, op: is_null", "names the unknown field ended_at"),
        ("start: opened_at", "start: service", "measures duration from or to service, which is no time"),
        ("op: is_null", "op: regexp", "conditions.ongoing.filters.0.op of works.outages is wrong"),
    ],
)
def test_a_fault_is_named(tmp_path: Path, old: str, new: str, reason: str) -> None:
    """With a hint at what may have been meant."""
    folder = shutil.copytree(PACK, tmp_path / "works")
    path = folder / "datasets" / "outages.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")

    with pytest.raises(PackError) as refused:
        load_pack(folder, {"data": "/nowhere"})

    assert reason in refused.value.reason
    assert refused.value.hint
