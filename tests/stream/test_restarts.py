"""Everything stops and starts again: nothing asked meanwhile is lost, nothing open is forgotten."""

from __future__ import annotations

from tests.support.roadside import Roadside, now_s, step
from tests.support.workers import Fleet

STOP_S = 5.0


async def test_stop_and_start_with_questions_asked_meanwhile(fleet: Fleet) -> None:
    """A clean stop within 5 s although a tool hangs; then another codec, and all of it is answered once."""
    worker = fleet.started()
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        before = await road.ask_many(10, "before", plan=[step("s", value=1)])
        await road.answers(before)
        due_at = now_s() + 10
        hanging = await road.ask(
            plan=[step("done", value=1), step("hangs", sleep_s=100)], options={"deadline_s": 10}
        )
        await road.all_quiet()

        assert worker.stop() < STOP_S
        assert worker.exit_code == 0
        meanwhile = await road.ask_many(20, "meanwhile", plan=[step("s", value=2)])
        await road.ask_many(10, "before", plan=[step("s", value=1)])
        fleet.started(codec="avro")
        ready_at = now_s()

        answers = await road.answers(meanwhile)
        assert [answer["status"] for answer in answers] == ["success"] * 20
        assert all(record.value[:1] == b"\x00" for record in road.records["ops.answers"][-20:])
        late = await road.answer(hanging)
        assert now_s() < max(due_at, ready_at) + 1.5
        assert (late["status"], late["successful_tools"]) == ("partial_success", ["probe"])
        await road.all_quiet()
        assert road.second_answers() == 0


async def test_avro_answers_are_read_by_the_schema_of_their_id(fleet: Fleet) -> None:
    """With one setting everything written is Avro; what a client needs to read it is the committed schema."""
    fleet.started(codec="avro")
    async with Roadside(fleet.broker, fleet.topic_prefix) as road:
        asked = [await road.ask(avro=flag, question="how many things are there?") for flag in (True, False)]
        failing = await road.ask(plan=[step("a", rows=3), step("b", fail_code="AUTH_FAILED")])
        bad = await road.send("ops.questions", b"no question")

        answers = await road.answers([*asked, failing])

        assert [answer["status"] for answer in answers] == ["success", "success", "partial_success"]
        assert answers[0]["main_result"]["rows"] == [[3, 1_054_720]]
        assert answers[2]["results"][1]["error_details"]["code"] == "AUTH_FAILED"
        assert answers[0]["asked_at"] <= answers[0]["answered_at"]
        assert all(record.value[:1] == b"\x00" for record in road.records["ops.answers"])
        assert (await road.dead_letter(bad))["code"] == "NOT_JSON"  # a dead letter is JSON whatever is spoken
        await road.until(lambda: road.counted("questions_read") > 0, "metric points")
