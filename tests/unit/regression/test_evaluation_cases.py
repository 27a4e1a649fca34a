"""Lines of questions: what is read, and what is said of a line that cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from regression.evaluation.cases import BadLine, read_cases

GOOD = {
    "id": "a",
    "tenant": "acme",
    "lang": "ko",
    "mode": "metric",
    "question": "왜?",
    "expect": {"reject": True},
}
QUESTIONS = sorted((Path(__file__).resolve().parents[3] / "packs" / "plant" / "questions").glob("*.jsonl"))


def test_a_line_is_read() -> None:
    """With all its fields; blank lines and a writer's notes are passed over."""
    cases = read_cases([json.dumps(GOOD | {"note": "of mine"}), "", "  "])
    assert [(case.id, case.mode.value, case.expect.reject) for case in cases] == [("a", "metric", True)]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        (json.dumps(GOOD | {"mode": "magic"}), "mode"),
        (json.dumps(GOOD | {"question": ""}), "question"),
        (json.dumps({"id": "a"}), "tenant"),
        (json.dumps(GOOD | {"expect": {"valuse": []}}), "valuse"),
        (json.dumps(GOOD | {"expect": {"values": [{"tolerance": 1}]}}), "either value or sql"),
        (json.dumps(GOOD | {"expect": {"values": [{"sql": "SELECT 1", "value": 1}]}}), "either value or sql"),
    ],
)
def test_a_bad_line_is_named(line: str, says: str) -> None:
    """By its number, with what is wrong."""
    with pytest.raises(BadLine, match=says) as caught:
        read_cases([json.dumps(GOOD), line])
    assert caught.value.number == 2


def test_an_id_may_be_used_once() -> None:
    """The second one names the first one's line."""
    with pytest.raises(BadLine, match="line 1"):
        read_cases([json.dumps(GOOD), json.dumps(GOOD)])


def test_the_questions_that_come_along_can_be_read() -> None:
    """At least 120 over all six modes, both languages and both tenants, in two parts that share no question."""
    parts = [read_cases(path.read_text(encoding="utf-8").splitlines()) for path in QUESTIONS]
    assert [path.stem for path in QUESTIONS] == ["built_with", "measured_only"]
    assert all(len(part) >= 120 for part in parts)
    for part in parts:
        assert {case.mode.value for case in part} == {
            "all",
            "config",
            "metric",
            "history",
            "graph",
            "document",
        }
        assert {case.lang for case in part} == {"en", "ko"}
        assert {case.tenant for case in part} == {"acme", "globex"}
        assert any(case.expect.reject for case in part)
    first, second = ({(case.tenant, case.question.casefold()) for case in part} for part in parts)
    assert not first & second
