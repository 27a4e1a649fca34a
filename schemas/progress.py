"""What happens to a question while it is worked on, in the order in which it is told to those who watch."""

from datetime import datetime
from typing import Literal

from schemas.answers import AnswerComposed
from schemas.errors import PublicError
from schemas.plans import PlanKind
from schemas.word import word


@word
class PlannedStep:
    step_id: str
    tool_id: str
    depends_on: tuple[str, ...] = ()


@word
class Planned:
    """A plan was made; `attempt` counts from 0, a further one replaces what had failed."""

    event: Literal["planned"] = "planned"
    trace_id: str
    kind: PlanKind
    planner: str = ""
    attempt: int = 0
    steps: tuple[PlannedStep, ...] = ()
    at: datetime | None = None


@word
class ToolStarted:
    """A call was given out. `at` is None when it is only known from the answer."""

    event: Literal["tool_started"] = "tool_started"
    trace_id: str
    step_id: str
    tool_id: str
    call_id: str
    at: datetime | None = None


@word
class ToolEnded:
    """A call came to its end, or a step was skipped and never started."""

    event: Literal["tool_ended"] = "tool_ended"
    trace_id: str
    step_id: str
    tool_id: str
    call_id: str
    status: Literal["success", "error", "timeout", "skipped"]
    duration_ms: float
    retries: int = 0
    error: PublicError | None = None


@word
class Answered:
    """The end: the whole answer."""

    event: Literal["answer"] = "answer"
    trace_id: str
    answer: AnswerComposed


ProgressEvent = Planned | ToolStarted | ToolEnded | Answered
