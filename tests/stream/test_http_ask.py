"""Questions over HTTP, through two web processes beside a worker."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields
from typing import Any

import aiohttp
import jsonschema
import pytest

from schemas.answers import AnswerComposed
from schemas.calls import Column, Shape, ToolOutput
from schemas.errors import PublicError
from streams.claims import FileClaims
from tests.support.roadside import step
from tests.support.web_processes import WebProcess, bearer, running_web
from tests.support.workers import Fleet, WorkerProcess

PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def webs(shared_fleet: Fleet) -> Iterator[list[WebProcess]]:
    """Two processes, as behind a balancer. The topics must be there: the worker makes them."""
    if not shared_fleet.workers:
        shared_fleet.started()
    at = shared_fleet.broker, shared_fleet.topic_prefix, shared_fleet.folder
    with running_web(*at, count=2, web_max_asks=300) as processes:
        yield processes


@pytest.fixture
async def http(webs: list[WebProcess], shared_worker: WorkerProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """A caller of tenant acme; both processes still run at the end."""
    async with aiohttp.ClientSession(
        headers=bearer(), timeout=aiohttp.ClientTimeout(total=PATIENCE_S)
    ) as session:
        yield session
    assert [process.exit_code for process in webs] == [None, None]


def body(*steps: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"question": "what does the probe say?", "plan": {"steps": list(steps)}, **more}


async def figure(http: aiohttp.ClientSession, web: WebProcess, name: str) -> float:
    """One figure of /metrics."""
    async with http.get(f"{web.url}/metrics") as response:
        lines = (await response.text()).splitlines()
    return float(next(line.split()[-1] for line in lines if line.startswith(f"{name} ")))


async def until_released(http: aiohttp.ClientSession, web: WebProcess) -> None:
    """Nobody is waited for and nothing is listened to any more."""
    async with asyncio.timeout(5):
        while await figure(http, web, "opsloom_http_open_asks") or await figure(  # noqa: ASYNC110
            http, web, "opsloom_http_waiters"
        ):
            await asyncio.sleep(0.05)


async def fits(http: aiohttp.ClientSession, web: WebProcess, name: str, document: Any) -> None:
    """What came is what the served OpenAPI document says."""
    async with http.get(f"{web.url}/openapi.json") as response:
        components = (await response.json())["components"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": components}
    jsonschema.Draft202012Validator(schema).validate(document)


async def sse(response: aiohttp.ClientResponse) -> list[tuple[str, dict[str, Any]]]:
    """Name and document of every event until the end."""
    found = []
    for part in (await response.text()).split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.splitlines() if not line.startswith(":"))
        if lines:
            found.append((lines["event"], json.loads(lines["data"])))
    return found


async def test_question_is_answered_and_fetched_again_from_the_other_process(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """Asked at one, got at both; the answer has every field."""
    first, second = webs

    async with http.post(f"{first.url}/ops/ask", json={"question": "how many things are there?"}) as asked:
        answer = await asked.json()
    async with http.get(f"{second.url}/ops/answers/{answer['trace_id']}") as fetched:
        again = await fetched.json()

    assert (asked.status, fetched.status) == (200, 200)
    assert set(answer) == {field.name for field in fields(AnswerComposed)}
    assert (answer["status"], answer["user_id"], answer["tenant_id"]) == ("success", "dana", "acme")
    assert answer["text"].startswith("There are 3 [1] things")
    assert again == answer
    assert asked.headers["X-Trace-Id"] == answer["trace_id"]
    await fits(http, first, "AnswerComposed", answer)


async def test_answer_of_another_tenant_is_not_there(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """The same words as for a trace that never was."""
    async with http.post(f"{webs[0].url}/ops/ask", json=body(step("a", value=1))) as asked:
        trace = (await asked.json())["trace_id"]

    responses = []
    for known in (trace, "0" * 32):
        async with http.get(f"{webs[0].url}/ops/answers/{known}", headers=bearer("globex")) as fetched:
            responses.append((fetched.status, await fetched.json()))

    assert responses[0] == responses[1]
    assert (responses[0][0], responses[0][1]["code"]) == (404, "DATA_NOT_FOUND")
    await fits(http, webs[0], "PublicError", responses[0][1])


async def test_kept_result_is_opened_for_its_own_tenant_alone(
    http: aiohttp.ClientSession, webs: list[WebProcess], shared_fleet: Fleet
) -> None:
    """By the reference that an answer carries."""
    output = ToolOutput(shape=Shape.TABLE, columns=(Column(name="n"),), rows=[[1], [2]])
    claim = FileClaims(shared_fleet.folder / "claims").put(output, "acme")
    place = f"{webs[0].url}/ops/claims/{claim.reference}"

    async with http.get(place) as opened:
        assert (opened.status, (await opened.json())["rows"]) == (200, [[1], [2]])
    for wrong, headers in ((place, bearer("globex")), (place[:-1], bearer()), (f"{place}/..%2f..", bearer())):
        async with http.get(wrong, headers=headers) as refused:
            assert (refused.status, (await refused.json())["code"]) == (404, "DATA_NOT_FOUND")


async def test_stream_tells_plan_calls_and_answer_in_order(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """A chain and a failure: every tool starts before it ends, and the answer is last."""
    steps = [
        step("a", sleep_s=0.2),
        step("b", "probe_elsewhere", after=["a"], value=2),
        step("c", fail_code="TOOL_BAD_REQUEST"),
        step("d", after=["c"], value=1),
    ]

    async with http.post(f"{webs[1].url}/ops/ask/stream", json=body(*steps)) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        told = await sse(response)

    names = [(name, document.get("step_id")) for name, document in told]
    assert names[0] == ("planned", None)
    assert names[-1] == ("answer", None)
    order = {each: place for place, each in enumerate(names)}
    assert len(order) == len(names), "each thing is told once"
    assert order["tool_started", "a"] < order["tool_ended", "a"] < order["tool_started", "b"]
    assert order["tool_started", "c"] < order["tool_ended", "c"]
    assert ("tool_started", "d") not in order
    ended = {document["step_id"]: document for name, document in told if name == "tool_ended"}
    assert {each: document["status"] for each, document in ended.items()} == {
        "a": "success", "b": "success", "c": "error", "d": "skipped",
    }  # fmt: skip
    assert ended["c"]["error"]["code"] == "TOOL_BAD_REQUEST"
    assert told[-1][1]["answer"]["status"] == "partial_success"
    words = {
        "planned": "Planned",
        "tool_started": "ToolStarted",
        "tool_ended": "ToolEnded",
        "answer": "Answered",
    }
    for name, document in told:
        await fits(http, webs[1], words[name], document)
    await until_released(http, webs[1])


async def test_tool_is_told_to_have_started_while_it_still_runs(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """Live, not afterwards."""
    began = time.monotonic()
    came: dict[str, float] = {}

    async with http.post(f"{webs[0].url}/ops/ask/stream", json=body(step("a", sleep_s=1.5))) as response:
        async for line in response.content:
            if line.startswith(b"event: "):
                came[line[7:].strip().decode()] = time.monotonic() - began

    assert list(came) == ["planned", "tool_started", "tool_ended", "answer"]
    assert came["tool_started"] < 1.4 < came["tool_ended"]


async def test_same_key_is_the_same_answer_at_either_process(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """Asked twice in a row and twice at once: one trace, one answer."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    asked = body(step("a", value=7))

    async def once(web: WebProcess) -> dict[str, Any]:
        async with http.post(f"{web.url}/ops/ask", json=asked, headers=key) as response:
            assert response.status == 200, await response.text()
            return dict(await response.json())

    answers = [await once(webs[0]), await once(webs[1])]
    answers += await asyncio.gather(once(webs[0]), once(webs[1]))

    assert all(answer == answers[0] for answer in answers)
    assert answers[0]["question_id"] == key["Idempotency-Key"]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_same_key_for_another_question_is_a_conflict(
    http: aiohttp.ClientSession, webs: list[WebProcess], elsewhere: bool
) -> None:
    """Also at the process that did not see the first one."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    async with http.post(f"{webs[0].url}/ops/ask", json=body(step("a", value=7)), headers=key) as first:
        assert first.status == 200

    other = body(step("a", value=7)) | {"question": "and what does it say now?"}
    async with http.post(f"{webs[elsewhere].url}/ops/ask", json=other, headers=key) as second:
        refused = await second.json()

    assert (second.status, refused["code"]) == (409, "INVALID_PARAMS")


async def test_no_answer_in_time_is_504_with_everything_released_and_can_be_fetched_later(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """While it is worked on both processes say 202; afterwards the answer is there."""
    async with http.post(f"{webs[0].url}/ops/ask", json=body(step("a", sleep_s=2), wait_s=0.4)) as asked:
        error, place = await asked.json(), asked.headers["Location"]
    assert (asked.status, error["code"]) == (504, "EXECUTE_TIMEOUT")
    assert asked.headers["X-Trace-Id"] in place
    await until_released(http, webs[0])

    states = []
    for web in webs:
        async with http.get(web.url + place) as fetched:
            states.append((fetched.status, (await fetched.json()).get("state")))
    assert states == [(202, "working")] * 2

    status, answer = 202, {}
    async with asyncio.timeout(PATIENCE_S):
        while status == 202:
            async with http.get(webs[1].url + place) as fetched:
                status, answer = fetched.status, await fetched.json()
    assert (status, answer["status"]) == (200, "success")


@pytest.mark.parametrize("path", ["/ops/ask", "/ops/ask/stream"])
async def test_caller_who_hangs_up_leaves_nothing_behind(
    http: aiohttp.ClientSession, webs: list[WebProcess], path: str
) -> None:
    """The wait ends at once, not at its deadline."""
    asking = asyncio.ensure_future(http.post(webs[0].url + path, json=body(step("a", sleep_s=5))))
    async with asyncio.timeout(5):
        while not await figure(http, webs[0], "opsloom_http_open_asks"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    if asking.done():
        (await asking).close()
    asking.cancel()
    await until_released(http, webs[0])


async def test_more_than_may_wait_are_told_to_come_back(
    http: aiohttp.ClientSession, webs: list[WebProcess]
) -> None:
    """503 with Retry-After for what is over the limit of 300; all others are answered."""

    async def ask() -> tuple[int, str | None]:
        async with http.post(f"{webs[0].url}/ops/ask", json=body(step("a", sleep_s=1.5))) as response:
            await response.read()
            return response.status, response.headers.get("Retry-After")

    async with aiohttp.ClientSession(
        headers=bearer(), connector=aiohttp.TCPConnector(limit=0)
    ) as http:  # one caller's pool would hold the rest back
        found = await asyncio.gather(*(ask() for _ in range(340)))

    assert {status for status, _ in found} == {200, 503}
    assert sum(status == 200 for status, _ in found) >= 300
    assert {after for status, after in found if status == 503} == {"1"}
    async with aiohttp.ClientSession() as again:
        await until_released(again, webs[0])


BAD = [
    (b"{", {}, 400, "NOT_JSON"),
    (b"\xff", {}, 400, "NOT_UTF8"),
    (b"[]", {}, 422, "NOT_AN_OBJECT"),
    (b"{}", {}, 422, "INVALID_EVENT"),
    (b'{"question": " "}', {}, 422, "INVALID_EVENT"),
    (b'{"question": "a", "question": "b"}', {}, 422, "DUPLICATE_KEY"),
    (b'{"question": "a", "options": {"turbo": true}}', {}, 422, "UNKNOWN_OPTION"),
    (b'{"question": "a", "user": {"id": "root", "roles": ["admin"]}}', {}, 422, "INVALID_EVENT"),
    (b'{"question": "a", "wait_s": 61}', {}, 422, "INVALID_EVENT"),
    (b'{"question": "' + b"a" * 8_001 + b'"}', {}, 422, "QUESTION_TOO_LONG"),
    (b'{"question": "a", "context": ' + b'{"a":' * 40 + b"1" + b"}" * 41, {}, 422, "NESTED_TOO_DEEP"),
    (b'{"question": "a", "context": {"a": "' + b"x" * 70_000 + b'"}}', {}, 413, "EVENT_TOO_LARGE"),
    (b'{"question": "a"}', {"Content-Type": "text/plain"}, 415, "INVALID_PARAMS"),
    (b'{"question": "a", "tenant_id": "globex"}', {}, 403, "TENANT_MISMATCH"),
    (b'{"question": "a"}', {"Authorization": "Bearer nonsense"}, 401, "AUTH_FAILED"),
    (b'{"question": "a"}', {"Authorization": ""}, 401, "AUTH_FAILED"),
    (b'{"question": "a"}', {"Idempotency-Key": "x" * 129}, 422, "INVALID_PARAMS"),
    (b'{"question": "a"}', {"X-Much": "x" * 9_000}, 431, "EVENT_TOO_LARGE"),
]


@pytest.mark.parametrize(
    ("raw", "headers", "status", "code"), BAD, ids=[f"{b[3]}-{n}" for n, b in enumerate(BAD)]
)
async def test_bad_requests_get_a_code_and_a_sentence(
    http: aiohttp.ClientSession,
    webs: list[WebProcess],
    raw: bytes,
    headers: dict[str, str],
    status: int,
    code: str,
) -> None:
    """Nothing is published, nothing internal is told, and the shape is always the same."""
    given = {"Content-Type": "application/json", **headers}
    for path in ("/ops/ask", "/ops/ask/stream"):
        async with http.post(webs[0].url + path, data=raw, headers=given) as response:
            error = await response.json()
        assert (response.status, error["code"]) == (status, code)
        assert set(error) == {field.name for field in fields(PublicError)}
        assert error["message"].endswith(".")
