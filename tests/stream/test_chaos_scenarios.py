"""What goes wrong, one thing at a time, through the broker: the quick half of the chaos suite, in its order.

Kills, freezes and outages of the broker are in test_crashes.py (the long ones behind `-m chaos`), limits and breakers
in test_turnstiles.py, faults of the language model in test_language_model.py.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import ground
from tests.support.roadside import Roadside, step

EASY = step("easy", "ground.probe", value="easy")
COUNT = "SELECT COUNT(*) AS n FROM tickets"


async def asked(road: Roadside, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    tenant = fields.pop("tenant", "acme")
    return await road.answer(await road.ask(plan=list(steps), tenant=tenant, **fields), tenant)


def ends(answer: dict[str, Any]) -> dict[str, str | None]:
    """How each step's own tool ended: its code, None for success."""
    return {each["step_id"]: each["error_code"] for each in answer["results"] if not each["stands_in_for"]}


def spans(road: Roadside, answer: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """When each call of a trace ran."""
    found = road.events("ops.aggregation", "ToolSucceeded")
    return {
        each["step_id"]: (each["started_at"], each["ended_at"])
        for each in found
        if each["trace_id"] == answer["trace_id"]
    }


def overlap(first: tuple[float, float], second: tuple[float, float]) -> bool:
    return max(first[0], second[0]) < min(first[1], second[1])


# Timeouts


async def test_a_timeout_costs_its_own_step_alone(proving: Roadside) -> None:
    """Siblings run, and are not waited for longer than the slow one's own limit."""
    answer = await asked(
        proving, step("hung", "ground.brief", sleep_s=60), EASY, step("rows", "ground.sql", sql=COUNT)
    )

    assert ends(answer) == {"hung": "TOOL_TIMEOUT", "easy": None, "rows": None}
    assert answer["status"] == "partial_success"


async def test_the_limit_of_a_capability_is_kept(proving: Roadside) -> None:
    """A plan may shorten what the tool's capability allows, never lengthen it."""
    longer = {**step("longer", "ground.brief", sleep_s=60), "timeout_s": 50}
    shorter = {**step("shorter", "ground.probe", sleep_s=60), "timeout_s": 0.2}
    answer = await asked(proving, longer, shorter)

    assert ends(answer) == {"longer": "TOOL_TIMEOUT", "shorter": "TOOL_TIMEOUT"}
    longest = {each["step_id"]: each["duration_ms"] for each in answer["results"]}
    assert longest["longer"] < 5_000
    assert longest["shorter"] < 5_000


async def test_a_tool_that_timed_out_recovers(proving: Roadside) -> None:
    """Nothing is left behind: the next call of the same tool succeeds at once."""
    hung = await asked(proving, step("s", "ground.brief", sleep_s=60))
    after = await asked(proving, step("s", "ground.brief", value=1))

    assert (ends(hung)["s"], ends(after)["s"]) == ("TOOL_TIMEOUT", None)


async def test_a_timeout_activates_the_fallback(proving: Roadside) -> None:
    """The answer says what stood in for what, and why."""
    hung = {
        **step("s", "ground.probe_or_copy", value=3, sleep_s=60, only="ground.probe_or_copy"),
        "timeout_s": 0.3,
    }
    answer = await asked(proving, hung)

    assert answer["status"] == "degraded"
    assert answer["fallback_details"]["reason"] == "primary_timeout"
    assert "ground.probe_copy stood in for it" in answer["text"]


# Databases and connections


async def test_a_database_error_activates_the_fallback(proving: Roadside) -> None:
    """The copy is asked the same question."""
    answer = await asked(proving, step("s", "ground.sql_or_copy", sql=COUNT))

    assert answer["status"] == "degraded"
    assert answer["fallback_details"]["tool_used_fallback"] == "ground.sql"
    assert answer["main_result"]["rows"] == [[5]]


@pytest.mark.parametrize("store", ["hollow", "garbage", "missing"])
async def test_a_database_error_leaves_the_rest(proving: Roadside, store: str) -> None:
    """A table that is not there, a file that is no database, a file that is not there."""
    answer = await asked(proving, step("bad", f"ground.{store}", sql=COUNT), EASY)

    assert answer["status"] == "partial_success"
    assert ends(answer)["bad"] in ("UPSTREAM_UNAVAILABLE", "TOOL_BAD_REQUEST")


@pytest.mark.parametrize("tool", ["away", "reset", "cut"])
async def test_a_connection_error_has_its_code(proving: Roadside, tool: str) -> None:
    """Nobody listens, the connection is reset, the reply breaks off in the middle."""
    answer = await asked(proving, step("bad", f"ground.{tool}"), EASY)

    assert ends(answer) == {"bad": "UPSTREAM_UNAVAILABLE", "easy": None}


# Tenants


async def test_a_tool_of_one_tenant_and_tools_for_all(proving: Roadside) -> None:
    """Another tenant's tool is blocked; one without tenants is everybody's."""
    theirs = await asked(proving, step("s", "ground.of_globex"))
    own = await asked(proving, step("s", "ground.of_globex"), tenant="globex")
    shared = [await asked(proving, EASY, tenant=tenant) for tenant in ("acme", "globex")]

    assert theirs["error"]["code"] == "PLAN_INVALID"
    assert [own["status"], *[each["status"] for each in shared]] == ["success"] * 3


# Replies that are not what was promised


@pytest.mark.parametrize(
    ("tool", "codes"),
    [
        ("html", {"TOOL_BAD_REQUEST"}),
        ("unlike", {"TOOL_BAD_REQUEST"}),
        ("bomb", {"MAX_ROWS_EXCEEDED", "TOOL_BAD_REQUEST"}),
        ("endless", {"MAX_ROWS_EXCEEDED", "TOOL_BAD_REQUEST"}),
    ],
)
async def test_a_malformed_reply_is_a_coded_error(proving: Roadside, tool: str, codes: set[str]) -> None:
    """HTML for JSON, a field that is missing, a bomb, a reply without end."""
    answer = await asked(proving, step("bad", f"ground.{tool}"), EASY)

    assert ends(answer)["bad"] in codes
    assert answer["status"] == "partial_success"


async def test_a_field_that_is_missing_is_a_coded_error(proving: Roadside) -> None:
    """A step whose parameter refers to a field that its parent's result does not have."""
    lost = step("lost", "ground.probe", value={"$from": "easy", "path": "facts.no_such_field"})
    answer = await asked(proving, EASY, lost)

    assert ends(answer) == {"easy": None, "lost": "INVALID_PARAMS"}


# Order


async def test_a_serial_tool_is_not_run_in_parallel_and_others_are(proving: Roadside) -> None:
    """Mixed in one question: calls of the serial tool follow one another, the parallel one runs beside them."""
    answer = await asked(
        proving,
        step("one", "ground.serial", sleep_s=0.3),
        step("two", "ground.serial", sleep_s=0.3),
        step("beside", "ground.probe", sleep_s=0.6),
    )
    await proving.until(lambda: len(spans(proving, answer)) == 3, "all results are read")
    ran = spans(proving, answer)

    assert answer["status"] == "success"
    assert not overlap(ran["one"], ran["two"])
    assert overlap(ran["beside"], ran["one"]) or overlap(ran["beside"], ran["two"])


async def test_dependencies_are_kept(proving: Roadside) -> None:
    """Given by the plan, and by a tool that needs another."""
    answer = await asked(
        proving,
        step("needs", "ground.needs_probe", value=2),
        step("first", "ground.probe", value=1),
        step("last", "ground.probe", after=["needs"]),
    )

    assert {each["step_id"]: each["group"] for each in answer["results"]} == {
        "first": 0,
        "needs": 1,
        "last": 2,
    }


async def test_a_cycle_is_refused(proving: Roadside) -> None:
    """Printed as a path, before anything runs."""
    answer = await asked(
        proving,
        step("a", "ground.probe", after=["c"]),
        step("b", "ground.probe", after=["a"]),
        step("c", "ground.probe", after=["b"]),
    )

    assert (answer["error"]["code"], answer["results"]) == ("PLAN_INVALID", [])
    assert "→" in answer["error"]["message"]


# How it ends

FAILING = step("bad", "ground.broken")
STOOD_IN = step("s", "ground.probe_or_copy", fail_code="UPSTREAM_UNAVAILABLE", only="ground.probe_or_copy")


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        ([EASY], "success"),
        ([EASY, FAILING], "partial_success"),
        ([STOOD_IN, EASY], "degraded"),
        ([FAILING], "failed"),
    ],
    ids=["success", "partial", "degraded", "failed"],
)
async def test_each_status(proving: Roadside, steps: list[dict[str, Any]], status: str) -> None:
    """All succeed; some fail; a fallback stands in; nothing is usable."""
    assert (await asked(proving, *steps))["status"] == status


async def test_several_tools_fail_and_the_rest_is_the_answer(proving: Roadside) -> None:
    """Five fail of five causes, each with its code and in words; two are left, and their figures have references."""
    answer = await asked(
        proving,
        FAILING,
        step("hung", "ground.brief", sleep_s=60),
        step("blocked", "ground.sql", sql="DROP TABLE tickets"),
        step("away", "ground.away"),
        step("inside", "ground.inside"),
        step("rows", "ground.sql", sql=COUNT),
        EASY,
    )

    assert answer["status"] == "partial_success"
    assert ends(answer) == {
        "bad": "UPSTREAM_UNAVAILABLE",
        "hung": "TOOL_TIMEOUT",
        "blocked": "SQL_BLOCKED",
        "away": "UPSTREAM_UNAVAILABLE",
        "inside": "POLICY_DENY",
        "rows": None,
        "easy": None,
    }
    assert len(answer["references"]) == 2
    for code in ("TOOL_TIMEOUT", "SQL_BLOCKED", "UPSTREAM_UNAVAILABLE", "POLICY_DENY"):
        assert code in answer["text"]


async def test_it_degrades_gracefully(proving: Roadside) -> None:
    """A capability's first tool breaks, a copy stands in, a service stays away: what is left is said, nothing else."""
    breaking = {"fail_code": "INTERNAL_ERROR", "only": "ground.left", "value": 8}
    answer = await asked(
        proving,
        {"step_id": "other", "capability": "append_only", "params": breaking},
        STOOD_IN,
        step("rows", "ground.sql", sql="SELECT title FROM tickets"),
    )

    assert answer["status"] == "degraded"
    substitutes = {each["tool_attempted"]: each["tool_used_fallback"] for each in answer["fallbacks"]}
    assert substitutes == {"ground.left": "ground.right", "ground.probe_or_copy": "ground.probe_copy"}
    assert answer["replans"] == 1
    assert ground.OWN in str(answer["blocks"])
