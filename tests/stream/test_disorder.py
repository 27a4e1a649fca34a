"""Events of one trace in any order and any number, published to the join by hand: the same answer, once."""

from __future__ import annotations

import random
from itertools import permutations

import pytest

from schemas.calls import DeadlinePassed, Shape, ToolFailed, ToolOutput, ToolSucceeded
from schemas.errors import ErrorCode, ops_error
from schemas.events import AggregationEvent
from schemas.ids import call_id, trace_id
from schemas.plans import PlanKind, PlanMade, Step
from streams.codecs import Codec
from streams.schema_ids import FileIds
from tests.support.roadside import Roadside, now_s

WRITERS = [Codec(FileIds.load(), "json"), Codec(FileIds.load(), "avro")]
STEPS = ("a", "b", "c")


def _events(question_id: str, now: float) -> list[AggregationEvent]:
    """A plan of three steps whose calls nobody will run (their kind is read by no tool), and its results."""
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
        deadline_at=now + 60,
        steps=tuple(
            Step(step_id=step, tool_id="probe", tool_type="probe", kind="timeseries", params={"sleep_s": 30})
            for step in STEPS
        ),
    )
    common = {"trace_id": trace, "tenant_id": "acme", "tool_id": "probe", "tool_type": "probe", "group": 0}
    results: list[AggregationEvent] = [
        ToolSucceeded(
            **common,  # type: ignore[arg-type]
            call_id=call_id(trace, step, 0),
            step_id=step,
            started_at=now,
            ended_at=now + 0.1,
            output=ToolOutput(shape=Shape.FACTS, facts={"step": step}),
        )
        for step in STEPS[:2]
    ]
    failed = ToolFailed(
        **common,  # type: ignore[arg-type]
        call_id=call_id(trace, "c", 0),
        step_id="c",
        started_at=now,
        ended_at=now + 0.2,
        error=ops_error(ErrorCode.TOOL_BAD_REQUEST),
    )
    return [plan, *results, failed]


async def _publish(road: Roadside, question_id: str, events: list[AggregationEvent]) -> None:
    for number, event in enumerate(events):
        value = WRITERS[number % 2].encode(event)
        await road.send("ops.aggregation", value, tenant=None, partition=road.home(question_id))


async def test_every_order_comes_to_the_same_answer(road: Roadside) -> None:
    """All 24 orders of a plan and its three results, JSON and Avro in turn."""
    now, asked = now_s(), []
    for number, order in enumerate(permutations(range(4))):
        asked.append(f"order-{number}")
        events = _events(asked[-1], now)
        await _publish(road, asked[-1], [events[each] for each in order])

    answers = await road.answers(asked)

    told = [
        (
            answer["status"],
            [(result["step_id"], result["status"], result["duration_ms"]) for result in answer["results"]],
        )
        for answer in answers
    ]
    assert all(each == told[0] for each in told)
    assert told[0][0] == "partial_success"


@pytest.mark.parametrize("seed", range(3))
async def test_any_number_of_duplicates_comes_to_one_answer(road: Roadside, seed: int) -> None:
    """Each event several times, shuffled, with deadlines of other moments and results of other calls between."""
    question_id, chance, now = f"duplicates-{seed}", random.Random(seed), now_s()
    trace = trace_id("acme", question_id)
    stray = [
        DeadlinePassed(trace_id=trace, tenant_id="acme", deadline_at=now - 5, passed_at=now),
        ToolSucceeded(
            trace_id=trace,
            tenant_id="acme",
            call_id="of another plan",
            step_id="a",
            tool_id="probe",
            tool_type="probe",
            group=0,
            started_at=now,
            ended_at=now,
            output=ToolOutput(shape=Shape.FACTS, facts={"step": "stray"}),
        ),
    ]
    events = _events(question_id, now) * 4 + stray * 2
    chance.shuffle(events)

    await _publish(road, question_id, events)

    answer = await road.answer(question_id)
    await road.all_quiet()
    assert (answer["status"], road.count(question_id)) == ("partial_success", 1)
    assert "stray" not in str(answer)
