"""Two tenants ask a thousand things at once; nothing of one is ever in anything of the other.

The plant plants a canary for each tenant in its documents, tickets and change log. Looked through are answers, every
event of every topic, dead letters, kept results, what the language model was sent, HTTP, metrics and logs.
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import random
import re
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from packs.plant.making import FOLDER, make_plant
from packs.plant.world.spec import PlantSpec
from packs.plant.world.vocabulary import CANARIES, TENANTS
from streams.claims import tenant_key
from streams.topics import KINDS
from tests.support import ground
from tests.support.brokers import BrokerUnderTest
from tests.support.llm_server import LlmServer, Say
from tests.support.roadside import Roadside, decoded, step
from tests.support.web_processes import WebProcess, bearer, running_web
from tests.support.web_service import Service
from tests.support.workers import Fleet, running_fleet

QUESTIONS = Path(__file__).resolve().parents[2] / "packs" / "plant" / "questions"
AT_ONCE = 24
OTHER: dict[str, str] = dict(zip(TENANTS, reversed(TENANTS), strict=True))
MARKS: dict[str, str] = dict(CANARIES.items())
ALSO = ("ops.aggregation", "ops.replans", *[f"ops.tool-calls.{kind}" for kind in KINDS])
WORDS = [
    json.loads(line)["question"]
    for name in ("built_with.jsonl", "measured_only.jsonl")
    for line in (QUESTIONS / name).read_text(encoding="utf-8").splitlines()
]
MARKED = (
    "what do the documents say about the document mark?",
    "show me the runbook for checkout",
    "postmortem of search",
    "show the notes of the change log",
    "list all tickets with their bodies",
)


@pytest.fixture(scope="module")
def model() -> Iterator[LlmServer]:
    with LlmServer() as running:
        running.otherwise = Say({"text": "Here it is."})
        yield running


@pytest.fixture(scope="module")
def two_tenants(
    broker: BrokerUnderTest,
    ground_service: Service,
    model: LlmServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Fleet, WebProcess]]:
    """A plant with both tenants, one worker with a language model, one web process."""
    folder = tmp_path_factory.mktemp("canaries")
    make_plant(folder / FOLDER, PlantSpec(datetime.now(UTC).date()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ground.TOKEN_ENV, ground.TOKEN)
        settings = ground.settings_in(folder, ground_service, model)
        settings |= {"packs": f"plant,{settings['packs']}", "claim_over_kb": 16}
        prefix = f"canaries-{uuid.uuid4().hex[:8]}."
        with running_fleet(broker.address, prefix, folder, **settings) as fleet:
            fleet.started()
            with running_web(fleet.broker, prefix, folder) as webs:
                yield fleet, webs[0]
            assert fleet.workers[-1].exit_code is None, fleet.printed()


async def test_no_canary_crosses_in_some_hundred_questions(
    two_tenants: tuple[Fleet, WebProcess], model: LlmServer
) -> None:
    """Mixed, side by side, the same words of both: each finds its own canaries, nobody the other's."""
    await _no_canary_crosses(*two_tenants, model, 300)


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.timeout(1_800)
async def test_no_canary_crosses_in_ten_thousand_questions(
    two_tenants: tuple[Fleet, WebProcess], model: LlmServer
) -> None:
    """The same for longer."""
    await _no_canary_crosses(*two_tenants, model, 10_000)


async def _no_canary_crosses(fleet: Fleet, web: WebProcess, model: LlmServer, count: int) -> None:
    rows_kept = set(fleet.folder.glob("claims/*/*"))
    async with (
        Roadside(fleet.broker, fleet.topic_prefix, also=ALSO) as road,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as http,
    ):
        limit = asyncio.Semaphore(AT_ONCE)

        async def ask(tenant: str, asking: dict[str, Any]) -> dict[str, Any]:
            async with limit:
                return await road.answer(await road.ask(tenant=tenant, **asking), tenant, 120)

        asked = [(tenant, asking) for asking in _askings(count // 2) for tenant in TENANTS]
        answers = await asyncio.gather(*(ask(*each) for each in asked))
        letters = [await _bad_event(road, tenant) for tenant in TENANTS]
        bodies = [await _over_http(http, web, tenant, answers) for tenant in TENANTS for _ in range(3)]
        async with http.get(f"{web.url}/metrics") as response:
            metrics = await response.text()

        seen: dict[str, int] = dict.fromkeys(TENANTS, 0)
        for answer in (*answers, *bodies):
            _holds_only_its_own(answer["tenant_id"], json.dumps(answer, ensure_ascii=False))
            seen[answer["tenant_id"]] += MARKS[answer["tenant_id"]] in json.dumps(answer)
        assert min(seen.values()) > count // 20, f"the canaries do not sing: {seen}"
        events = [(topic, record) for topic, records in road.records.items() for record in records]
        _check_events(events)
    _check_letters(letters)
    _check_model(model)
    for path in set(fleet.folder.glob("claims/*/*")) - rows_kept:
        tenant = next(each for each in TENANTS if tenant_key(each) == path.parent.name)
        _holds_only_its_own(tenant, await asyncio.to_thread(path.read_text))
    for canary in MARKS.values():
        assert canary not in metrics
        assert canary not in fleet.logged()
        assert canary not in web.printed()


def _askings(count: int) -> Iterator[dict[str, Any]]:
    """Questions of every kind: in words, with statements of one's own, through the model, over every tool; and some
    that fail."""
    chosen = random.Random(7)
    plans = itertools.cycle(_plans())
    for number in range(count):
        kind = number % 6
        if kind < 2:
            yield {"question": chosen.choice(WORDS)}
        elif kind == 2:
            yield {"question": chosen.choice(MARKED)}
        elif kind == 3 and number % 18 == 3:
            yield {"question": chosen.choice(MARKED), "options": {"planner": "llm"}}
        else:
            yield {"plan": next(plans), "options": {"no_cache": number % 4 == 0}}


def _plans() -> list[list[dict[str, Any]]]:
    tickets = "SELECT id, title, body FROM tickets WHERE body LIKE '%canary%' ORDER BY id LIMIT 5"
    found = step("found", "plant.sql", sql=tickets)
    return [
        [found],
        [step("large", "plant.sql", sql="SELECT id, title, body FROM tickets ORDER BY body LIKE '%canary%' DESC")],
        [step("log", "plant.sql", sql="SELECT note FROM change_log WHERE note LIKE '%canary%'")],
        [step("all", "plant.table", table="tickets", fields=["body"], limit=200,
              filters=[{"field": "tenant_id", "op": "in", "value": list(TENANTS)}])],
        [step("papers", "plant.documents", query="document mark", min_relevance=0.0, top_k=20)],
        [step("graph", "plant.graph", cypher="MATCH (s:Service) RETURN s.tenant_id AS tenant, s.name AS name")],
        [found, step("told", "llm_tool", inputs={"$from": "found", "path": "rows"})],
        [found, step("carried", "ground.probe", value={"$from": "found", "path": "rows[0].body"})],
        [found, step("lost", "ground.tickets", size={"$from": "found", "path": "rows[0].body"})],
        [step("series", "plant.metrics", metric="latency_p95_ms", series="checkout")],
        [step("bad", "plant.sql", sql="SELECT body FROM tickets WHERE 1 = 1 OR tenant_id <> ''"), found],
    ]  # fmt: skip


async def _over_http(
    http: aiohttp.ClientSession, web: WebProcess, tenant: str, answers: list[dict[str, Any]]
) -> dict[str, Any]:
    """An answer over HTTP; another tenant's is not there."""
    theirs = next(each["trace_id"] for each in answers if each["tenant_id"] == OTHER[tenant])
    async with http.get(f"{web.url}/ops/answers/{theirs}", headers=bearer(tenant)) as response:
        assert response.status == 404
        assert not [canary for canary in MARKS.values() if canary in await response.text()]
    body = {"question": MARKED[0]}
    async with http.post(f"{web.url}/ops/ask", json=body, headers=bearer(tenant)) as response:
        answer: dict[str, Any] = await response.json()
    return answer


async def _bad_event(road: Roadside, tenant: str) -> dict[str, Any]:
    """The dead letter about an event in which a tenant wrote its own canary."""
    event = json.dumps({"tenant_id": tenant, "question": MARKS[tenant], "plan": "no plan"}).encode()
    return await road.dead_letter(await road.send("ops.questions", event, tenant=tenant))


def _holds_only_its_own(tenant: str, text: str) -> None:
    found = re.search(re.escape(MARKS[OTHER[tenant]]), text)
    assert found is None, f"{tenant} got {text[max(0, found.start() - 300) : found.end() + 100]}"


def _check_events(events: list[tuple[str, Any]]) -> None:
    """Each event holds canaries of its own tenant alone; an event of nobody holds none."""
    tenants: set[str] = set()
    for topic, record in events:
        if record.value is None or topic == "ops.dead-letters":
            continue
        event = decoded(record.value)
        text = json.dumps(event, ensure_ascii=False, default=str)
        tenant = event.get("tenant_id") or (event.get("tags") or {}).get("tenant_id")
        if tenant in OTHER and topic != "ops.telemetry":
            tenants.add(tenant)
            _holds_only_its_own(tenant, text)
        else:
            assert not [canary for canary in MARKS.values() if canary in text], (topic, text[:500])
    assert tenants == set(TENANTS)


def _check_letters(letters: list[dict[str, Any]]) -> None:
    """What was sent is kept for whoever looks after it; what is said of it repeats none of it."""
    for tenant, letter in zip(TENANTS, letters, strict=True):
        assert MARKS[tenant] not in letter["reason"]
        _holds_only_its_own(tenant, base64.b64decode(letter["value_b64"]).decode())


def _check_model(model: LlmServer) -> None:
    """No request to the model holds canaries of both, and some hold one: it did see results."""
    held = [[tenant for tenant in TENANTS if MARKS[tenant] in json.dumps(body)] for body in model.requests]
    assert not [tenants for tenants in held if len(tenants) > 1]
    assert {tenant for tenants in held for tenant in tenants} == set(TENANTS)
