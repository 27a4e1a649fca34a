"""What is sent to the HTTP interface, and what comes back besides answers, errors and progress."""

from dataclasses import field
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.ids import QuestionId, TenantId
from schemas.plans import ProducerPlan
from schemas.questions import MAX_QUESTION_CHARACTERS, Mode, QuestionOptions
from schemas.word import Json, word

MAX_WAIT_S = 60.0


@word
class AskBody:
    """A question. Who asks, and for which tenant, is in the token."""

    question: Annotated[str, StringConstraints(min_length=1, max_length=MAX_QUESTION_CHARACTERS)]
    mode: Mode = Mode.ALL
    context: dict[str, Json] = field(default_factory=dict)
    options: QuestionOptions = field(default_factory=QuestionOptions)
    plan: ProducerPlan | None = None
    """A plan of one's own instead of the planner's."""
    tenant_id: TenantId | None = None
    """Only to be checked: it must be the token's."""
    question_id: QuestionId | None = None
    """The same id is the same question: one trace, one answer. The header Idempotency-Key says the same."""
    wait_s: Annotated[float, Field(gt=0, le=MAX_WAIT_S)] | None = None
    """How long to wait for the answer, 60 s at most and by default. It may be fetched later all the same."""


@word
class Working:
    """The question was taken and is not answered yet."""

    state: Literal["working"] = "working"
    trace_id: str
    message: str


@word
class Health:
    ok: bool
