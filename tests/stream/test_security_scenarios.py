"""The ten security scenarios, each through the broker: a question in, the one honest answer out.

They run on the pack of `tests/support/ground.py`. More of each kind: refusals in test_refusals.py, SQL on every engine
in test_sql_engines.py, tools that call out in test_outbound_tools.py, tenants in test_canaries.py, what errors tell in
test_errors_leak_nothing.py.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.support import ground
from tests.support.live_assets import planned_beside_the_planner
from tests.support.roadside import Roadside, step
from tests.support.web_service import Service
from tests.support.workers import Fleet

EASY = step("easy", "ground.probe", value="easy")
"""Goes on whatever happens beside it."""


async def asked(road: Roadside, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await road.answer(await road.ask(plan=list(steps), **fields))


def codes(answer: dict[str, Any]) -> dict[str, str | None]:
    return {result["step_id"]: result["error_code"] for result in answer["results"]}


async def test_1_tool_timeout(proving: Roadside) -> None:
    """A service that hangs costs its own time limit and its own step."""
    answer = await asked(proving, step("slow", "ground.slow"), EASY)

    assert codes(answer) == {"slow": "TOOL_TIMEOUT", "easy": None}
    assert answer["status"] == "partial_success"
    slow = answer["results"][0]
    assert slow["status"] == "timeout"
    assert 900 <= slow["duration_ms"] < 10_000


async def test_2_upstream_5xx(proving: Roadside) -> None:
    """A service that breaks is unavailable; what it wrote about its inside stays inside."""
    answer = await asked(proving, step("broken", "ground.broken"), EASY)

    assert codes(answer) == {"broken": "UPSTREAM_UNAVAILABLE", "easy": None}
    assert not [word for word in ("hunter2", "db.internal", "5432") if word in json.dumps(answer)]


async def test_3_tenant_mismatch(proving: Roadside) -> None:
    """In the header, in the plan, behind the planner's back, and in the rows."""
    placed = await proving.send("ops.questions", _question("globex"), tenant="acme")
    letter = await proving.dead_letter(placed)
    planned = await asked(proving, step("theirs", "ground.of_globex"))
    forged = await planned_beside_the_planner(proving, "ground.of_globex")
    rows = await asked(proving, step("rows", "ground.sql", sql="SELECT title FROM tickets"))

    assert letter["code"] == "TENANT_MISMATCH"
    assert planned["error"]["code"] == "PLAN_INVALID"
    assert codes(forged) == {"s": "TENANT_MISMATCH"}
    assert rows["main_result"]["rows"] == [[ground.OWN]] * 5
    assert ground.FOREIGN not in json.dumps([planned, forged, rows])


def _question(tenant_id: str) -> bytes:
    event = {
        "schema_version": 1,
        "question_id": "of-another",
        "tenant_id": tenant_id,
        "user": {"id": "u", "roles": ["viewer"]},
        "question": "?",
        "created_at": "2026-01-01T00:00:00Z",
    }
    return json.dumps(event).encode()


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE tickets",
        "create table t (a int)",
        "ALTER TABLE tickets ADD COLUMN x INT",
        "TRUNCATE TABLE tickets",
        "/* harmless */ dRoP /* really */ TABLE tickets -- SELECT 1",
        "SELECT 1; DROP TABLE tickets",
        "DELETE FROM tickets",
        "UPDATE tickets SET title = 'x'",
        "GRANT ALL ON tickets TO public",
    ],
)
async def test_4_ddl_blocked(proving: Roadside, sql: str) -> None:
    """And DML and DCL; in any case, behind any comment. The table is still there afterwards."""
    answer = await asked(proving, step("attack", "ground.sql", sql=sql), EASY)
    after = await asked(
        proving, step("s", "ground.sql", sql=f"SELECT COUNT(*) AS n FROM tickets -- {sql[:9]}")
    )

    assert codes(answer) == {"attack": "SQL_BLOCKED", "easy": None}
    assert sql not in json.dumps(answer)
    assert after["main_result"]["rows"] == [[5]]


@pytest.mark.parametrize(
    ("filter_", "code"),
    [
        ({"field": "status", "op": "regexp", "value": "."}, "SQL_BLOCKED"),
        ({"field": "status", "op": "= '' OR 1=1 --", "value": ""}, "SQL_BLOCKED"),
        ({"field": "status", "op": "eq", "value": {"$ne": None}}, "INVALID_PARAMS"),
        ({"field": "1=1) OR (status", "op": "eq", "value": "open"}, "INVALID_PARAMS"),
        ({"field": "tenant_id", "op": "in", "value": ["acme", "globex"]}, None),
        ({"field": "status", "op": "eq", "value": "open' OR '1'='1"}, None),
    ],
)
async def test_5_operator_injection(proving: Roadside, filter_: dict[str, Any], code: str | None) -> None:
    """What is no operator is refused; values are bound, so what is a value finds itself only."""
    answer = await asked(
        proving, step("filter", "ground.sql_table", table="tickets", fields=["title"], filters=[filter_])
    )

    if code is None:
        assert answer["status"] == "success", answer
        assert {tuple(row) for row in answer["main_result"]["rows"]} <= {(ground.OWN,)}
    else:
        assert code in {*codes(answer).values(), _plan_code(answer, code)}
        assert answer["status"] == "failed"
    assert ground.FOREIGN not in json.dumps(answer)


def _plan_code(answer: dict[str, Any], code: str) -> str | None:
    """A plan whose parameters cannot fit is refused before anything runs."""
    refused = answer["error"] and answer["error"]["code"] == "PLAN_INVALID"
    return code if refused and code == "INVALID_PARAMS" else None


async def test_6_mcp_ssrf(proving: Roadside, ground_service: Service) -> None:
    """An MCP server inside, one at the metadata address, a redirect there: nobody is dialled who may not be."""
    before = len(ground_service.seen)
    refused = ("mcp_inside", "mcp_metadata", "inside", "metadata", "astray")

    answer = await asked(proving, *[step(name, f"ground.{name}") for name in refused])

    assert codes(answer) == dict.fromkeys(refused, "POLICY_DENY")
    assert [seen["path"].partition("?")[0] for seen in ground_service.seen[before:]] == ["/to"]
    assert not [place for place in (ground.METADATA, "127.0.0.1") if place in json.dumps(answer)]


async def test_7_credential_exposure(proving: Roadside, ground_fleet: Fleet, ground_service: Service) -> None:
    """The credential reaches the service and nobody else: no answer, no event, no log, no dead letter."""
    answer = await asked(proving, step("good", "ground.tickets"), step("bad", "ground.refused"))
    placed = await proving.send(
        "ops.questions", f'{{"note": "Authorization: Bearer {ground.TOKEN}", "password": "hunter2"'.encode()
    )
    letter = await proving.dead_letter(placed)

    assert codes(answer) == {"good": None, "bad": "AUTH_FAILED"}
    assert ground_service.seen[-1]["headers"]["Authorization"] == f"Bearer {ground.TOKEN}"
    kept = base64.b64decode(letter["value_b64"]).decode()
    events = [str(record.value) for records in proving.records.values() for record in records]
    for secret in (ground.TOKEN, "hunter2"):
        assert not [
            text for text in (json.dumps(answer), kept, ground_fleet.logged(), *events) if secret in text
        ]
    assert kept.count("***MASKED***") == 2


async def test_8_unauthorised_tool_access(proving: Roadside) -> None:
    """A tool for another role does not exist for the asker: not in a plan, not as a fallback, not past the planner."""
    planned = await asked(proving, step("s", "ground.for_admins"), EASY)
    as_fallback = await asked(proving, {**EASY, "fallback": "ground.for_admins"})
    forged = await planned_beside_the_planner(proving, "ground.for_admins")
    admin = await asked(proving, step("s", "ground.for_admins"), user={"id": "root", "roles": ["admin"]})

    assert [each["error"]["code"] for each in (planned, as_fallback)] == ["PLAN_INVALID"] * 2
    assert "ground.for_admins" not in planned["text"]
    assert codes(forged) == {"s": "PERMISSION_DENIED"}
    assert admin["status"] == "success"


@pytest.mark.parametrize(
    "broken",
    [
        {"user": "nobody"},
        {"schema_version": 99},
        {"question": 7},
        {"options": {"max_rows": -1}},
        {"options": {"no_such_option": True}},
        {"plan": {"steps": "many"}},
    ],
    ids=str,
)
async def test_9_invalid_schema_of_an_event(proving: Roadside, broken: dict[str, Any]) -> None:
    """What does not fit the words becomes a dead letter with a code; the next question is answered."""
    event = {**json.loads(_question("acme")), **broken}
    letter = await proving.dead_letter(await proving.send("ops.questions", json.dumps(event).encode()))

    assert letter["code"] not in ("", "INTERNAL_ERROR")
    assert (await asked(proving, EASY))["status"] == "success"


async def test_9_invalid_schema_of_parameters_and_of_output(proving: Roadside) -> None:
    """Parameters outside the tool's schema, given or arriving from a step, and a reply outside the declared one."""
    given = await asked(proving, step("s", "ground.tickets", size="many"))
    answer = await asked(
        proving,
        step("text", "ground.probe", value="a text"),
        step("arriving", "ground.tickets", size={"$from": "text", "path": "facts.value"}),
        step("unlike", "ground.unlike"),
        step("html", "ground.html"),
    )

    assert given["error"]["code"] == "PLAN_INVALID"
    assert codes(answer) == {
        "text": None,
        "arriving": "INVALID_PARAMS",
        "unlike": "TOOL_BAD_REQUEST",
        "html": "TOOL_BAD_REQUEST",
    }


async def test_10_partial_failure(proving: Roadside) -> None:
    """Several tools fail in different ways: each has its code, dependents are skipped, what worked is the answer."""
    answer = await asked(
        proving,
        step("rows", "ground.sql", sql="SELECT COUNT(*) AS n FROM tickets WHERE status = 'open'"),
        step("broken", "ground.broken"),
        step("refused", "ground.refused"),
        step("after", "ground.probe", after=["broken"]),
        EASY,
    )

    assert answer["status"] == "partial_success"
    assert codes(answer) | {"after": None} == {
        "rows": None,
        "broken": "UPSTREAM_UNAVAILABLE",
        "refused": "AUTH_FAILED",
        "after": None,
        "easy": None,
    }
    after = next(each for each in answer["results"] if each["step_id"] == "after")
    assert (after["status"], after["cause"]) == ("skipped", "broken")
    assert {"ground.broken", "ground.refused"} <= set(answer["failed_tools"])
    assert "[1]" in answer["text"]
