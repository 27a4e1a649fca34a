"""docs/events.md names every topic, field and option there is."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from datetime import datetime
from pathlib import Path

import pytest

from schemas.answers import AnswerComposed, Status
from schemas.deadletters import DeadLetter
from schemas.ids import trace_id
from schemas.plans import ProducerStep
from schemas.questions import Mode, QuestionAsked, QuestionOptions
from streams.codecs import Codec
from streams.intake import read_question
from streams.schema_ids import FileIds
from streams.topics import KINDS, Topics

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "events.md").read_text()


def section(title: str) -> str:
    """The text under a heading of the second level."""
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("QuestionAsked", QuestionAsked),
        ("QuestionAsked", QuestionOptions),
        ("AnswerComposed", AnswerComposed),
        ("DeadLetter", DeadLetter),
    ],
)
def test_every_field_is_explained(title: str, word: type) -> None:
    """Each stands in its section's table."""
    table = "".join(line for line in section(title).splitlines() if line.startswith("| `"))
    missing = [field.name for field in dataclasses.fields(word) if f"`{field.name}`" not in table]
    assert not missing


def test_every_field_of_a_plan_is_named() -> None:
    """A producer's own plan is part of the question."""
    missing = [
        field.name for field in dataclasses.fields(ProducerStep) if field.name not in section("QuestionAsked")
    ]
    assert not missing


def test_every_topic_is_named_with_its_events() -> None:
    """The table is the declaration of streams/topics.py."""
    rows = [line for line in section("Topics").splitlines() if line.startswith("| `ops.")]
    for spec in Topics().all():
        name = re.sub(r"tool-calls\..*", "tool-calls.<kind>", spec.name)
        row = next(row for row in rows if row.startswith(f"| `{name}`"))
        assert all(f"`{event.__name__}`" in row for event in spec.events)
        assert ("compacted" if spec.cleanup == "compact" else f"{spec.retention_ms // 86_400_000} day") in row
    assert all(kind in section("Topics") for kind in KINDS)


def test_modes_and_statuses_are_named() -> None:
    """Enumerations are closed."""
    assert all(f"`{mode}`" in section("QuestionAsked") for mode in Mode)
    assert all(f"`{status}`" in section("AnswerComposed") for status in Status)


def test_the_trace_id_is_made_as_the_page_says() -> None:
    """A client in another language can compute it."""
    tenant, question = "local", "what-héllo"
    text = f"trace|{len(tenant)}:{tenant}|{len(question)}:{question}"
    assert trace_id(tenant, question) == hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_the_example_question_is_taken() -> None:
    """What the page shows is what the edge accepts."""
    example = PAGE.split("```json\n")[1].split("```")[0].encode()
    created_at = datetime.fromisoformat(json.loads(example)["created_at"])
    taken = read_question(example, [("tenant_id", b"local")], created_at.timestamp(), Codec(FileIds.load()))
    assert isinstance(taken, QuestionAsked)
