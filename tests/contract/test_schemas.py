"""The committed Avro schemas are the models', and stay readable from version to version."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import fastavro
import pytest

from schemas.avro import schema_of
from schemas.calls import ToolSucceeded
from schemas.compatibility import incompatibilities
from schemas.events import EVENTS
from schemas.plans import PlanMade
from streams.schema_ids import FileIds, SchemaError, avsc_folder, drift, export

Schema = dict[str, Any]


def test_committed_schemas_are_those_of_the_models() -> None:
    """After a change of a model: `opsloom schemas export` commits the new version."""
    assert drift(FileIds.load()) == []


def test_every_version_can_read_what_all_before_it_wrote() -> None:
    """No committed change locks out events that lie on the topics."""
    by_event: dict[str, list[Any]] = {}
    for known in FileIds.load().all():
        by_event.setdefault(known.event, []).append(known)
    for versions in by_event.values():
        for older, newer in combinations(sorted(versions, key=lambda each: each.version), 2):
            assert incompatibilities(newer.avro, older.avro) == []


def test_ids_are_given_once_and_every_file_has_one() -> None:
    """An id stands for one schema for ever."""
    entries = json.loads((avsc_folder() / "ids.json").read_text())

    assert len({entry["id"] for entry in entries}) == len(entries)
    named = {f"{entry['event']}.v{entry['version']}.avsc" for entry in entries}
    assert named == {path.name for path in avsc_folder().glob("*.avsc")}
    assert {entry["event"] for entry in entries} == set(EVENTS)


@pytest.mark.parametrize("name", EVENTS)
def test_schema_is_valid_avro_with_a_default_for_every_optional_field(name: str) -> None:
    """Any Avro library takes it."""
    schema = schema_of(EVENTS[name])

    fastavro.parse_schema(copy.deepcopy(schema))
    assert schema["name"] == name
    for field in schema["fields"]:
        if isinstance(field["type"], list) and "default" in field:
            assert field["default"] is None


def _field(schema: Schema, name: str) -> Schema:
    return next(field for field in schema["fields"] if field["name"] == name)


def _without(schema: Schema, name: str) -> None:
    schema["fields"] = [field for field in schema["fields"] if field["name"] != name]


def _retyped(name: str, avro_type: Any) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        _field(schema, name)["type"] = avro_type

    return change


def _added(**field: Any) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        schema["fields"].append(field)

    return change


def _renamed(schema: Schema) -> None:
    _field(schema, "tenant_id")["name"] = "tenant"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (_added(name="region", type="string"), "region: added without a default"),
        (_renamed, "tenant: added without a default"),
        (_retyped("started_at", "string"), "started_at: double became string"),
        (_retyped("retries", "int"), "retries: long became int"),
        (_retyped("trace_id", ["null", "long"]), "trace_id: string can no longer be read"),
        (_retyped("group", {"type": "array", "items": "long"}), "group: long became array"),
        (_retyped("event", {"type": "string", "logicalType": "opsloom-json"}), "event: string became"),
    ],
)
def test_change_that_locks_out_older_events_is_found(change: Callable[[Schema], None], told: str) -> None:
    """Each kind of incompatible change, in words."""
    old = schema_of(ToolSucceeded)
    new = copy.deepcopy(old)
    change(new)

    found = incompatibilities(new, old)

    assert len(found) == 1
    assert told in found[0]


@pytest.mark.parametrize(
    "change",
    [
        _added(name="region", type="string", default=""),
        _added(name="region", type=["null", "string"], default=None),
        _retyped("retries", "double"),
        _retyped("trace_id", ["null", "string"]),
        _retyped("trace_id", "bytes"),
        lambda schema: _without(schema, "policy_version"),
    ],
)
def test_change_that_older_events_survive_is_taken(change: Callable[[Schema], None]) -> None:
    """Avro's own resolution agrees: what the old schema wrote is read by the new one."""
    old = schema_of(ToolSucceeded)
    new = copy.deepcopy(old)
    change(new)

    assert incompatibilities(new, old) == []


def test_change_inside_a_nested_record_is_found() -> None:
    """However deep it lies."""
    old = schema_of(PlanMade)
    new = copy.deepcopy(old)
    nested = next(
        field["type"]["items"]
        for field in new["fields"]
        if isinstance(field["type"], dict) and isinstance(field["type"].get("items"), dict)
    )
    nested["fields"].append({"name": "added", "type": "string"})

    assert any("added: added without a default" in reason for reason in incompatibilities(new, old))


def test_export_writes_a_new_version_and_keeps_the_old_one(tmp_path: Path) -> None:
    """Ids go on where they were; a second export finds nothing to do."""
    _committed(tmp_path, lambda schema: _without(schema, "policy_version"))

    assert export(tmp_path) == ["ToolSucceeded.v2.avsc"]

    ids = FileIds.load(tmp_path)
    newest = ids.newest("ToolSucceeded")
    assert newest is not None
    assert (newest.version, newest.id) == (2, max(known.id for known in ids.all()))
    assert export(tmp_path) == []
    assert drift(ids) == []


def test_export_refuses_what_older_events_would_not_survive(tmp_path: Path) -> None:
    """Nothing is written; the reason names event and field."""
    _committed(tmp_path, _retyped("started_at", "string"))
    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(SchemaError, match="ToolSucceeded can't read events of version 1: started_at"):
        export(tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_export_compares_with_every_older_version(tmp_path: Path) -> None:
    """A field that came with a default and lost it: the version in between has it, the first one has not."""
    _committed(tmp_path, lambda schema: _without(schema, "policy_version"))
    export(tmp_path)
    ids = json.loads((tmp_path / "ids.json").read_text())
    first = json.loads((tmp_path / "ToolSucceeded.v1.avsc").read_text())
    _without(first, "started_at")  # required today, and unknown to the first version
    (tmp_path / "ToolSucceeded.v1.avsc").write_text(json.dumps(first))
    second = json.loads((tmp_path / "ToolSucceeded.v2.avsc").read_text())
    _field(second, "started_at")["default"] = 0.0
    (tmp_path / "ToolSucceeded.v2.avsc").write_text(json.dumps(second))

    with pytest.raises(SchemaError, match="version 1: started_at: added without a default"):
        export(tmp_path)

    assert json.loads((tmp_path / "ids.json").read_text()) == ids


def _committed(folder: Path, change: Callable[[Schema], None]) -> None:
    """All schemas as they are, with another ToolSucceeded as its version 1."""
    export(folder)
    path = folder / "ToolSucceeded.v1.avsc"
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(json.dumps(schema))
