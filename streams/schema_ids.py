"""Which Avro schema has which id: the built-in file, or a Confluent-compatible registry."""

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

import aiohttp
from pydantic import BaseModel, ConfigDict

from schemas.avro import NAMESPACE, schema_of
from schemas.compatibility import incompatibilities
from schemas.events import EVENTS

REQUEST_TIMEOUT_S = 10.0


class SchemaError(Exception):
    """A schema that can't be used; the text says which, why and what to do."""


class KnownSchema(BaseModel):
    """One schema under its id."""

    model_config = ConfigDict(frozen=True)

    id: int
    event: str
    version: int
    avro: dict[str, Any]


class SchemaIds(Protocol):
    """Ids to write with and schemas to read with."""

    def id_of(self, event: str) -> int: ...

    def known(self, schema_id: int) -> KnownSchema | None: ...


class FileIds:
    """The built-in ids: `schemas/avsc/ids.json` and one file a schema version. For one-machine use."""

    def __init__(self, schemas: Mapping[int, KnownSchema]) -> None:
        self._by_id = dict(schemas)
        self._newest = {known.event: known for known in sorted(schemas.values(), key=lambda s: s.version)}

    @classmethod
    def load(cls, folder: Path | None = None) -> "FileIds":
        """Read the committed schemas."""
        folder = folder or avsc_folder()
        index = folder / "ids.json"
        if not index.exists():
            return cls({})
        found = {}
        for entry in json.loads(index.read_text()):
            text = (folder / f"{entry['event']}.v{entry['version']}.avsc").read_text()
            found[entry["id"]] = KnownSchema(**entry, avro=json.loads(text))
        return cls(found)

    def id_of(self, event: str) -> int:
        return self._newest[event].id

    def known(self, schema_id: int) -> KnownSchema | None:
        return self._by_id.get(schema_id)

    def newest(self, event: str) -> KnownSchema | None:
        """The newest committed schema of an event."""
        return self._newest.get(event)

    def all(self) -> tuple[KnownSchema, ...]:
        return tuple(self._by_id[schema_id] for schema_id in sorted(self._by_id))


class RegistryIds(FileIds):
    """A Confluent-compatible registry: subjects are record names, since a topic carries several events."""

    @classmethod
    async def register(cls, url: str) -> "RegistryIds":
        """Register every event's schema (idempotent) and learn the ids of all versions of them."""
        found: dict[int, KnownSchema] = {}
        timeout = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT_S)
        try:
            async with aiohttp.ClientSession(timeout=timeout) as session:
                for name, word in EVENTS.items():
                    found.update(await _register(session, url.rstrip("/"), name, schema_of(word)))
        except aiohttp.ClientError as exc:
            raise SchemaError(
                f"The schema registry could not be asked ({type(exc).__name__}). Is it running?"
            ) from exc
        return cls(found)


async def _register(
    session: aiohttp.ClientSession, url: str, name: str, schema: dict[str, Any]
) -> dict[int, KnownSchema]:
    subject = f"{url}/subjects/{NAMESPACE}.{name}/versions"
    async with session.post(subject, json={"schema": json.dumps(schema)}) as response:
        if response.status == 409:
            raise SchemaError(
                f"The registry says that the schema of {name} is incompatible with its older versions."
            )
        if response.status >= 400:
            raise SchemaError(f"The registry refused the schema of {name} with status {response.status}.")
    found = {}
    async with session.get(subject) as response:
        versions = await response.json()
    for version in versions:
        async with session.get(f"{subject}/{version}") as response:
            entry = await response.json()
        known = KnownSchema(id=entry["id"], event=name, version=version, avro=json.loads(entry["schema"]))
        found[known.id] = known
    return found


def avsc_folder() -> Path:
    """Where the committed schemas lie."""
    return Path(str(resources.files("schemas").joinpath("avsc")))


def drift(ids: FileIds) -> list[str]:
    """Every event whose derived schema is not the committed one, in words."""
    found = []
    for name, word in EVENTS.items():
        newest = ids.newest(name)
        if newest is None:
            found.append(f"{name}: no committed schema")
        elif newest.avro != schema_of(word):
            found.append(f"{name}: the model differs from the committed version {newest.version}")
    return found


def export(folder: Path) -> list[str]:
    """Commit a new version of every schema that drifted. Returns the files written.

    Raises SchemaError when a new version could not read what an older one wrote.
    """
    ids = FileIds.load(folder)
    entries = [known.model_dump(exclude={"avro"}) for known in ids.all()]
    written = []
    for name, word in EVENTS.items():
        schema, newest = schema_of(word), ids.newest(name)
        if newest is not None and newest.avro == schema:
            continue
        for older in ids.all():  # every version that was ever written may still lie on a topic
            if older.event == name and (reasons := incompatibilities(schema, older.avro)):
                raise SchemaError(
                    f"{name} can't read events of version {older.version}: " + "; ".join(reasons)
                )
        version = newest.version + 1 if newest else 1
        entries.append({"id": len(entries) + 1, "event": name, "version": version})
        path = folder / f"{name}.v{version}.avsc"
        path.write_text(json.dumps(schema, indent=2) + "\n")
        written.append(path.name)
    if written:
        (folder / "ids.json").write_text(json.dumps(entries, indent=2) + "\n")
    return written
