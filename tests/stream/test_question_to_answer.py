"""A question published by any Kafka client comes back as one answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

from schemas.answers import AnswerComposed
from schemas.ids import answer_id, call_id, trace_id
from tests.support.roadside import PARTITIONS, Roadside, now_s, question_event, step

PHASES = ["planning", "tool_resolution", "execution", "aggregation", "response"]


async def test_answer_carries_every_field_and_derived_ids(road: Roadside) -> None:
    """All fields are there; trace, call and answer ids follow from the question; the header names the tenant."""
    question_id = await road.ask(question="seven?", plan=[step("a", value=7)])

    answer = await road.answer(question_id)

    trace = trace_id("acme", question_id)
    assert set(answer) == {field.name for field in fields(AnswerComposed)}
    assert (answer["trace_id"], answer["answer_id"]) == (trace, answer_id(trace))
    assert answer["results"][0]["call_id"] == call_id(trace, "a", 0)
    assert (answer["question"], answer["user_id"], answer["tenant_id"]) == ("seven?", "u-1", "acme")
    assert (answer["status"], answer["successful_tools"], answer["failed_tools"]) == (
        "success",
        ["probe"],
        [],
    )
    assert [phase["phase"] for phase in answer["budget"]["phases"]] == PHASES
    assert answer["references"][0]["call_id"] == answer["results"][0]["call_id"]
    record = next(each for each in road.records["ops.answers"] if trace.encode() == each.key)
    assert dict(record.headers) == {"tenant_id": b"acme"}


async def test_question_in_words_is_planned_and_answered_with_true_figures(road: Roadside) -> None:
    """The rules planner finds the template, the store is asked, and only the tenant's own rows count."""
    acme, globex = await asyncio.gather(
        road.ask(question="how many things are there?"),
        road.ask(question="how many things are there?", tenant="globex"),
    )

    ours, theirs = await road.answer(acme), await road.answer(globex, "globex")

    assert (ours["planner"], ours["status"], ours["main_result"]["rows"]) == (
        "rules",
        "success",
        [[3, 1_054_720]],
    )
    assert theirs["main_result"]["rows"] == [[1, 512]]
    assert ours["text"].startswith("There are 3 [1] things")


async def test_question_nobody_can_answer_is_rejected_with_what_could_be_asked(road: Roadside) -> None:
    """No guess: the answer failed, says so, and suggests questions."""
    answer = await road.answer(await road.ask(question="who wins the cup final?"))

    assert (answer["plan_kind"], answer["results"]) == ("reject", [])
    assert answer["suggestions"]


@pytest.mark.parametrize("written", ["json", "avro", "mixed"])
async def test_questions_in_json_and_avro_are_told_apart_message_by_message(
    road: Roadside, written: str
) -> None:
    """Both codecs in one topic; each question is answered."""
    avro = {"json": [False] * 4, "avro": [True] * 4, "mixed": [False, True, True, False]}[written]
    asked = [await road.ask(avro=flag, plan=[step("s", value=n)], partition=0) for n, flag in enumerate(avro)]

    answers = await road.answers(asked)

    assert [answer["main_result"]["facts"]["value"] for answer in answers] == [0, 1, 2, 3]


async def test_question_sent_twice_is_one_trace_and_one_answer(road: Roadside) -> None:
    """Also on another partition, also when the first is answered already."""
    plan = [step("s", value=1)]
    twice = [await road.ask(f"twice-{n}", plan=plan, partition=n % PARTITIONS) for n in range(8)]
    await asyncio.gather(*(road.ask(each, plan=plan, partition=3) for each in twice))
    await road.answers(twice)
    await asyncio.gather(*(road.ask(each, plan=plan) for each in twice))

    await road.all_quiet()

    assert [road.count(each) for each in twice] == [1] * 8


async def test_same_question_id_in_another_tenant_is_another_answer(road: Roadside) -> None:
    """Trace and answer ids differ; neither sees the other."""
    await road.ask("shared-id", plan=[step("s", value="for acme")])
    await road.ask("shared-id", "globex", plan=[step("s", value="for globex")])

    ours, theirs = await road.answer("shared-id"), await road.answer("shared-id", "globex")

    assert ours["trace_id"] != theirs["trace_id"]
    assert (ours["main_result"]["facts"]["value"], theirs["main_result"]["facts"]["value"]) == (
        "for acme",
        "for globex",
    )


async def test_any_key_and_any_partition_will_do(road: Roadside) -> None:
    """The key is the producer's affair: none, a repeated one, bytes that are no text."""
    keys = [None, b"k", b"k", b"\xff\xfe", b""]
    asked = []
    for number, key in enumerate(keys):
        event = question_event(f"keyed-{number}", plan=[step("s", value=number)])
        await road.send("ops.questions", json.dumps(event).encode(), key=key, partition=number % PARTITIONS)
        asked.append(event["question_id"])

    answers = await road.answers(asked)

    assert [answer["status"] for answer in answers] == ["success"] * len(keys)


async def test_steps_run_when_what_they_depend_on_succeeded(road: Roadside) -> None:
    """A diamond over two topics: groups tell the order, the last step is the main result."""
    plan = [
        step("top", value="top"),
        step("left", value="left", after=["top"]),
        step("right", "probe_elsewhere", value="right", after=["top"]),
        step("bottom", value="bottom", after=["left", "right"]),
    ]

    answer = await road.answer(await road.ask(plan=plan))

    groups = {result["step_id"]: result["group"] for result in answer["results"]}
    assert groups == {"top": 0, "left": 1, "right": 1, "bottom": 2}
    assert answer["main_result"]["facts"]["value"] == "bottom"
    assert answer["status"] == "success"


async def test_failed_parent_skips_its_dependents_and_spares_its_siblings(road: Roadside) -> None:
    """Skipped steps name the step whose failure stood in the way, however far up it is."""
    plan = [
        step("bad", fail_code="UPSTREAM_UNAVAILABLE"),
        step("child", after=["bad"], value=1),
        step("grandchild", after=["child"], value=1),
        step("sibling", value="fine"),
    ]

    answer = await road.answer(await road.ask(plan=plan))

    told = {result["step_id"]: (result["status"], result["cause"]) for result in answer["results"]}
    assert told == {
        "bad": ("error", None),
        "child": ("skipped", "bad"),
        "grandchild": ("skipped", "bad"),
        "sibling": ("success", None),
    }
    assert answer["status"] == "partial_success"


@pytest.mark.parametrize(
    ("plan", "status"),
    [
        ([step("a", value=1), step("b", value=2)], "success"),
        ([step("a", fail_code="DATA_NOT_FOUND")], "success"),
        ([step("a", value=1), step("b", fail_code="TOOL_BAD_REQUEST")], "partial_success"),
        ([step("a", fail_code="INTERNAL_ERROR"), step("b", fail_code="AUTH_FAILED")], "failed"),
    ],
)
async def test_status_tells_how_much_worked(
    road: Roadside, plan: list[dict[str, object]], status: str
) -> None:
    """Each status that can come about today."""
    assert (await road.answer(await road.ask(plan=plan)))["status"] == status


async def test_hung_tool_ends_in_a_partial_answer_by_its_deadline_plus_one_second(road: Roadside) -> None:
    """What worked is kept; what hung is a timeout; the answer is in time."""
    asked_at = now_s()
    question_id = await road.ask(
        plan=[step("quick", value=42), step("hangs", sleep_s=60)], options={"deadline_s": 1.5}
    )

    answer = await road.answer(question_id, within_s=10)

    assert now_s() - asked_at < 1.5 + 1.0 + 0.5  # the last for the way in and out
    assert answer["status"] == "partial_success"
    assert answer["main_result"]["facts"]["value"] == 42
    assert {result["step_id"]: result["status"] for result in answer["results"]} == {
        "quick": "success",
        "hangs": "timeout",
    }
    assert answer["budget"]["exhausted"]


async def test_slow_call_holds_back_nobody_behind_it(road: Roadside) -> None:
    """Calls of one tool lie in one partition; a slow one at its head lets all others pass."""
    slow = await road.ask(plan=[step("s", sleep_s=3)])
    quick = await road.ask_many(100, "behind", plan=[step("s", value=1)])

    await road.answers(quick, within_s=3)

    assert road.count(slow) == 0
    assert (await road.answer(slow))["status"] == "success"


async def test_calls_of_one_question_run_side_by_side(road: Roadside) -> None:
    """Five tools of 500 ms take far less than their sum."""
    plan = [step(f"s{n}", "probe" if n % 2 else "probe_elsewhere", sleep_s=0.5) for n in range(5)]
    asked_at = now_s()

    answer = await road.answer(await road.ask(plan=plan))

    assert now_s() - asked_at < 1.5
    assert len(answer["results"]) == 5
    assert answer["status"] == "success"


@pytest.mark.parametrize("given", ["deadline", "deadline_and_plan"])
async def test_deadline_already_past_is_answered_failed(road: Roadside, given: str) -> None:
    """It is a question like any other, and its answer says what was wrong; nothing runs."""
    past = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    more = {"plan": [step("s", value=1)]} if given == "deadline_and_plan" else {}

    answer = await road.answer(await road.ask(options={"deadline": past}, **more))

    assert (answer["status"], answer["error"]["code"], answer["results"]) == ("failed", "PLAN_TIMEOUT", [])


async def test_options_bound_the_rows(road: Roadside) -> None:
    """`max_rows` cuts what a tool returns, and the answer says so."""
    answer = await road.answer(await road.ask(plan=[step("s", rows=50)], options={"max_rows": 5}))

    assert len(answer["main_result"]["rows"]) == 5
    assert answer["main_result"]["truncated"]


async def test_results_as_large_as_they_may_be_come_back_in_one_answer(road: Roadside) -> None:
    """Several results of the largest size in one trace: rows of the join and the answer still travel."""
    plan = [step(f"s{n}", "things", sql="SELECT n, body FROM blobs ORDER BY n") for n in range(6)]

    answer = await road.answer(await road.ask(plan=plan))

    assert answer["status"] == "success"
    assert answer["main_result"]["truncated"]
    assert answer["main_result"]["rows"][0][0] == 0
