"""A bad event becomes a dead letter with a code; the good ones around it are answered; no offset is skipped."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.deadletters import KEPT_BYTES
from schemas.ids import trace_id
from schemas.questions import MAX_EVENT_BYTES
from tests.support.roadside import Roadside, avro_question, question_event, step

Headers = list[tuple[str, bytes]]


def _event(**fields: Any) -> bytes:
    return json.dumps(question_event("bad", **fields)).encode()


def _spliced(tail: bytes) -> bytes:
    """A good question with raw JSON text added as its context."""
    return _event()[:-1] + b', "context": ' + tail + b"}"


def _without(name: str) -> bytes:
    event = question_event("bad")
    del event[name]
    return json.dumps(event).encode()


def _at(delta: timedelta) -> str:
    return (datetime.now(UTC) + delta).isoformat()


BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "not UTF-8": (lambda: b'{"question": "\xff\xfe"}', "NOT_UTF8"),
    "UTF-16": (lambda: _event().decode().encode("utf-16"), "NOT_UTF8"),
    "not JSON": (lambda: b"what depends on db-7?", "NOT_JSON"),
    "cut JSON": (lambda: _event()[:-5], "NOT_JSON"),
    "empty": (lambda: b"", "NOT_JSON"),
    "array": (lambda: b"[1, 2]", "NOT_AN_OBJECT"),
    "text": (lambda: b'"why?"', "NOT_AN_OBJECT"),
    "null": (lambda: b"null", "NOT_AN_OBJECT"),
    "NaN": (lambda: _spliced(b'{"load": NaN}'), "NOT_FINITE"),
    "infinite": (lambda: _spliced(b'{"load": 1e999}'), "NOT_FINITE"),
    "too many digits": (lambda: _spliced(b'{"n": ' + b"9" * 5_000 + b"}"), "NOT_FINITE"),
    "key twice": (lambda: _spliced(b'{"a": 1, "a": 2}'), "DUPLICATE_KEY"),
    "tenant twice": (lambda: _event()[:-1] + b', "tenant_id": "globex"}', "DUPLICATE_KEY"),
    "field missing": (lambda: _without("user"), "INVALID_EVENT"),
    "version as text": (lambda: _event(schema_version="1"), "INVALID_EVENT"),
    "version 2": (lambda: _event(schema_version=2), "INVALID_EVENT"),
    "version true": (lambda: _event(schema_version=True), "INVALID_EVENT"),
    "unknown field": (lambda: _event(priority="high"), "INVALID_EVENT"),
    "moment as number": (lambda: _event(created_at=1_700_000_000), "INVALID_EVENT"),
    "moment as digits": (lambda: _event(created_at="1790000000"), "INVALID_EVENT"),
    "roles as text": (lambda: _event(user={"id": "u", "roles": "admin"}), "INVALID_EVENT"),
    "blank question": (lambda: _event(question="  \n "), "INVALID_EVENT"),
    "unknown mode": (lambda: _event(mode="guess"), "INVALID_EVENT"),
    "plan without steps": (lambda: _event(plan=[]), "INVALID_EVENT"),
    "unknown option": (lambda: _event(options={"verbose": True}), "UNKNOWN_OPTION"),
    "question too long": (lambda: _event(question="x" * 8_001), "QUESTION_TOO_LONG"),
    "event too large": (lambda: _event(context={"a": "x" * MAX_EVENT_BYTES}), "EVENT_TOO_LARGE"),
    "far too large": (lambda: _event(context={"a": "x" * 3_000_000}), "EVENT_TOO_LARGE"),
    "nested too deep": (lambda: _spliced(b'{"a":' * 33 + b"1" + b"}" * 33), "NESTED_TOO_DEEP"),
    "nested without end": (lambda: _spliced(b"[" * 60_000), "NESTED_TOO_DEEP"),
    "no zone": (lambda: _event(created_at="2026-11-21T10:00:00"), "CREATED_AT_REFUSED"),
    "from the future": (lambda: _event(created_at=_at(timedelta(hours=1, minutes=1))), "CREATED_AT_REFUSED"),
    "from the past": (lambda: _event(created_at=_at(-timedelta(days=367))), "CREATED_AT_REFUSED"),
    "unknown schema": (lambda: b"\x00\x00\x0f\x42\x3f" + b"\x02" * 20, "UNKNOWN_SCHEMA"),
    "frame too short": (lambda: b"\x00\x00\x00", "BROKEN_FRAME"),
    "frame cut": (lambda: avro_question(question_event("bad"))[:-3], "BROKEN_FRAME"),
    "frame with a tail": (lambda: avro_question(question_event("bad")) + b"!", "BROKEN_FRAME"),
    "Avro question too long": (
        lambda: avro_question(question_event("bad", question="x" * 8_001)),
        "QUESTION_TOO_LONG",
    ),
}


async def test_each_kind_of_bad_event_between_good_ones(road: Roadside) -> None:
    """Every bad event is a dead letter with its code and origin; every good one is answered."""
    good, sent = [], []
    for number, (name, (make, code)) in enumerate(BAD.items()):
        good.append(await road.ask(f"good-{number}", plan=[step("s", value=number)], partition=1))
        value = make()
        sent.append((name, code, value, await road.send("ops.questions", value, partition=1, key=b"k\xff")))
    good.append(await road.ask("good-last", plan=[step("s", value=1)], partition=1))

    await road.answers(good)

    for name, code, value, placed in sent:
        letter = await road.dead_letter(placed)
        assert letter["code"] == code, (name, letter["reason"])
        assert letter["value_length"] == len(value), name
        assert letter["value_sha256"] == hashlib.sha256(value).hexdigest(), name
        assert base64.b64decode(letter["value_b64"]) == value[:KEPT_BYTES], name
        assert base64.b64decode(letter["key_b64"]) == b"k\xff", name
        assert letter["headers"] == [{"name": "tenant_id", "value_b64": base64.b64encode(b"acme").decode()}]
        assert letter["reason"], name
        assert letter["at"], name
    assert len(road.dead_letters()) == len(sent)


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("no header", []),
        ("another tenant", [("tenant_id", b"globex")]),
        ("empty", [("tenant_id", b"")]),
        ("two that differ", [("tenant_id", b"acme"), ("tenant_id", b"globex")]),
        ("other case", [("Tenant_Id", b"acme")]),
    ],
)
async def test_tenant_header_must_be_the_events_tenant(road: Roadside, name: str, headers: Headers) -> None:
    """The question is refused; nobody is answered."""
    value = json.dumps(question_event(f"header-{name}", plan=[step("s", value=1)])).encode()

    placed = await road.send("ops.questions", value, tenant=None, headers=headers)

    assert (await road.dead_letter(placed))["code"] == "TENANT_MISMATCH"
    await road.all_quiet()
    assert road.count(f"header-{name}") == 0


async def test_event_with_endless_headers_or_key_is_a_dead_letter_too(road: Roadside) -> None:
    """What surrounds a bad event may be as large as the broker takes; the letter fits all the same."""
    large = [await road.send("ops.questions", b"no", headers=[("note", b"x" * 3_900_000)], partition=2)]
    large.append(await road.send("ops.questions", b"no", key=b"x" * 3_900_000, partition=2))
    after = await road.ask(plan=[step("s", value=1)], partition=2)

    letters = [await road.dead_letter(placed) for placed in large]

    assert [letter["code"] for letter in letters] == ["NOT_JSON", "NOT_JSON"]
    assert [letter["headers"][-1]["name"] for letter in letters] == ["opsloom_cut", "opsloom_cut"]
    assert (await road.answer(after))["status"] == "success"


async def test_tombstones_are_ignored_and_counted(road: Roadside) -> None:
    """A record without a value is no event; the worker's metric points tell how many there were."""
    before = road.counted("tombstones_ignored")
    for topic in ("ops.questions", "ops.aggregation", "ops.tool-calls.timeseries"):
        for partition in (0, 3):
            await road.send(topic, None, key=b"gone", partition=partition)
    after = await road.ask(plan=[step("s", value=1)])

    await road.answer(after)

    await road.until(lambda: road.counted("tombstones_ignored") >= before + 6, "the tombstones counted")
    assert road.counted("tombstones_ignored") == before + 6


GARBAGE: dict[str, tuple[bytes, str]] = {
    "not JSON": (b"\xff\xfe", "NOT_JSON"),
    "no event": (b"{}", "INVALID_EVENT"),
    "strange event": (b'{"event": "QuestionAsked"}', "INVALID_EVENT"),
    "fields missing": (b'{"event":"PlanMade"}', "INVALID_EVENT"),
    "unknown schema": (b"\x00\x00\x00\xff\xff??", "UNKNOWN_SCHEMA"),
    "broken frame": (b"\x00\x00", "BROKEN_FRAME"),
    "nested without end": (b'{"x":' + b"[" * 200_000, "NESTED_TOO_DEEP"),
}


@pytest.mark.parametrize("topic", ["ops.aggregation", "ops.tool-calls.timeseries", "ops.tool-calls.mcp"])
async def test_garbage_on_inner_topics_is_a_dead_letter(road: Roadside, topic: str) -> None:
    """The road does not trust its own topics either."""
    placed = {}
    for name, (value, code) in GARBAGE.items():
        placed[name] = (code, await road.send(topic, value, tenant=None, partition=2))
    after = await road.ask(plan=[step("s", value=1), step("t", "tool_without_an_adapter")])

    for name, (code, metadata) in placed.items():
        letter = await road.dead_letter(metadata)
        assert letter["code"] == code, (name, letter["reason"])
    assert (await road.answer(after))["status"] == "partial_success"


async def test_events_of_unknown_traces_and_absurd_moments_stop_nobody(road: Roadside) -> None:
    """Well-formed nonsense in the join neither crashes it nor delays the others."""
    trace = trace_id("acme", "nonsense")
    for moment in (-1e300, 0.0, 1e300):
        event = {"event": "DeadlinePassed", "trace_id": trace, "tenant_id": "acme"}
        event |= {"deadline_at": moment, "passed_at": moment}
        plan = {"event": "PlanMade", "trace_id": f"{trace}{moment}", "tenant_id": "acme", "question_id": "x"}
        plan |= {"user_id": "u", "roles": ["viewer"], "question": "?", "mode": "all", "kind": "plan"}
        plan |= {"asked_at": moment, "planned_at": moment, "deadline_at": moment, "steps": []}
        for each in (event, plan):
            await road.send("ops.aggregation", json.dumps(each).encode(), tenant=None, partition=1)

    await road.all_quiet()
