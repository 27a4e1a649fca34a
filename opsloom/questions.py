"""Compose a question and judge it with the very rules of the road's edge, before it is sent."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, get_args

import msgspec
import orjson

from opsloom.errors import Refused
from schemas.errors import ErrorCode
from schemas.plans import ProducerPlan
from schemas.questions import TENANT_HEADER, Mode, QuestionAsked, User
from streams.codecs import Codec, moment
from streams.intake import Refusal, read_question

Plan = ProducerPlan | Mapping[str, Any]
"""A plan of one's own: the word, or what its JSON says (`{"steps": [...]}`)."""

DEFAULT_USER = "opsloom-client"
DEFAULT_ROLES = ("viewer",)

Option = Literal["max_rows", "deadline_s", "deadline", "tools", "fail_fast", "no_cache", "planner"]
_OPTIONS: tuple[Option, ...] = get_args(Option)


class Asking(TypedDict, total=False):
    """All that may be said about a question; what is left out is not sent."""

    question_id: str
    """Default: a new UUID. The same id is the same question: one trace, one answer."""
    user: User | str
    """Default: `opsloom-client`. A name alone has the role viewer."""
    mode: Mode | str
    context: Mapping[str, Any]
    deadline_s: float
    """Seconds from the moment a planner reads the question; shortens the budget of 120 s."""
    deadline: datetime
    max_rows: int
    tools: Sequence[str]
    """Use only these."""
    fail_fast: bool
    """Answer at once when a step has failed for good."""
    no_cache: bool
    """Plan and run afresh, whatever is remembered of the same question."""
    planner: Literal["rules", "llm"]
    """Which planner is to decide; left out: the installation's choice."""
    plan: Plan
    """A plan of one's own instead of the planner's."""


def compose(question: str, tenant_id: str, now: float, asking: Asking) -> bytes:
    """The question as JSON. Raises Refused for what JSON cannot say."""
    user = asking.get("user", DEFAULT_USER)
    options = {name: asking[name] for name in _OPTIONS if name in asking}
    document: dict[str, Any] = {
        "schema_version": 1,
        "question_id": asking.get("question_id") or str(uuid.uuid4()),
        "tenant_id": tenant_id,
        "user": {"id": user, "roles": list(DEFAULT_ROLES)} if isinstance(user, str) else user,
        "question": question,
        "created_at": moment(now),
        **{name: asking[name] for name in ("mode", "context", "plan") if name in asking},
    }
    if options:
        document["options"] = options
    try:
        return orjson.dumps(msgspec.to_builtins(document, builtin_types=(datetime,)))
    except (TypeError, ValueError, OverflowError) as exc:
        raise Refused(
            ErrorCode.INVALID_EVENT,
            f"The question can't be written as JSON: {exc}.",
            "Give JSON values only.",
        ) from exc


def judge(raw: bytes, tenant_id: str, now: float, codec: Codec) -> QuestionAsked:
    """What the road's edge will make of it. Raises Refused with the code of the dead letter it saves."""
    found = read_question(raw, headers_of(tenant_id), now, codec)
    if isinstance(found, Refusal):
        raise Refused(
            found.code,
            f"The question would not be taken ({found.code.value}): {found.reason}.",
            "Correct it and ask again; docs/events.md says what a question may hold.",
        )
    return found


def headers_of(tenant_id: str) -> list[tuple[str, bytes]]:
    """The Kafka headers every question needs."""
    return [(TENANT_HEADER, tenant_id.encode("utf-8", "surrogatepass"))]
