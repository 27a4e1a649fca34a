"""What an answer says, from outside: its language, its marks, contradictions, what is missing, the asker's clocks."""

from __future__ import annotations

import re
from typing import Any

from schemas.error_sentences import KOREAN, way_on
from schemas.errors import ErrorCode
from tests.support.roadside import Roadside, step

UNIT_AND_MARK = re.compile(r"\d( [KMG]iB)? \[1\]")


async def answered(road: Roadside, *steps: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return await road.answer(await road.ask(plan=list(steps), **fields))


async def test_question_in_korean_is_answered_in_korean(road: Roadside) -> None:
    """Also what failed, what was skipped for it, the error itself and what could be asked instead."""
    answer = await answered(
        road,
        step("good", value=7),
        step("bad", fail_code="PERMISSION_DENIED"),
        step("behind", after=["bad"]),
        question="프로브가 뭐라고 하나요?",
    )

    assert (answer["language"], answer["status"]) == ("ko", "partial_success")
    assert "7 [1]" in answer["text"]
    assert "이 역할로는 사용할 수 없습니다 (PERMISSION_DENIED)" in answer["text"]
    assert "건너뛰었습니다" in answer["text"]
    by_step = {each["step_id"]: each for each in answer["results"]}
    assert by_step["bad"]["error"] == KOREAN[ErrorCode.PERMISSION_DENIED]
    assert answer["suggestions"] == [way_on(ErrorCode.PERMISSION_DENIED, "ko")]


async def test_rejection_speaks_the_language_that_the_context_names(road: Roadside) -> None:
    """Whatever the question is written in."""
    answer = await road.answer(await road.ask(question="who wins the cup final?", context={"language": "ko"}))

    assert (answer["plan_kind"], answer["language"]) == ("reject", "ko")
    assert answer["text"] == "이 질문에 답할 수 있는 도구가 없습니다."
    assert answer["suggestions"]


async def test_two_tools_that_contradict_each_other_are_said(road: Roadside) -> None:
    """The same question to two tools, two figures: one sentence with both and where each is from."""
    skewed: dict[str, Any] = {"value": 100, "skew": 50, "only": "probe_steady"}

    answer = await answered(
        road, step("one", "probe", **skewed), step("two", "probe_steady", **skewed), step("three", value=3)
    )

    assert answer["text"].count("disagree") == 1
    assert re.search(
        r"disagree on value of “[^”]+”: probe says 100 \[1\], probe_steady says 150 \[2\]", answer["text"]
    )
    assert [each["tool_id"] for each in answer["references"]][:2] == ["probe", "probe_steady"]


async def test_answer_carries_the_askers_zone_and_marks_behind_units(road: Roadside) -> None:
    """Figures of a template: number, unit, mark."""
    answer = await road.answer(
        await road.ask(question="how many things are there?", context={"time_zone": "Asia/Seoul"})
    )

    assert answer["time_zone"] == "Asia/Seoul"
    assert len(UNIT_AND_MARK.findall(answer["text"])) == 2, answer["text"]
