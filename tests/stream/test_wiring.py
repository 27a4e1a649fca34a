"""Every part of the running path is in it: each is switched off in turn, and a question on the broker notices.

The table says what is asked (`CASES`, below the asking functions), what comes with the part and what comes without it.
A part that the path stops calling gives the second thing, and its row fails. The worker is `opsloom worker` itself;
its parts are taken where the path calls them, see tests/support/switchboard.py.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest

from agents.execution.toolbox import _MAKERS
from packs.plant.making import FOLDER, make_plant
from packs.plant.world.spec import PlantSpec
from schemas.ids import trace_id
from schemas.plans import PlanKind, PlanMade, Step
from streams.codecs import Codec
from streams.schema_ids import FileIds
from tests.support import ground
from tests.support.brokers import BrokerUnderTest
from tests.support.live_assets import publish, published_tool
from tests.support.llm_server import LlmServer
from tests.support.roadside import Roadside, now_s, step
from tests.support.switchboard import FILE, TELLING
from tests.support.web_service import Service
from tests.support.workers import Fleet, running_fleet

COMMAND = (sys.executable, "-m", "tests.support.switchboard", "worker", "--json")
CODEC = Codec(FileIds.load())
_numbers = itertools.count(1)


class Bench(NamedTuple):
    """What an asking function needs."""

    road: Roadside
    service: Service
    fleet: Fleet

    async def ask(self, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
        return await self.road.answer(await self.road.ask(plan=list(steps), **fields))

    async def code(self, tool_id: str, **params: Any) -> str:
        """How one call of a tool ends: `success`, or the code of its step or of its plan."""
        return code_of(await self.ask(step(f"s{next(_numbers)}", tool_id, **params)))

    @contextmanager
    def without(self, part: str) -> Iterator[None]:
        """Switch a part off for a while."""
        file = self.fleet.folder / FILE
        file.write_text(part)
        try:
            yield
        finally:
            file.unlink()


def code_of(answer: dict[str, Any]) -> str:
    if answer["results"]:
        return str(answer["results"][0]["error_code"] or "success")
    return str(answer["error"]["code"])


Ask = Callable[[Bench], Awaitable[object]]


class Case(NamedTuple):
    part: str
    ask: Ask
    with_it: object
    without_it: object


@pytest.fixture(scope="module")
def switched_fleet(
    broker: BrokerUnderTest,
    ground_service: Service,
    ground_model: LlmServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Fleet]:
    """One worker with switches, the packs of the ground, and a plant."""
    folder = tmp_path_factory.mktemp("switched")
    make_plant(folder / FOLDER, PlantSpec(datetime.now(UTC).date()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ground.TOKEN_ENV, ground.TOKEN)
        settings = ground.settings_in(folder, ground_service, ground_model)
        settings["packs"] += ",plant"
        with running_fleet(broker.address, f"wiring-{uuid.uuid4().hex[:8]}.", folder, **settings) as fleet:
            fleet.started(command=COMMAND)
            yield fleet
            assert fleet.workers[-1].exit_code is None, fleet.printed()


@pytest.fixture
async def bench(switched_fleet: Fleet, ground_service: Service) -> AsyncIterator[Bench]:
    also = ("ops.aggregation",)
    async with Roadside(switched_fleet.broker, switched_fleet.topic_prefix, also=also) as roadside:
        yield Bench(roadside, ground_service, switched_fleet)


def calls(tool_id: str, **params: Any) -> Ask:
    """One call of a tool in a plan of the asker's own."""
    return lambda bench: bench.code(tool_id, **params)


def says(tool_id: str, tell: Callable[[dict[str, Any]], object], **params: Any) -> Ask:
    """Something of the answer to one call."""

    async def ask(bench: Bench) -> object:
        return tell(await bench.ask(step(f"s{next(_numbers)}", tool_id, **params)))

    return ask


def past_the_planner(tool_id: str) -> Ask:
    """A call in a plan that somebody put into the join by hand."""

    async def ask(bench: Bench) -> str:
        now, question_id = now_s(), f"forged-{next(_numbers)}"
        one = Step(step_id="s", tool_id=tool_id, tool_type="probe", kind="timeseries")
        plan = PlanMade(trace_id=trace_id("acme", question_id), tenant_id="acme", question_id=question_id, user_id="u",
                        roles=("viewer",), question="?", mode="all", kind=PlanKind.PLAN, asked_at=now,
                        planned_at=now, deadline_at=now + 20, steps=(one,))  # fmt: skip
        await bench.road.send("ops.aggregation", CODEC.encode(plan), partition=bench.road.home(question_id))
        return code_of(await bench.road.answer(question_id))

    return ask


async def statement_always_true(bench: Bench) -> str:
    n = next(_numbers)  # verdicts are remembered: never the same statement twice
    return await bench.code("ground.sql", sql=f"SELECT title FROM tickets WHERE id = {n} OR '1' = '1'")


async def denied_table(bench: Bench) -> str:
    return await bench.code("ground.sql", sql=f"SELECT v FROM denied WHERE v <> '{next(_numbers)}'")


async def nodes_of_all(bench: Bench) -> int:
    cypher = (
        f"MATCH (s:Service) WHERE s.name <> '{next(_numbers)}' RETURN s.tenant_id AS tenant, s.name AS name"
    )
    answer = await bench.ask(step("s", "plant.graph", cypher=cypher))
    return len({row[0] for row in answer["main_result"]["rows"]})


async def mistyped_reference(bench: Bench) -> str:
    """The planner cannot know what arrives."""
    answer = await bench.ask(
        step("a", "ground.probe", value="text"),
        step("b", "ground.probe", sleep_s={"$from": "a", "path": "facts.value"}),
    )
    return str(answer["results"][1]["error_code"])


async def reference(bench: Bench) -> object:
    answer = await bench.ask(
        step("a", "ground.probe", value="carried"),
        step("b", "ground.probe", value={"$from": "a", "path": "facts.value"}),
    )
    return answer["main_result"]["facts"]["value"]


async def undeclared_reference(bench: Bench) -> str:
    answer = await bench.ask(
        step("a", "ground.probe", value=0),
        step("b", "ground.tickets", size={"$from": "a", "path": "facts.value"}),
    )
    return str(answer["results"][1]["error_code"] or "success")


async def last_of_three(bench: Bench, tool_id: str, **params: Any) -> str:
    return [await bench.code(tool_id, **params) for _ in range(3)][-1]


async def times_asked(bench: Bench, tool_id: str, times: int) -> int:
    """How often the service was reached when the same call was made so often."""
    before, size = len(bench.service.seen), 1 + next(_numbers)
    for _ in range(times):
        await bench.code(tool_id, size=size)
    return len(bench.service.seen) - before


async def side_by_side(bench: Bench) -> bool:
    """Did two calls of a tool that takes one at a time overlap? One that was refused did not."""
    answer = await bench.ask(*[step(f"n{next(_numbers)}", "gates.narrow", sleep_s=0.4) for _ in range(2)])

    def ran(name: str) -> list[tuple[float, float]]:
        found = bench.road.events("ops.aggregation", name)
        mine = [each for each in found if each["trace_id"] == answer["trace_id"]]
        return sorted((float(each["started_at"]), float(each["ended_at"])) for each in mine)

    await bench.road.until(lambda: len(ran("ToolSucceeded") + ran("ToolFailed")) == 2, str(answer["results"]))
    spans = ran("ToolSucceeded")
    return len(spans) == 2 and spans[1][0] < spans[0][1] - 0.05


async def hanging(bench: Bench) -> str:
    return await bench.code("ground.brief", sleep_s=0.8)


async def substitute(bench: Bench) -> str:
    answer = await bench.ask(
        step(f"s{next(_numbers)}", "ground.probe_or_copy", fail_code="UPSTREAM_UNAVAILABLE",
             only="ground.probe_or_copy")
    )  # fmt: skip
    return str(answer["status"])


def asks_for_capability(**params: Any) -> dict[str, Any]:
    return {"step_id": f"s{next(_numbers)}", "capability": "append_only", "params": params}


async def capability(bench: Bench) -> str:
    return str((await bench.ask(asks_for_capability(value=1)))["status"])


async def other_way(bench: Bench) -> int:
    answer = await bench.ask(asks_for_capability(fail_code="INTERNAL_ERROR", only="ground.left"))
    return int(answer["replans"])


async def asked_twice(bench: Bench) -> int:
    """How many answers a question gets that is sent twice."""
    question = await bench.road.ask(plan=[step("s", "ground.probe", value=1)])
    await bench.road.answer(question)
    await bench.road.ask(question, plan=[step("s", "ground.probe", value=1)])
    for _ in range(2):  # behind it in every partition: what it had to cause has happened
        behind = bench.road.ask_many(
            16, f"behind-{next(_numbers)}", plan=[step("s", "ground.probe", value=1)]
        )
        await bench.road.answers(await behind)
    return bench.road.count(question)


async def in_words(bench: Bench) -> str:
    answer = await bench.road.answer(
        await bench.road.ask(question=f"how many hosts do we have?{'?' * next(_numbers)}")
    )
    return str(answer["status"])


async def in_the_same_words(bench: Bench) -> str:
    answer = await bench.road.answer(await bench.road.ask(question="how many open tickets are there?"))
    return str(answer["status"])


async def event_of_another_tenant(bench: Bench) -> str:
    """What becomes of an event whose header names another tenant."""
    question_id = f"header-{next(_numbers)}"
    event = {"schema_version": 1, "question_id": question_id, "tenant_id": "acme", "question": "?",
             "user": {"id": "u", "roles": ["viewer"]}, "created_at": datetime.now(UTC).isoformat(),
             "plan": {"steps": [step("s", "ground.probe", value=1)]}}  # fmt: skip
    placed = await bench.road.send("ops.questions", json.dumps(event).encode(), tenant="globex", partition=0)
    ends = [
        asyncio.create_task(end) for end in (bench.road.dead_letter(placed), bench.road.answer(question_id))
    ]
    done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    ended = done.pop().result()
    return str(ended.get("code") or ended["status"])


async def password_in_a_bad_event(bench: Bench) -> bool:
    """Can it be read in the dead letter?"""
    placed = await bench.road.send("ops.questions", b'{"password": "hunter2", ')
    letter = await bench.road.dead_letter(placed)
    return b"hunter2" in base64.b64decode(letter["value_b64"])


async def plain_credential(bench: Bench) -> str:
    """A source that is published with a password in it, and a call of the tool over it."""
    name = f"ground.leaky{next(_numbers)}"
    opened = {"internal": True, "headers": {"Authorization": "Bearer 0123456789abcdef0123456789"}}
    source = {"engine": "http", "location": bench.service.url, "outbound": opened}
    await publish(bench.road, "source", name, source, pack_id="ground")
    tool = {
        "name": name,
        "tool_type": "http_tool",
        "kind": "http",
        "source": name,
        "http": {"path": "/tickets"},
    }
    await publish(bench.road, "tool", name, tool, pack_id="ground")
    marker = f"ground.marker{next(_numbers)}"
    await publish(bench.road, "tool", marker, {"name": marker, "tool_type": "probe", "kind": "timeseries"},
                  pack_id="ground")  # fmt: skip
    await published_tool(bench.road, marker)
    return await bench.code(name)


def rows_of(answer: dict[str, Any]) -> int:
    return int(answer["references"][0]["row_count"])


def is_cut(answer: dict[str, Any]) -> bool:
    return bool(answer["main_result"]["truncated"])


def is_claimed(answer: dict[str, Any]) -> bool:
    return answer["references"][0]["claim"] is not None


def tells(answer: dict[str, Any]) -> bool:
    return TELLING in json.dumps(answer)


ODD_OPERATOR = {"table": "tickets", "fields": ["title"],
                "filters": [{"field": "status", "op": "like", "value": 7}]}  # fmt: skip

CASES = [
    # the edge
    Case("tenant header", event_of_another_tenant, "TENANT_MISMATCH", "success"),
    Case("redaction", password_in_a_bad_event, False, True),
    Case("credentials in assets", plain_credential, "PLAN_INVALID", "success"),
    # planning
    Case("rules planner", in_words, "success", "failed"),
    Case("plan cache", in_the_same_words, "success", "failed"),
    Case("capability choice", capability, "success", "failed"),
    Case("tool health", capability, "success", "failed"),
    Case("plan check", calls("ground.of_globex"), "PLAN_INVALID", "TENANT_MISMATCH"),
    Case("parameters while planning", calls("ground.tickets", size="x"), "PLAN_INVALID", "INVALID_PARAMS"),
    # the guarded path, in its order
    Case("tenant", past_the_planner("ground.of_globex"), "TENANT_MISMATCH", "success"),
    Case("role", past_the_planner("ground.for_admins"), "PERMISSION_DENIED", "success"),
    Case("asset state", past_the_planner("ground.nobody"), "ASSET_LOAD_FAILED", "success"),
    Case("policy", denied_table, "SQL_BLOCKED", "success"),
    Case("parameters", mistyped_reference, "INVALID_PARAMS", "INTERNAL_ERROR"),
    Case("declared parameters", undeclared_reference, "INVALID_PARAMS", "success"),
    Case("SQL guard", statement_always_true, "SQL_BLOCKED", "success"),
    Case("Cypher guard", nodes_of_all, 1, 2),
    Case("operator guard", calls("ground.sql_table", **ODD_OPERATOR), "INVALID_PARAMS", "success"),
    Case("URL guard", calls("ground.inside"), "POLICY_DENY", "success"),
    Case("cache", lambda bench: times_asked(bench, "gates.remembered", 2), 1, 2),
    Case("rate limit", lambda bench: last_of_three(bench, "gates.limited", value=1), "RATE_LIMITED", "success"),
    Case("breaker", lambda bench: last_of_three(bench, "gates.frail", fail_code="UPSTREAM_UNAVAILABLE"),
         "CIRCUIT_OPEN", "UPSTREAM_UNAVAILABLE"),
    Case("bulkhead", side_by_side, False, True),
    Case("deadline", hanging, "TOOL_TIMEOUT", "success"),
    Case("retries", lambda bench: times_asked(bench, "gates.tried_again", 1), 2, 1),
    Case("rows bound", says("ground.probe", rows_of, rows=1_000), 100, 101),
    Case("bytes bound", says("ground.small", is_cut, rows=50, row_characters=900), True, False),
    Case("claim check", says("ground.probe", is_claimed, rows=90, row_characters=9_000), True, False),
    Case("cleaning of errors", says("ground.probe", tells, value="tell"), False, True),
    # the join
    Case("references", reference, "carried", "unresolved"),
    Case("fallback", substitute, "degraded", "failed"),
    Case("replan", other_way, 1, 0),
    Case("idempotency", asked_twice, 1, 2),
]  # fmt: skip

ADAPTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "direct_query": ("ground.sql", {"sql": "SELECT COUNT(*) AS n FROM tickets"}),
    "dynamic": ("ground.sql_table", {"table": "tickets", "fields": ["title"]}),
    "http_tool": ("ground.tickets", {"size": 2}),
    "prometheus": ("ground.prom", {"promql": "up"}),
    "mcp_tool": ("ground.mcp_add", {"a": 1, "b": 2}),
    "llm_tool": ("llm_tool", {"inputs": [{"note": "nothing happened"}]}),
    "graph_query": ("plant.graph", {"cypher": "MATCH (s:Service) RETURN s.name AS name"}),
    "document_search": ("plant.documents", {"query": "runbook"}),
    "baseline_metrics": ("plant.metrics", {"metric": "latency_p95_ms", "series": "checkout"}),
    "probe": ("ground.probe", {"value": 1}),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case.part).replace(" ", "-"))
async def test_question_notices_when_a_part_is_missing(case: Case, bench: Bench) -> None:
    """With the part one thing comes, without it the other."""
    with_it = await case.ask(bench)
    with bench.without(case.part):
        without_it = await case.ask(bench)

    assert (with_it, without_it) == (case.with_it, case.without_it)


@pytest.mark.parametrize("tool_type", ADAPTERS)
async def test_question_reaches_each_kind_of_tool(tool_type: str, bench: Bench) -> None:
    """It succeeds; without the adapter there is nobody to ask."""
    tool_id, params = ADAPTERS[tool_type]

    reached = await bench.code(tool_id, **params)
    with bench.without("adapter"):
        lost = await bench.code(tool_id, **params)

    assert (reached, lost) == ("success", "ASSET_LOAD_FAILED")


def test_every_kind_of_tool_has_its_row() -> None:
    """Who adds an adapter adds a row."""
    assert set(_MAKERS) == set(ADAPTERS)
