"""What an answer says, in both languages: figures with their marks, what is missing, hits, moments."""

import dataclasses
from typing import Any

import pytest

from agents.aggregation.compose import MAX_TEXT_CHARACTERS, compose, compose_refusal
from agents.aggregation.trace import Trace
from schemas.answers import AnswerComposed
from schemas.calls import Column, Shape, ToolFailed, ToolOutput, ToolSucceeded, Unit
from schemas.error_sentences import KOREAN, in_language, way_on
from schemas.errors import SPECS, ErrorCode, ops_error
from schemas.ids import call_id, trace_id
from schemas.plans import PlanFailed, PlanKind, PlanMade, Render, Step

TRACE = trace_id("acme", "q")
ASKED_AT = 1_790_000_000.0
SERVICES = ToolOutput(
    shape=Shape.TABLE,
    columns=(Column(name="from"), Column(name="to"), Column(name="deployed_at")),
    rows=[["checkout", "accounts", "2026-11-20 15:02:00"], ["checkout", "cart", "2026-11-19 10:49:00"]],
    facts={"row_count": 2},
    fact_units={"row_count": Unit.NUMBER},
)
LATENCY = ToolOutput(
    shape=Shape.FACTS,
    facts={"last": 165.5, "mean": 163.53042, "took": 200.0},
    fact_units={"last": Unit.NUMBER, "mean": Unit.NUMBER, "took": Unit.SECONDS},
)
HITS = ToolOutput(
    shape=Shape.DOCUMENTS,
    columns=(Column(name="document_name"), Column(name="chunk_text"), Column(name="page_number")),
    rows=[
        ["Runbook checkout", "Runbook checkout › slow: Keep it under 900 ms.", 2],
        ["체크아웃 런북", "체크아웃 런북 › 롤백: 10분 동안 오류율을 지켜본다.", 4],
    ],
)


def answer_to(*steps: tuple[ToolOutput | ErrorCode, Render | None], **of_plan: Any) -> AnswerComposed:
    """The answer to a plan with one step for each output or error."""
    planned: list[Step] = []
    succeeded: dict[str, ToolSucceeded] = {}
    failed: dict[str, ToolFailed] = {}
    for number, (output, render) in enumerate(steps, 1):
        name = f"s{number}"
        common: dict[str, Any] = {
            "trace_id": TRACE, "tenant_id": "acme", "call_id": call_id(TRACE, name, 0), "step_id": name,
            "tool_id": f"tool_{number}", "tool_type": "t", "group": 0, "started_at": ASKED_AT + 0.2,
            "ended_at": ASKED_AT + 0.3,
        }  # fmt: skip
        planned.append(
            Step(step_id=name, tool_id=f"tool_{number}", tool_type="t", kind="sql", render=render,
                 params={"template": "x", "args": {"service": "checkout"}})
        )  # fmt: skip
        if isinstance(output, ToolOutput):
            succeeded[name] = ToolSucceeded(**common, output=output)
        else:
            failed[name] = ToolFailed(**common, error=ops_error(output))
    plan = PlanMade(
        trace_id=TRACE, tenant_id="acme", question_id="q", user_id="u", roles=(), question="?", mode="all",
        kind=PlanKind.PLAN, asked_at=ASKED_AT, planned_at=ASKED_AT + 0.1, deadline_at=ASKED_AT + 120,
        steps=tuple(planned),
    )  # fmt: skip
    plan = dataclasses.replace(plan, **of_plan)
    trace = Trace(trace_id=TRACE, deadline_at=plan.deadline_at, plan=plan, succeeded=succeeded, failed=failed)
    return compose(trace, ASKED_AT + 0.5)


def said(output: ToolOutput, english: str, korean: str = "", language: str = "en", zone: str = "UTC") -> str:
    render = Render(title="What {service} calls", title_ko="{service} 호출", text=english, text_ko=korean)
    return answer_to((output, render), language=language, time_zone=zone).text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{last|number|ms} at the end", "165.5 ms [1] at the end"),
        ("{last|number} ms at the end", "165.5 ms [1] at the end"),
        ("mean {mean|number} %.", "mean 163.53 % [1]."),
        ("took {took} since 7 days", "took 3 min 20 s [1] since 7 days [1]"),
        ("p95 and db-7: {last}", "p95 and db-7: 165.5 [1]"),
    ],
)
def test_mark_stands_behind_the_unit(template: str, text: str) -> None:
    """Whether the template says the unit in the hole or behind it; names with digits need no mark."""
    assert said(LATENCY, template) == text


def test_what_is_counted_agrees_with_its_number() -> None:
    """One service, two services; in Korean the counter is glued to the figure."""
    one = dataclasses.replace(SERVICES, rows=SERVICES.rows[:1], facts={"row_count": 1})
    english, korean = (
        "{from} calls {row_count|number|service|services}.",
        "서비스 {row_count|number|개}입니다.",
    )

    assert said(SERVICES, english) == "checkout calls 2 services [1]."
    assert said(one, english) == "checkout calls 1 service [1]."
    assert said(SERVICES, english, korean, "ko") == "서비스 2개입니다 [1]."


def test_moments_are_on_the_clocks_of_the_asker() -> None:
    """Text that a store wrote is UTC; the zone is named."""
    assert said(SERVICES, "{deployed_at|timestamp}") == "2026-11-20 15:02:00 UTC [1]"
    assert (
        said(SERVICES, "{deployed_at|timestamp}", zone="Asia/Seoul") == "2026-11-21 00:02:00 Asia/Seoul [1]"
    )
    assert said(SERVICES, "{deployed_at|timestamp}", zone="No/Where") == "2026-11-20 15:02:00 UTC [1]"


def test_korean_falls_back_to_english_and_writes_spans_in_korean() -> None:
    """A template without a Korean text still speaks."""
    assert said(LATENCY, "took {took}", language="ko") == "took 3분 20초 [1]"


def test_hit_in_the_language_of_the_question_is_told() -> None:
    """Between quotation marks with one mark behind them, without the name of its document in front."""
    template = "It says: “{chunk_text}”"

    assert said(HITS, template) == "It says: “slow: Keep it under 900 ms.” [1]"
    assert (
        said(HITS, template, "내용: “{chunk_text}”", "ko") == "내용: “롤백: 10분 동안 오류율을 지켜본다.” [1]"
    )
    block = answer_to((HITS, None), language="ko").blocks[0]
    assert [row[0] for row in block.rows] == ["체크아웃 런북", "Runbook checkout"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "tool_1 did not answer in time (TOOL_TIMEOUT), so “What checkout calls” is missing."),
        (
            "ko",
            "tool_1: 제시간에 응답하지 않았습니다 (TOOL_TIMEOUT). 그래서 “checkout 호출” 항목이 없습니다.",
        ),
    ],
)
def test_what_is_missing_is_said_with_a_way_on(language: str, text: str) -> None:
    """Which part of the question, why, and what could be asked instead."""
    render = Render(title="What {service} calls", title_ko="{service} 호출")

    answer = answer_to((ErrorCode.TOOL_TIMEOUT, render), (LATENCY, None), language=language)

    assert text in answer.text
    assert answer.suggestions == (way_on(ErrorCode.TOOL_TIMEOUT, language),)
    assert answer.results[0].error == (KOREAN if language == "ko" else _ENGLISH)[ErrorCode.TOOL_TIMEOUT]


_ENGLISH = {code: spec.meaning for code, spec in SPECS.items()}


def test_nothing_found_refers_to_the_call_that_looked() -> None:
    """That there is nothing is a finding, too: it has a reference, and a longer period may help."""
    answer = answer_to((ErrorCode.DATA_NOT_FOUND, Render(title="Tickets")), language="ko")

    assert answer.text == "Tickets: 찾은 것이 없습니다 [1]."
    assert (answer.references[0].tool_id, answer.references[0].row_count) == ("tool_1", 0)
    assert answer.suggestions == (way_on(ErrorCode.DATA_NOT_FOUND, "ko"),)


def test_every_error_has_a_sentence_in_every_language() -> None:
    """Complete, one line, ended, and none of them left in English."""
    assert KOREAN.keys() == set(ErrorCode) == SPECS.keys()
    for sentence in KOREAN.values():
        assert sentence.endswith("다.")
        assert sentence.isprintable()
        assert any("가" <= letter <= "힣" for letter in sentence)


def test_own_message_of_an_error_is_not_replaced() -> None:
    """Only what says no more than its code is said in the other language."""
    own = ops_error(ErrorCode.INVALID_PARAMS, "Step 'a' gave nothing at rows[0].").public()

    assert in_language(own, "ko").message == own.message
    assert in_language(ops_error(ErrorCode.INVALID_PARAMS).public(), "ko").message == KOREAN[own.code]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Step 'a' waits for itself. (PLAN_INVALID)"),
        ("ko", "올바른 계획을 만들지 못했습니다. Step 'a' waits for itself. (PLAN_INVALID)"),
    ],
)
def test_refused_plan_is_told_in_the_language_of_the_question(language: str, text: str) -> None:
    """What is wrong with the plan of a producer stays as the planner said it."""
    failed = PlanFailed(
        trace_id=TRACE, tenant_id="acme", question_id="q", user_id="u", question="?", mode="all",
        asked_at=ASKED_AT, planned_at=ASKED_AT, deadline_at=ASKED_AT + 120, language=language,
        error=ops_error(ErrorCode.PLAN_INVALID, "Step 'a' waits for itself."),
    )  # fmt: skip

    answer = compose_refusal(failed, ASKED_AT + 1)

    assert (answer.text, answer.language) == (text, language)


def test_long_text_is_cut_behind_a_mark() -> None:
    """No figure loses its mark to the bound."""
    answer = answer_to((LATENCY, Render(title="T", text="{last|number|ms}, " * 900)))

    assert len(answer.text) <= MAX_TEXT_CHARACTERS
    assert answer.text.endswith("ms [1]… (the text was cut here)")
