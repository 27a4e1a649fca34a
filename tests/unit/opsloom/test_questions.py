"""What a client refuses to send, in the very words of the road's edge."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, get_args

import orjson
import pytest

from opsloom.errors import Refused
from opsloom.questions import Asking, Option, compose, judge
from schemas.errors import ErrorCode
from schemas.questions import MAX_QUESTION_CHARACTERS, QuestionOptions
from streams.codecs import Codec
from streams.intake import Refusal, read_question
from streams.schema_ids import FileIds

NOW = 1_800_000_000.0
CODEC = Codec(FileIds.load())


@pytest.mark.parametrize(
    ("question", "asking", "code"),
    [
        ("", {}, ErrorCode.INVALID_EVENT),
        ("  ", {}, ErrorCode.INVALID_EVENT),
        ("x" * (MAX_QUESTION_CHARACTERS + 1), {}, ErrorCode.QUESTION_TOO_LONG),
        ("why?", {"mode": "magic"}, ErrorCode.INVALID_EVENT),
        ("why?", {"deadline_s": 0}, ErrorCode.INVALID_EVENT),
        ("why?", {"deadline_s": 500}, ErrorCode.INVALID_EVENT),
        ("why?", {"max_rows": 0}, ErrorCode.INVALID_EVENT),
        ("why?", {"question_id": "x" * 129}, ErrorCode.INVALID_EVENT),
        ("why?", {"plan": {"steps": []}}, ErrorCode.INVALID_EVENT),
        ("why?", {"plan": {"steps": [{"tool_id": "a"}]}}, ErrorCode.INVALID_EVENT),
        ("why?", {"deadline": datetime(2030, 1, 1)}, ErrorCode.INVALID_EVENT),
        ("why?", {"context": {"blob": "x" * 70_000}}, ErrorCode.EVENT_TOO_LARGE),
    ],
)
def test_a_bad_question_is_refused_with_the_code_of_its_dead_letter(
    question: str, asking: Any, code: ErrorCode
) -> None:
    """Client and edge say the same."""
    raw = compose(question, "local", NOW, asking)

    with pytest.raises(Refused) as caught:
        judge(raw, "local", NOW, CODEC)

    at_the_edge = read_question(raw, [("tenant_id", b"local")], NOW, CODEC)
    assert isinstance(at_the_edge, Refusal)
    assert caught.value.code is code is at_the_edge.code
    assert at_the_edge.reason in caught.value.reason


def test_a_tenant_that_is_none_is_refused() -> None:
    """Tenants have no spaces."""
    with pytest.raises(Refused, match="tenant_id"):
        judge(compose("why?", "not a tenant", NOW, {}), "not a tenant", NOW, CODEC)


def test_what_json_cannot_say_is_refused_before_sending() -> None:
    """A set or a lone surrogate is no JSON."""
    for context in ({"x": object()}, {"x": "\ud800"}):
        with pytest.raises(Refused):
            compose("why?", "local", NOW, Asking(context=context))


def test_every_option_there_is_can_be_said() -> None:
    """The client knows no fewer than the road's edge."""
    assert set(get_args(Option)) == {field.name for field in fields(QuestionOptions)}
    asking = Asking(fail_fast=True, no_cache=True, planner="rules")
    options = judge(compose("why?", "local", NOW, asking), "local", NOW, CODEC).options
    assert (options.fail_fast, options.no_cache, options.planner) == (True, True, "rules")


def test_only_what_was_said_is_written() -> None:
    """No nulls, no defaults: an older reader is not troubled by words nobody used."""
    document = orjson.loads(compose("why?", "local", NOW, Asking(question_id="q")))
    assert document == {
        "schema_version": 1,
        "question_id": "q",
        "tenant_id": "local",
        "user": {"id": "opsloom-client", "roles": ["viewer"]},
        "question": "why?",
        "created_at": "2027-01-15T08:00:00+00:00",
    }
