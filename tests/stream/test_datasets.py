"""Questions that no template answers go through the broker: planned from a dataset, run by the dynamic tool."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.brokers import BrokerUnderTest
from tests.support.roadside import Roadside
from tests.support.workers import ROOT, Fleet, running_fleet
from tests.support.works_store import make_works

WORKS = ROOT / "tests" / "packs" / "works"


@pytest.fixture(scope="module")
def works(broker: BrokerUnderTest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """A worker with all roles over the repair works."""
    folder = tmp_path_factory.mktemp("works")
    make_works(folder)
    with running_fleet(broker.address, f"works-{uuid.uuid4().hex[:8]}.", folder, packs=WORKS) as fleet:
        fleet.started()
        yield fleet


@pytest.fixture
async def road(works: Fleet) -> AsyncIterator[Roadside]:
    async with Roadside(works.broker, works.topic_prefix) as roadside:
        yield roadside


async def test_a_question_nobody_wrote_down_is_answered_for_its_tenant_alone(road: Roadside) -> None:
    """The same words, two tenants, two answers, each with a reference to the call it came from."""
    ours = await road.answer(await road.ask(question="how many sev1 incidents were there in November 2026?"))
    theirs = await road.answer(
        await road.ask(question="how many sev1 incidents were there in November 2026?", tenant="globex"),
        "globex",
    )

    assert (ours["status"], ours["main_result"]["rows"]) == ("success", [[2]])
    assert theirs["main_result"]["rows"] == [[1]]
    assert ours["references"][0]["tool_id"] == "works.table"
    assert "2 [1]" in ours["text"]


async def test_korean_is_read_and_names_are_known(road: Roadside) -> None:
    """Services, states and months in Korean sentences."""
    answer = await road.answer(await road.ask(question="2026년 11월 checkout 장애 중 미해결은 몇 건이야?"))

    assert answer["main_result"]["rows"] == [[1]]


async def test_a_time_told_by_an_event_is_taken_from_the_first_steps_row(road: Roadside) -> None:
    """Two steps: the last outage of payments, then the alarms since."""
    answer = await road.answer(await road.ask(question="alarms since the last outage of payments"))

    assert [result["status"] for result in answer["results"]] == ["success", "success"]
    assert len(answer["main_result"]["rows"]) == 3


async def test_an_unknown_name_is_rejected(road: Roadside) -> None:
    """No figure is given for what nobody knows."""
    answer = await road.answer(await road.ask(question="how many incidents on foobar in November 2026?"))

    assert answer["plan_kind"] == "reject"
    assert "foobar" in answer["text"]
