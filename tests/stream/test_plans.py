"""Plans that are graphs, from outside: a question with a plan of its own in, the answer out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from schemas.calls import ClaimCheck
from schemas.errors import ErrorCode
from streams.claims import ClaimError, FileClaims, open_claim
from tests.support.roadside import Roadside, now_s, step
from tests.support.workers import Fleet


async def answered(road: Roadside, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """The answer to a plan; `strategy` belongs to the plan, the rest to the question."""
    strategy = fields.pop("strategy", None)
    plan: Any = {"steps": list(steps), "strategy": strategy} if strategy else list(steps)
    return await road.answer(await road.ask(plan=plan, **fields))


def told(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(each["step_id"], each["tool_id"], each["status"]) for each in answer["results"]]


async def test_a_step_takes_its_parameters_from_an_earlier_result(road: Roadside) -> None:
    """The value arrives with its type and is judged by the tool's schema; the dependency need not be named."""
    answer = await answered(
        road,
        step("first", value=41, rows=3),
        step("second", value={"$from": "first", "path": "facts.value"}),
        step("third", value={"$from": "first", "path": "max_by(rows, &n).n"}, rows=1),
    )

    assert answer["status"] == "success"
    assert answer["main_result"]["facts"]["value"] == 2
    assert {each["step_id"]: each["group"] for each in answer["results"]} == {
        "first": 0,
        "second": 1,
        "third": 1,
    }


async def test_a_reference_that_leads_nowhere_costs_its_own_step_only(road: Roadside) -> None:
    """It fails with INVALID_PARAMS that names step and path; so does a value of the wrong type; the rest stays."""
    answer = await answered(
        road,
        step("first", value="text", rows=1),
        step("lost", value={"$from": "first", "path": "rows[5].n"}),
        step("mistyped", sleep_s={"$from": "first", "path": "facts.value"}),
        step("after", after=["lost"]),
    )

    assert answer["status"] == "partial_success"
    by_step = {each["step_id"]: each for each in answer["results"]}
    assert by_step["lost"]["error_details"]["details"] == {"step_id": "first", "path": "rows[5].n"}
    assert (by_step["lost"]["error_code"], by_step["mistyped"]["error_code"]) == ("INVALID_PARAMS",) * 2
    assert (by_step["after"]["status"], by_step["after"]["cause"]) == ("skipped", "lost")


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([step("a", value={"$from": "b", "path": "x"}), step("b", after=["a"])], "a → b → a"),
        ([step("a", value={"$from": "z", "path": "x"})], "'z', which is not in the plan"),
        ([step("a"), step("b", value={"$from": "a", "path": "rows[["})], "Step 'b' has a reference"),
        ([step("a", wrong=1)], "Step 'a' has parameters that do not fit"),
        ([step("a", sleep_s="long")], "sleep_s"),
        ([{"step_id": "a"}], "Step 'a' must name a tool or a capability"),
        ([{"step_id": "a", "capability": "clairvoyance"}], "Step 'a' asks for a capability"),
        ([{**step("a"), "fallback": "probe_of_globex"}], "Step 'a' names a fallback"),
    ],
)
async def test_a_plan_that_cannot_work_is_refused_with_its_step(
    road: Roadside, steps: list[dict[str, Any]], said: str
) -> None:
    """PLAN_INVALID, before anything runs."""
    answer = await answered(road, *steps)

    assert (answer["status"], answer["error"]["code"], answer["results"]) == ("failed", "PLAN_INVALID", [])
    assert said in answer["error"]["message"]


async def test_a_fallback_stands_in_and_is_never_silent(road: Roadside) -> None:
    """The tool's own fallback, on the topic of another kind; degraded, with reason, both tools and a sentence."""
    failing = {"fail_code": "UPSTREAM_UNAVAILABLE", "only": "probe_unsteady"}
    answer = await answered(
        road,
        step("a", "probe_unsteady", value=5, **failing),
        step("b", value={"$from": "a", "path": "facts.value"}),
    )

    assert answer["status"] == "degraded"
    assert answer["fallback_details"] == {
        "reason": "primary_unavailable",
        "tool_attempted": "probe_unsteady",
        "tool_used_fallback": "probe_steady",
        "step_id": "a",
        "error_code": "UPSTREAM_UNAVAILABLE",
    }
    assert "probe_unsteady could not reach what it asks" in answer["text"]
    assert "probe_steady stood in for it" in answer["text"]
    assert told(answer) == [
        ("a", "probe_unsteady", "error"),
        ("a", "probe_steady", "success"),
        ("b", "probe", "success"),
    ]
    assert answer["main_result"]["facts"]["value"] == 5


async def test_a_timeout_activates_the_fallback_inside_the_deadline(road: Roadside) -> None:
    """The hanging tool is given up after its time; a plan names its own fallback."""
    hanging = {**step("a", value=3, sleep_s=60, only="probe"), "timeout_s": 0.3, "fallback": "probe_steady"}
    answer = await answered(road, hanging, options={"deadline_s": 10})

    assert answer["status"] == "degraded"
    assert answer["fallback_details"]["reason"] == "primary_timeout"
    assert answer["budget"]["elapsed_ms"] < 8_000


async def test_a_refusal_has_no_fallback(road: Roadside) -> None:
    """What a policy or a guard refused is not asked elsewhere."""
    answer = await answered(
        road, step("a", "probe_unsteady", fail_code="POLICY_DENY", only="probe_unsteady"), step("b")
    )

    assert (answer["status"], answer["fallback_used"]) == ("partial_success", False)


async def test_another_plan_is_made_when_a_tool_fails_for_good(road: Roadside) -> None:
    """The capability's other tool takes over; what succeeded stays; request, decision and patch are in the answer."""
    asks = {
        "step_id": "a",
        "capability": "append_only",
        "params": {"value": 8, "fail_code": "INTERNAL_ERROR", "only": "probe_left"},
    }
    answer = await answered(
        road,
        asks,
        step("b"),
        step("c", value={"$from": "a", "path": "facts.value"}),
        options={"deadline_s": 20},
    )

    assert (answer["status"], answer["replans"]) == ("degraded", 1)
    assert told(answer) == [
        ("a", "probe_right", "success"),
        ("b", "probe", "success"),
        ("c", "probe", "success"),
    ]
    record = answer["replan_records"][0]
    assert (record["trigger"], record["severity"]) == ("error", "critical")
    assert record["failures"] == [{"step_id": "a", "tool_ids": ["probe_left"], "code": "INTERNAL_ERROR"}]
    change = record["patch"]["replaced"][0]
    assert (change["tool_before"], change["tool_after"]) == ("probe_left", "probe_right")
    assert "so probe_right stood in for it" in answer["text"]
    assert "probe_left for append_only" in " ".join(answer["reasons"])


async def test_a_replan_without_another_way_ends_the_question_at_once(road: Roadside) -> None:
    """Both tools failed: no third attempt, no waiting for the deadline."""
    asks = {"step_id": "a", "capability": "append_only", "params": {"fail_code": "TOOL_TIMEOUT"}}
    answer = await answered(road, asks, options={"deadline_s": 30})

    assert (answer["status"], answer["replans"]) == ("failed", 2)
    assert [bool(each["patch"]["replaced"]) for each in answer["replan_records"]] == [True, False]
    assert {each["trigger"] for each in answer["replan_records"]} == {"timeout"}
    assert answer["budget"]["elapsed_ms"] < 20_000


async def test_a_serial_tool_never_runs_beside_itself(road: Roadside) -> None:
    """Three calls of 0.2 s take 0.6 s; another tool's runs beside them."""
    answer = await answered(
        road, *[step(f"s{n}", "probe_serial", sleep_s=0.2) for n in range(3)], step("beside", sleep_s=0.5)
    )

    assert answer["status"] == "success"
    assert answer["budget"]["elapsed_ms"] >= 600
    assert all(each["duration_ms"] < 400 for each in answer["results"] if each["tool_id"] == "probe_serial")


async def test_the_serial_strategy_runs_one_step_at_a_time(road: Roadside) -> None:
    """In the order of the plan, each a group of its own."""
    answer = await answered(road, step("a", sleep_s=0.2), step("b", sleep_s=0.2), strategy="serial")

    assert [each["group"] for each in answer["results"]] == [0, 1]
    assert answer["budget"]["elapsed_ms"] >= 400


async def test_fail_fast_and_steps_that_must_not_fail(road: Roadside) -> None:
    """The one answers at once; the other begins nothing more. By default both are off."""
    failing = step("a", fail_code="INTERNAL_ERROR")
    fast, strict = await asyncio.gather(
        answered(road, failing, step("b", sleep_s=30), options={"fail_fast": True}),
        answered(
            road,
            {**failing, "continue_on_error": False},
            step("b", sleep_s=0.5),
            step("c", after=["b"]),
        ),
    )

    assert [(each["status"], each["cause"]) for each in fast["results"]] == [
        ("error", None),
        ("skipped", "a"),
    ]
    assert fast["budget"]["elapsed_ms"] < 15_000
    assert [each["status"] for each in strict["results"]] == ["error", "success", "skipped"]


async def test_the_deadline_names_phase_elapsed_and_limit(road: Roadside) -> None:
    """EXECUTE_TIMEOUT with its figures, on time."""
    answer = await answered(road, step("a", sleep_s=60), options={"deadline_s": 1})

    details = answer["error"]["details"]
    assert (answer["error"]["code"], details["phase"]) == ("EXECUTE_TIMEOUT", "execution")
    assert 900 <= details["timeout_ms"] <= 1_000
    assert details["timeout_ms"] <= details["elapsed_ms"] <= 2_500


async def test_a_result_too_large_to_travel_is_kept_whole(road: Roadside, shared_fleet: Fleet) -> None:
    """The answer carries a preview and a claim, which its own tenant can open and no other."""
    answer = await answered(road, step("big", rows=100, row_characters=5_000))

    reference = answer["references"][0]
    claim = ClaimCheck(**reference["claim"])
    assert (reference["row_count"], claim.row_count) == (100, 100)
    assert len(answer["main_result"]["rows"]) < 100
    assert claim.size_bytes > 500_000
    store = FileClaims(shared_fleet.folder / "claims")
    whole = await asyncio.to_thread(open_claim, store, claim, "acme")
    assert (len(whole.rows), len(whole.rows[99][1])) == (100, 5_000)
    with pytest.raises(ClaimError) as refused:
        open_claim(store, claim, "globex")
    assert refused.value.code is ErrorCode.TENANT_MISMATCH


async def test_chains_and_fans_are_quick(road: Roadside) -> None:
    """A chain of three dependent steps waits for no timer: far less than a second."""
    began_at = now_s()
    chain = [step("a", value=1)] + [
        step(name, value={"$from": before, "path": "facts.value"}) for before, name in ("ab", "bc")
    ]
    answer = await answered(road, *chain)

    assert answer["status"] == "success"
    assert now_s() - began_at < 5
