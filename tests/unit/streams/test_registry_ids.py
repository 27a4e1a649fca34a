"""Schema ids from a registry that speaks Confluent's interface, here a small server that keeps schemas in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from schemas.avro import schema_of
from schemas.compatibility import incompatibilities
from schemas.events import EVENTS
from schemas.telemetry import MetricPoint
from streams.codecs import Codec
from streams.schema_ids import RegistryIds, SchemaError


class Registry:
    """Subjects and versions as Confluent's registry keeps them; ids are global and start high."""

    def __init__(self) -> None:
        self.subjects: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.down = False

    def add(self, subject: str, schema: dict[str, Any]) -> int:
        versions = self.subjects.setdefault(subject, [])
        known = next((schema_id for schema_id, existing in versions if existing == schema), None)
        if known is not None:
            return known
        schema_id = 1_000 + sum(len(each) for each in self.subjects.values())
        versions.append((schema_id, schema))
        return schema_id

    async def register(self, request: web.Request) -> web.Response:
        if self.down:
            return web.json_response({"error_code": 50001}, status=503)
        subject, schema = request.match_info["subject"], json.loads((await request.json())["schema"])
        for _, old in self.subjects.get(subject, []):
            if incompatibilities(schema, old):
                return web.json_response({"error_code": 409, "message": "incompatible"}, status=409)
        return web.json_response({"id": self.add(subject, schema)})

    async def versions(self, request: web.Request) -> web.Response:
        return web.json_response([n + 1 for n in range(len(self.subjects[request.match_info["subject"]]))])

    async def version(self, request: web.Request) -> web.Response:
        subject, number = request.match_info["subject"], int(request.match_info["version"])
        schema_id, schema = self.subjects[subject][number - 1]
        found = {"subject": subject, "version": number, "id": schema_id, "schema": json.dumps(schema)}
        return web.json_response(found)


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def url(registry: Registry) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post("/subjects/{subject}/versions", registry.register)
    app.router.add_get("/subjects/{subject}/versions", registry.versions)
    app.router.add_get("/subjects/{subject}/versions/{version}", registry.version)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("/"))


async def test_every_event_is_registered_and_registering_again_changes_nothing(
    registry: Registry, url: str
) -> None:
    """Subjects are record names, since a topic carries several events."""
    first = await RegistryIds.register(url)

    again = await RegistryIds.register(url)

    assert set(registry.subjects) == {f"opsloom.{name}" for name in EVENTS}
    assert all(len(versions) == 1 for versions in registry.subjects.values())
    assert [first.id_of(name) for name in EVENTS] == [again.id_of(name) for name in EVENTS]


async def test_event_written_with_an_id_of_the_registry_is_read_back(url: str) -> None:
    """The frame carries the registry's id, not the built-in one."""
    ids = await RegistryIds.register(url)
    codec, point = Codec(ids, "avro"), MetricPoint(name="n", value=1.5, at=2.0, tags={"a": "b"})

    raw = codec.encode(point)

    assert int.from_bytes(raw[1:5], "big") == ids.id_of("MetricPoint") >= 1_000
    assert codec.decode(raw, {"MetricPoint": MetricPoint}) == point


async def test_event_of_an_older_version_is_read_with_the_defaults_of_the_new_one(
    registry: Registry, url: str
) -> None:
    """What lies on the topic from before an upgrade stays readable."""
    older = schema_of(MetricPoint)
    older["fields"] = [field for field in older["fields"] if field["name"] != "tags"]
    old_id = registry.add("opsloom.MetricPoint", older)
    codec = Codec(await RegistryIds.register(url), "avro")

    raw = codec.encode(MetricPoint(name="n", value=1.5, at=2.0))
    without_tags = b"\x00" + old_id.to_bytes(4, "big") + raw[5:-1]  # the empty map at the end is one byte

    assert codec.decode(without_tags, {"MetricPoint": MetricPoint}) == MetricPoint(
        name="n", value=1.5, at=2.0
    )


async def test_incompatible_registry_is_told_by_name(registry: Registry, url: str) -> None:
    """The worker must not start and write what nobody can read."""
    other = schema_of(MetricPoint)
    next(field for field in other["fields"] if field["name"] == "value")["type"] = "string"
    registry.add("opsloom.MetricPoint", other)

    with pytest.raises(SchemaError, match="MetricPoint is incompatible"):
        await RegistryIds.register(url)


async def test_registry_that_refuses_is_told_with_its_status(registry: Registry, url: str) -> None:
    """A sentence for the operator."""
    registry.down = True

    with pytest.raises(SchemaError, match="status 503"):
        await RegistryIds.register(url)


async def test_registry_that_is_not_there_is_told_in_a_sentence(unused_tcp_port: int) -> None:
    """No traceback for a wrong address."""
    with pytest.raises(SchemaError, match="Is it running"):
        await RegistryIds.register(f"http://127.0.0.1:{unused_tcp_port}")
