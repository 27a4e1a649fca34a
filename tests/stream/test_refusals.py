"""What may not run does not run, and the answer says so by a code from the one list."""

from __future__ import annotations

import pytest

from schemas.calls import ToolCalled
from schemas.ids import call_id, trace_id
from schemas.plans import PlanKind, PlanMade, Step
from streams.codecs import Codec
from streams.schema_ids import FileIds
from tests.support.roadside import Roadside, now_s, step

CODEC = Codec(FileIds.load())


@pytest.mark.parametrize(
    ("tool_id", "why"),
    [
        ("probe_of_globex", "another tenant's"),
        ("probe_for_admins", "for another role"),
        ("nowhere", "not published"),
    ],
)
async def test_plan_with_a_tool_that_may_not_be_used_is_refused(
    road: Roadside, tool_id: str, why: str
) -> None:
    """The three reasons read the same to the asker, so that nobody can probe for what exists."""
    answer = await road.answer(await road.ask(plan=[step("s", tool_id, value=1), step("t", value=1)]))

    assert (answer["status"], answer["error"]["code"], answer["results"]) == ("failed", "PLAN_INVALID", [])
    assert tool_id not in answer["text"], why


@pytest.mark.parametrize(
    ("tool_id", "params", "code"),
    [
        ("statements_without_a_guard", {"sql": "SELECT 1"}, "POLICY_DENY"),
        ("tool_without_an_adapter", {}, "ASSET_LOAD_FAILED"),
        ("things", {"sql": "DROP TABLE things"}, "SQL_BLOCKED"),
        ("things", {"sql": "SELECT name FROM sqlite_master"}, "SQL_BLOCKED"),
    ],
)
async def test_call_that_may_not_run_fails_with_its_code(
    road: Roadside, tool_id: str, params: dict[str, object], code: str
) -> None:
    """Refused before the tool is reached; a sibling goes on; the user learns no table, path or statement."""
    answer = await road.answer(await road.ask(plan=[step("bad", tool_id, **params), step("good", value=1)]))

    bad = answer["results"][0]
    assert (answer["status"], bad["error_code"]) == ("partial_success", code)
    assert "sqlite_master" not in str(answer)
    assert "DROP" not in str(answer)


@pytest.mark.parametrize(
    ("tool_id", "code"), [("probe_of_globex", "TENANT_MISMATCH"), ("probe_for_admins", "PERMISSION_DENIED")]
)
async def test_executor_refuses_what_slipped_past_the_planner(
    road: Roadside, tool_id: str, code: str
) -> None:
    """A plan that somebody published to the join by hand still meets the guards before each tool."""
    now, question_id = now_s(), f"forged-{tool_id}"
    trace = trace_id("acme", question_id)
    plan = PlanMade(
        trace_id=trace,
        tenant_id="acme",
        question_id=question_id,
        user_id="u",
        roles=("viewer",),
        question="?",
        mode="all",
        kind=PlanKind.PLAN,
        asked_at=now,
        planned_at=now,
        deadline_at=now + 20,
        steps=(Step(step_id="s", tool_id=tool_id, tool_type="probe", kind="timeseries"),),
    )
    await road.send("ops.aggregation", CODEC.encode(plan), partition=road.home(question_id))

    answer = await road.answer(question_id)

    assert [result["error_code"] for result in answer["results"]] == [code]


async def test_call_of_one_tenant_cannot_end_in_another_tenants_answer(road: Roadside) -> None:
    """A forged call under another tenant's trace is run for its own tenant, and its result is ignored there."""
    question_id = await road.ask(plan=[step("s", sleep_s=1.0, value="ours")])
    trace, now = trace_id("acme", question_id), now_s()
    forged = ToolCalled(
        trace_id=trace,
        tenant_id="globex",
        user_id="u",
        roles=("viewer",),
        call_id=call_id(trace, "s", 0),
        step_id="s",
        tool_id="probe_of_globex",
        tool_type="probe",
        kind="timeseries",
        params={"value": "theirs"},
        timeout_s=5.0,
        deadline_at=now + 5,
        called_at=now,
    )
    await road.send("ops.tool-calls.timeseries", CODEC.encode(forged), partition=0)

    answer = await road.answer(question_id)

    assert answer["main_result"]["facts"]["value"] == "ours"
